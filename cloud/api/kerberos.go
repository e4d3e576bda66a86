package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"ldap-gateway/cloud/kerberos"
	"ldap-gateway/cloud/store"
)

// KeyKeeper puts the keys of Kerberos services in use.
type KeyKeeper interface {
	// Use seals new keys of a gateway. Its error wraps kerberos.ErrKeys when
	// they are none.
	Use(ctx context.Context, g store.Gateway, n kerberos.NewKeys) (store.KerberosKeys, error)
}

// kerberosForm is what a client may write of a gateway's Kerberos. Those from
// Realms on are ours.
type kerberosForm struct {
	ServiceAccount string   `json:"serviceAccountUserPrincipalName,omitempty"`
	Password       string   `json:"serviceAccountPassword,omitempty"` // never shown
	RetainMinutes  *int     `json:"minutesToRetainPreviousCredentials,omitempty"`
	Realms         []string `json:"realms,omitempty"`
	AllowRC4       bool     `json:"allowRC4,omitempty"`
	Attribute      string   `json:"principalAttribute,omitempty"`
	Value          string   `json:"principalValue,omitempty"`
	Networks       []string `json:"networks,omitempty"`
}

// kerberosFormOf returns nil when the gateway takes no tickets.
func kerberosFormOf(k *store.Kerberos) *kerberosForm {
	if k == nil {
		return nil
	}
	return &kerberosForm{ServiceAccount: k.ServiceAccount, RetainMinutes: &k.RetainMinutes, Realms: k.Realms, AllowRC4: k.AllowRC4,
		Attribute: k.Attribute, Value: k.Value, Networks: k.Networks}
}

// value is the form as it is kept.
func (f *kerberosForm) value() *store.Kerberos {
	if f == nil {
		return nil
	}
	k := &store.Kerberos{ServiceAccount: f.ServiceAccount, RetainMinutes: kerberos.DefaultRetainMinutes, Realms: f.Realms, AllowRC4: f.AllowRC4,
		Attribute: f.Attribute, Value: f.Value, Networks: f.Networks}
	if f.RetainMinutes != nil {
		k.RetainMinutes = *f.RetainMinutes
	}
	if k.Attribute != "" && k.Value == "" {
		k.Value = "${principal}"
	}
	return k
}

// checkKerberos says what is wrong with how a gateway takes tickets.
func checkKerberos(k *store.Kerberos) (d []detail) {
	if k == nil {
		return nil
	}
	if k.RetainMinutes < 0 || k.RetainMinutes > kerberos.MostRetainMinutes {
		d = append(d, wrong("kerberos.minutesToRetainPreviousCredentials", "It must be from 0, which is not at all, to %d.", kerberos.MostRetainMinutes))
	}
	if k.Attribute != "" && !strings.Contains(k.Value, "${principal}") {
		d = append(d, wrong("kerberos.principalValue", "It must have ${principal} in it, or everybody would be one person."))
	}
	for i, n := range k.Networks {
		if _, err := netip.ParsePrefix(n); err != nil {
			d = append(d, wrong(fmt.Sprintf("kerberos.networks[%d]", i), "%q is not a network, as in 10.0.0.0/8.", n))
		}
	}
	for i, r := range k.Realms {
		if r == "" || r != strings.ToUpper(r) {
			d = append(d, wrong(fmt.Sprintf("kerberos.realms[%d]", i), "A realm is in capitals, as in CORP.EXAMPLE.COM."))
		}
	}
	return d
}

// checkAccount says what is wrong with a service account. Without a password the
// keys of before stay in use, so it must be the account of before.
func (f *kerberosForm) checkAccount(before *store.Kerberos) (d []detail) {
	if f == nil {
		return nil
	}
	name, suffix, _ := strings.Cut(f.ServiceAccount, "@")
	known := before != nil && before.ServiceAccount == f.ServiceAccount
	switch {
	case f.ServiceAccount == "" && f.Password == "":
	case name == "" || suffix == "":
		d = append(d, wrong("kerberos.serviceAccountUserPrincipalName", "It must be a user principal name, as in svc-sso@corp.example.com."))
	case f.Password == "" && !known:
		d = append(d, missing("kerberos.serviceAccountPassword"))
	}
	return d
}

// useAccount puts the keys of a service account's password in use, if one was given.
func (s *Server) useAccount(c *call, g store.Gateway, f *kerberosForm) error {
	if f == nil || f.Password == "" {
		return nil
	}
	return s.useKeys(c, g, kerberos.NewKeys{Account: f.ServiceAccount, Password: f.Password}, new(store.KerberosKeys))
}

func (s *Server) useKeys(c *call, g store.Gateway, n kerberos.NewKeys, k *store.KerberosKeys) (err error) {
	n.By = "client:" + c.client.ID
	*k, err = s.Keys.Use(c.Context(), g, n)
	if errors.Is(err, kerberos.ErrKeys) {
		return invalid(wrong("keytab", "%s.", err))
	}
	if err == nil {
		s.did(c, "kerberosKeys.replaced", "gateway:"+g.ID, "the Kerberos keys of gateway "+g.Name+" were replaced", map[string]any{"origin": k.Origin, "keys": k.Entries})
	}
	return err
}

// keysBody is a set of keys, without the keys.
type keysBody struct {
	Links     links      `json:"_links"`
	ID        string     `json:"id"`
	Origin    string     `json:"origin"`
	InUse     bool       `json:"inUse"`
	Keys      []keyBody  `json:"keys"`
	CreatedAt time.Time  `json:"createdAt"`
	CreatedBy string     `json:"createdBy"`
	ExpiresAt *time.Time `json:"expiresAt,omitempty"`
}

type keyBody struct {
	Principal string `json:"principal"`
	Realm     string `json:"realm"`
	KVNO      uint32 `json:"kvno,omitempty"`
	EType     string `json:"encryptionType"`
}

func showKeys(c *call, k store.KerberosKeys) keysBody {
	b := keysBody{Links: c.self("gateways", k.GatewayID, "kerberosKeys", k.ID), ID: k.ID, Origin: k.Origin, InUse: k.ExpiresAt.IsZero(), CreatedAt: k.CreatedAt, CreatedBy: k.CreatedBy}
	for _, e := range k.Entries {
		b.Keys = append(b.Keys, keyBody{e.Principal, e.Realm, e.KVNO, kerberos.ETypeName(e.EType)})
	}
	if !b.InUse {
		b.ExpiresAt = &k.ExpiresAt
	}
	return b
}

func (s *Server) listKeys(c *call) (reply, error) {
	g, _, err := s.gatewayOf(c)
	if err != nil {
		return reply{}, err
	}
	all, err := s.Store.KerberosKeys(c.Context(), c.env, g.ID, s.now())
	if err != nil {
		return reply{}, err
	}
	return listed(c, "kerberosKeys", all, "", func(k store.KerberosKeys) keysBody { return showKeys(c, k) })
}

// createKeys takes a keytab. A gateway that took no tickets does from then on.
func (s *Server) createKeys(c *call) (reply, error) {
	g, _, err := s.gatewayOf(c)
	if err != nil {
		return reply{}, err
	}
	var form struct {
		Keytab []byte `json:"keytab"` // base64
	}
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	if _, err := kerberos.FromKeytab(form.Keytab); err != nil {
		return reply{}, invalid(wrong("keytab", "%s.", err))
	}
	if g.Kerberos == nil || g.Kerberos.ServiceAccount != "" {
		g.Kerberos = cmp.Or(g.Kerberos, (&kerberosForm{}).value())
		g.Kerberos.ServiceAccount = ""
		if err := s.saveGateway(c, &g); err != nil {
			return reply{}, err
		}
	}
	var keys store.KerberosKeys
	if err := s.useKeys(c, g, kerberos.NewKeys{Keytab: form.Keytab}, &keys); err != nil {
		return reply{}, err
	}
	return created(showKeys(c, keys))
}

func (s *Server) deleteKeys(c *call) (reply, error) {
	g, _, err := s.gatewayOf(c)
	if err != nil {
		return reply{}, err
	}
	noting := s.noting(c, func() note {
		return note{"kerberosKeys.deleted", "gateway:" + g.ID, "Kerberos keys of gateway " + g.Name + " were deleted", nil}
	})
	return gone(noting.DeleteKerberosKeys(c.Context(), c.env, g.ID, c.PathValue("id")))
}

// applicationEndpoints lists what there is of applications and keys.
func (s *Server) applicationEndpoints() map[string]endpoint {
	return map[string]endpoint{
		"GET /{e}/applications":                      s.listApplications,
		"POST /{e}/applications":                     s.createApplication,
		"GET /{e}/applications/{a}":                  s.getApplication,
		"PUT /{e}/applications/{a}":                  s.putApplication,
		"DELETE /{e}/applications/{a}":               s.deleteApplication,
		"POST /{e}/applications/{a}/secret":          s.makeSecret,
		"GET /{e}/gateways/{g}/kerberosKeys":         s.listKeys,
		"POST /{e}/gateways/{g}/kerberosKeys":        s.createKeys,
		"DELETE /{e}/gateways/{g}/kerberosKeys/{id}": s.deleteKeys,
	}
}
