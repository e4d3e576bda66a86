package console

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"ldap-gateway/cloud/api"
	"ldap-gateway/cloud/kerberos"
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
}

// keySet is one set of keys as the page shows it.
type keySet struct {
	store.KerberosKeys
	Keys []keyRow
}

type keyRow struct {
	store.KerberosEntry
	Type   string
	Served bool // browsers ask for it here
}

func (c *console) showKerberos(k *call) error {
	g, err := c.gateway(k)
	if err != nil {
		return err
	}
	return c.renderKerberos(k, http.StatusOK, kerberosPage{Gateway: g, Form: kerberosFormOf(g.Kerberos)})
}

func kerberosFormOf(kept *store.Kerberos) kerberosForm {
	if kept == nil {
		return kerberosForm{Retain: strconv.Itoa(kerberos.DefaultRetainMinutes)}
	}
	return kerberosForm{Retain: strconv.Itoa(kept.RetainMinutes), Realms: lines(kept.Realms), Networks: lines(kept.Networks), Attribute: kept.Attribute,
		Value: kept.Value, AllowRC4: kept.AllowRC4, Account: kept.ServiceAccount}
}

func (c *console) renderKerberos(k *call, status int, page kerberosPage) error {
	sets, err := c.Store.KerberosKeys(k.Context(), k.env(), page.Gateway.ID, c.now())
	if err != nil {
		return err
	}
	page.Services, page.TestPath = c.Services, "/"+k.env()+"/signon/ticket"
	for _, s := range c.Services {
		page.Hosts = append(page.Hosts, strings.TrimPrefix(s, "HTTP/"))
	}
	for _, s := range sets {
		set := keySet{KerberosKeys: s}
		for _, e := range s.Entries {
			set.Keys = append(set.Keys, keyRow{e, kerberos.ETypeName(e.EType), s.Origin == kerberos.OriginPassword || c.serves(e.Principal)})
		}
		page.Sets = append(page.Sets, set)
	}
	return k.render(status, "kerberos", "Kerberos", page)
}

// serves tells whether browsers ask tickets for a service here.
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
	g, err := c.gateway(k)
	if err != nil {
		return err
	}
	page := kerberosPage{Gateway: g, Errors: map[string]string{}, Form: kerberosForm{Retain: k.posted("retain"), Realms: k.posted("realms"), Networks: k.posted("networks"),
		Attribute: k.posted("attribute"), Value: k.posted("value"), AllowRC4: k.posted("rc4") == "yes"}}
	wanted := store.Kerberos{Realms: strings.Fields(page.Form.Realms), Networks: strings.Fields(page.Form.Networks), Attribute: page.Form.Attribute, Value: page.Form.Value, AllowRC4: page.Form.AllowRC4}
	if g.Kerberos != nil {
		wanted.ServiceAccount = g.Kerberos.ServiceAccount
	}
	if wanted.RetainMinutes, err = strconv.Atoi(page.Form.Retain); err != nil {
		page.Errors["retain"] = "Give a number of minutes."
	}
	for _, d := range api.CheckKerberos(&wanted) {
		page.Errors[fieldOfKerberos(d.Target)] = d.Message
	}
	if len(page.Errors) > 0 {
		return c.renderKerberos(k, http.StatusUnprocessableEntity, page)
	}
	g.Kerberos = &wanted
	noting := k.noting(func() note {
		return note{"gateway.updated", "gateway:" + g.ID, "how gateway " + g.Name + " takes Kerberos tickets was changed", nil}
	})
	if err := noting.UpdateGateway(k.Context(), &g); err != nil {
		return err
	}
	return k.done(under("gateways", g.ID, "kerberos"), "Saved.")
}

// fieldOfKerberos returns the form's field for a property of the API.
func fieldOfKerberos(target string) string {
	for prefix, field := range map[string]string{"kerberos.minutes": "retain", "kerberos.realms": "realms", "kerberos.networks": "networks", "kerberos.principal": "value"} {
		if strings.HasPrefix(target, prefix) {
			return field
		}
	}
	return "form"
}

// addKeys puts a keytab, or the keys of an account's password, in use. A gateway
// that took no tickets does from then on.
func (c *console) addKeys(k *call) error {
	g, err := c.gateway(k)
	if err != nil {
		return err
	}
	n := kerberos.NewKeys{Account: k.posted("account"), Password: k.PostForm.Get("password"), By: "admin:" + k.admin.Name}
	file, _, err := k.FormFile("keytab") // reads the form when it came in parts
	if err == nil {
		defer file.Close()
		n.Keytab, err = io.ReadAll(file)
	}
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		err = nil
	}
	if err != nil {
		return err
	}
	if k.MultipartForm != nil && n.Keytab == nil {
		n.Keytab = []byte{}
	}
	return c.useKeys(k, g, n)
}

func (c *console) useKeys(k *call, g store.Gateway, n kerberos.NewKeys) error {
	page := kerberosPage{Gateway: g, Form: kerberosFormOf(g.Kerberos)}
	if g.Kerberos == nil {
		g.Kerberos = &store.Kerberos{RetainMinutes: kerberos.DefaultRetainMinutes}
	}
	g.Kerberos.ServiceAccount = n.Account
	if err := n.Check(g.Kerberos.AllowRC4); err != nil {
		page.Form.Account = n.Account
		page.Errors = map[string]string{"keys": err.Error()}
		return c.renderKerberos(k, http.StatusUnprocessableEntity, page)
	}
	if err := c.Store.UpdateGateway(k.Context(), &g); err != nil {
		return err
	}
	set, err := c.Keys.Use(k.Context(), g, n)
	if err != nil {
		return err
	}
	k.did("kerberosKeys.replaced", "gateway:"+g.ID, "the Kerberos keys of gateway "+g.Name+" were replaced", map[string]any{"origin": set.Origin, "keys": set.Entries})
	return k.done(under("gateways", g.ID, "kerberos"), "The new keys are in use.")
}

func (c *console) deleteKeys(k *call) error {
	g, err := c.gateway(k)
	if err != nil {
		return err
	}
	noting := k.noting(func() note {
		return note{"kerberosKeys.deleted", "gateway:" + g.ID, "Kerberos keys of gateway " + g.Name + " were deleted", nil}
	})
	if err := noting.DeleteKerberosKeys(k.Context(), k.env(), g.ID, k.PathValue("id")); err != nil {
		return err
	}
	return k.done(under("gateways", g.ID, "kerberos"), "The keys were deleted: tickets made with them are not taken any more.")
}

// stopKerberos turns it off, and forgets every key.
func (c *console) stopKerberos(k *call) error {
	g, err := c.gateway(k)
	if err != nil {
		return err
	}
	g.Kerberos = nil
	noting := k.noting(func() note {
		return note{"gateway.updated", "gateway:" + g.ID, "gateway " + g.Name + " takes no Kerberos tickets any more", nil}
	})
	if err := noting.UpdateGateway(k.Context(), &g); err != nil {
		return err
	}
	if err := c.Store.DeleteKerberosKeys(k.Context(), k.env(), g.ID, ""); err != nil {
		return err
	}
	return k.done(under("gateways", g.ID, "kerberos"), "This gateway takes no tickets any more.")
}
