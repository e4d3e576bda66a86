package console

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/kerberos"
	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// kerberosPage is how a gateway takes tickets.
type kerberosPage struct {
	Gateway  store.Gateway
	Form     kerberosForm
	Sets     []keySet
	Services []string // names that browsers ask tickets for
	Hosts    []string // of these
	TestPath string
	Errors   map[string]string
}

// kerberosForm is what an administrator writes.
type kerberosForm struct {
	Retain            string
	Realms, Networks  string // a line each
	Attribute, Value  string
	AllowRC4          bool
	Account, Password string // the password is never shown again
	Seen              string // when the gateway was changed, when the form was shown
}

// keySet is one set of keys as the page shows it.
type keySet struct {
	store.KerberosKeys
	Keys []keyRow
}

// keyRow is one key of a set: its service, version and encryption type, never the key
// itself.
type keyRow struct {
	store.KerberosEntry
	Type   string
	Served bool // browsers ask for it here
}

// showKerberos shows how a gateway takes tickets; of one that takes none, how it would.
func (c *console) showKerberos(k *call) error {
	g, err := c.gateway(k)
	if err != nil {
		return err
	}
	return c.renderKerberos(k, http.StatusOK, kerberosPage{Gateway: g, Form: kerberosFormOf(g.Kerberos)})
}

// kerberosFormOf returns the form of what is kept; nil: of what is usual.
func kerberosFormOf(kept *store.Kerberos) kerberosForm {
	if kept == nil {
		return kerberosForm{Retain: strconv.Itoa(kerberos.DefaultRetainMinutes)}
	}
	return kerberosForm{
		Retain:    strconv.Itoa(kept.RetainMinutes),
		Realms:    lines(kept.Realms),
		Networks:  lines(kept.Networks),
		Attribute: kept.Attribute,
		Value:     kept.Value,
		AllowRC4:  kept.AllowRC4,
		Account:   kept.ServiceAccount,
	}
}

// renderKerberos shows the form and the key sets. Of each key it says whether browsers
// ask tickets for it at this cloud: a keytab of another host's service looks right in
// all else.
func (c *console) renderKerberos(k *call, status int, page kerberosPage) error {
	sets, err := c.Store.KerberosKeys(k.Context(), k.env(), page.Gateway.ID, c.now())
	if err != nil {
		return err
	}
	if page.Form.Seen == "" {
		page.Form.Seen = seenAs(page.Gateway.UpdatedAt)
	}
	page.Services, page.TestPath = c.Services, "/"+k.env()+"/signon/ticket"
	for _, s := range c.Services {
		page.Hosts = append(page.Hosts, strings.TrimPrefix(s, "HTTP/"))
	}
	for _, s := range sets {
		set := keySet{KerberosKeys: s}
		for _, e := range s.Entries {
			served := s.Origin == kerberos.OriginPassword || c.serves(e.Principal)
			set.Keys = append(set.Keys, keyRow{e, kerberos.ETypeName(e.EType), served})
		}
		page.Sets = append(page.Sets, set)
	}
	return k.render(status, "kerberos", "Kerberos", page)
}

// serves tells whether browsers ask tickets for a service here.
// Case does not count, as it does not in names of hosts.
func (c *console) serves(principal string) bool {
	for _, s := range c.Services {
		if strings.EqualFold(s, principal) {
			return true
		}
	}
	return false
}

// saveKerberos writes how tickets are taken, and turns it on.
func (c *console) saveKerberos(k *call) error {
	form := kerberosForm{
		Retain:    k.posted("retain"),
		Realms:    k.posted("realms"),
		Networks:  k.posted("networks"),
		Attribute: k.posted("attribute"),
		Value:     k.posted("value"),
		AllowRC4:  k.posted("rc4") == "yes",
		Seen:      k.posted("seen"),
	}
	g, err := c.Management.ChangeGateway(k.Context(), k.by(), k.PathValue("g"), func(d *management.Draft) error {
		if err := unseen(&form.Seen, d.UpdatedAt, "gateway"); err != nil {
			return err
		}
		return form.into(d)
	})
	if wrong, ok := faults(err); ok {
		return c.againKerberos(k, form, wrong)
	}
	if err != nil {
		return err
	}
	return k.done(under("gateways", g.ID, "kerberos"), "Saved.")
}

// into makes how a gateway takes tickets what the form says.
// The account is not among its fields but beside the keys, and stays as it is.
func (f kerberosForm) into(d *management.Draft) (err error) {
	wanted := store.Kerberos{
		Realms:    strings.Fields(f.Realms),
		Networks:  strings.Fields(f.Networks),
		Attribute: f.Attribute,
		Value:     f.Value,
		AllowRC4:  f.AllowRC4,
	}
	if d.Kerberos != nil {
		wanted.ServiceAccount = d.Kerberos.ServiceAccount
	}
	if wanted.RetainMinutes, err = strconv.Atoi(f.Retain); err != nil {
		return fault.Of(fault.Retain, fault.Invalid, "Give a number of minutes.")
	}
	d.Kerberos = &wanted
	return nil
}

// againKerberos shows what was typed, with what is wrong with it.
// A password that was typed is not among it.
func (c *console) againKerberos(k *call, form kerberosForm, wrong map[string]string) error {
	g, err := c.gateway(k)
	if err != nil {
		return err
	}
	page := kerberosPage{Gateway: g, Form: form, Errors: wrong}
	return c.renderKerberos(k, http.StatusUnprocessableEntity, page)
}

// addKeys puts a keytab, or the keys of an account's password, in use. A gateway
// that took no tickets does from then on.
func (c *console) addKeys(k *call) error {
	n, err := readKeys(k)
	if err != nil {
		return err
	}
	gateway := k.PathValue("g")
	_, err = c.Management.UseKeys(k.Context(), k.by(), gateway, n)
	if wrong, ok := faults(err); ok {
		g, err := c.gateway(k)
		if err != nil {
			return err
		}
		form := kerberosFormOf(g.Kerberos)
		form.Account = n.Account
		return c.againKerberos(k, form, wrong)
	}
	if err != nil {
		return err
	}
	return k.done(under("gateways", gateway, "kerberos"), "The new keys are in use.")
}

// readKeys returns the file of a form, else the account and its password.
// A form for a file without one has an empty keytab and not nil, so that it is a keytab
// that is wrong and not a password that is missing.
func readKeys(k *call) (n kerberos.NewKeys, err error) {
	n = kerberos.NewKeys{Account: k.posted("account"), Password: k.PostForm.Get("password")}
	file, _, err := k.FormFile("keytab") // reads the form when it came in parts
	if err == nil {
		defer file.Close()
		n.Keytab, err = io.ReadAll(file)
	}
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		err = nil
	}
	if k.MultipartForm != nil && n.Keytab == nil {
		n.Keytab = []byte{}
	}
	return n, err
}

// deleteKeys deletes a set of keys before its time is over, as when they became known
// to others.
func (c *console) deleteKeys(k *call) error {
	gateway := k.PathValue("g")
	if err := c.Management.DeleteKeys(k.Context(), k.by(), gateway, k.PathValue("id")); err != nil {
		return err
	}
	return k.done(
		under("gateways", gateway, "kerberos"),
		"The keys were deleted: tickets made with them are not taken any more.",
	)
}

// stopKerberos turns it off, and forgets every key.
// To take tickets again it needs keys anew.
func (c *console) stopKerberos(k *call) error {
	gateway := k.PathValue("g")
	if err := c.Management.StopKerberos(k.Context(), k.by(), gateway); err != nil {
		return err
	}
	return k.done(under("gateways", gateway, "kerberos"), "This gateway takes no tickets any more.")
}
