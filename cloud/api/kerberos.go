package api

import (
	"time"

	"ldap-gateway/cloud/kerberos"
	"ldap-gateway/cloud/store"
)

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
	return &kerberosForm{
		ServiceAccount: k.ServiceAccount,
		RetainMinutes:  &k.RetainMinutes,
		Realms:         k.Realms,
		AllowRC4:       k.AllowRC4,
		Attribute:      k.Attribute,
		Value:          k.Value,
		Networks:       k.Networks,
	}
}

// value is the form as it is kept.
// A gateway without the object takes no tickets. With an attribute and no value the
// value is the principal as it came.
func (f *kerberosForm) value() *store.Kerberos {
	if f == nil {
		return nil
	}
	k := &store.Kerberos{
		ServiceAccount: f.ServiceAccount,
		RetainMinutes:  kerberos.DefaultRetainMinutes,
		Realms:         f.Realms,
		AllowRC4:       f.AllowRC4,
		Attribute:      f.Attribute,
		Value:          f.Value,
		Networks:       f.Networks,
	}
	if f.RetainMinutes != nil {
		k.RetainMinutes = *f.RetainMinutes
	}
	if k.Attribute != "" && k.Value == "" {
		k.Value = "${principal}"
	}
	return k
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

// The key itself is in no body. A version of 0 is not known, and left out.
type keyBody struct {
	Principal string `json:"principal"`
	Realm     string `json:"realm"`
	KVNO      uint32 `json:"kvno,omitempty"`
	EType     string `json:"encryptionType"`
}

// showKeys shows what is in a set of keys; one that was replaced has the time until
// which it is good.
func showKeys(c *call, k store.KerberosKeys) keysBody {
	b := keysBody{
		Links:     c.self("gateways", k.GatewayID, "kerberosKeys", k.ID),
		ID:        k.ID,
		Origin:    k.Origin,
		InUse:     k.ExpiresAt.IsZero(),
		CreatedAt: k.CreatedAt,
		CreatedBy: k.CreatedBy,
	}
	for _, e := range k.Entries {
		b.Keys = append(b.Keys, keyBody{e.Principal, e.Realm, e.KVNO, kerberos.ETypeName(e.EType)})
	}
	if !b.InUse {
		b.ExpiresAt = &k.ExpiresAt
	}
	return b
}

// listKeys answers with the keys in use and those that are still good, the newest
// first.
func (s *Server) listKeys(c *call) (reply, error) {
	g, _, err := s.gatewayOf(c)
	if err != nil {
		return reply{}, err
	}
	all, err := s.Store.KerberosKeys(c.Context(), c.env, g.ID, s.now())
	if err != nil {
		return reply{}, err
	}
	show := func(k store.KerberosKeys) keysBody { return showKeys(c, k) }
	return few(c, "kerberosKeys", all, show, "id", "origin", "inUse?")
}

// createKeys takes a keytab. A gateway that took no tickets does from then on.
// The keytab is copied out of the body, which is overwritten after it was read.
func (s *Server) createKeys(c *call) (reply, error) {
	var form struct {
		Keytab []byte `json:"keytab"` // base64
	}
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	n := kerberos.NewKeys{Keytab: append([]byte{}, form.Keytab...)}
	k, err := s.Management.UseKeys(c.Context(), c.by(), c.PathValue("g"), n)
	if err != nil {
		return reply{}, err
	}
	return created(showKeys(c, k))
}

// deleteKeys answers with 204; 404 for keys of another gateway as for none.
func (s *Server) deleteKeys(c *call) (reply, error) {
	return gone(s.Management.DeleteKeys(c.Context(), c.by(), c.PathValue("g"), c.PathValue("id")))
}
