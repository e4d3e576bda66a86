package administrators

import (
	"encoding/json"
	"errors"
	"testing"

	"ldap-gateway/cloud/store"
)

// add makes a passkey of the administrator, and keeps it.
func (o *office) add(a *authenticator) store.Passkey {
	o.t.Helper()
	p, err := o.make(a)
	must(o.t, err)
	must(o.t, o.Store.AddPasskey(o.t.Context(), &p))
	return p
}

func (o *office) make(a *authenticator) (store.Passkey, error) {
	o.t.Helper()
	c, err := o.AskNewPasskey(o.t.Context(), o.admin)
	must(o.t, err)
	return o.NewPasskey(o.t.Context(), o.admin, c.State, a.create(c.Options), "Blue key")
}

func (o *office) signIn(a *authenticator) (store.Administrator, error) {
	o.t.Helper()
	c, err := o.AskPasskey()
	must(o.t, err)
	return o.CheckPasskey(o.t.Context(), c.State, a.get(c.Options))
}

func TestPasskeyIsMadeAndSignsIn(t *testing.T) {
	o, a := newOffice(t), newAuthenticator(t)
	p := o.add(a)
	if p.AdministratorID != o.admin.ID || p.EnvironmentID != o.admin.EnvironmentID || p.Name != "Blue key" ||
		len(p.Credential) == 0 {
		t.Errorf("%+v", p)
	}
	who, err := o.signIn(a)
	if err != nil || who.ID != o.admin.ID {
		t.Errorf("%+v, %v", who, err)
	}
	kept, err := o.Store.Passkey(t.Context(), p.ID)
	if err != nil || !kept.UsedAt.Equal(o.now) {
		t.Errorf("%+v, %v", kept, err)
	}
	c, err := o.AskNewPasskey(t.Context(), o.admin)
	must(t, err)
	if q := a.read(c.Options); len(q.Exclude) != 1 || q.Exclude[0].ID != encode(a.id) || q.RP.ID != "id.example.com" {
		t.Errorf("a second one may be made on the same key: %+v", q)
	}
}

// What is not the answer to the question that was asked, by this site, of a verified
// holder, makes no passkey.
func TestPasskeysThatAreNotMade(t *testing.T) {
	for name, spoil := range map[string]func(a *authenticator){
		"another site":      func(a *authenticator) { a.origin = "https://evil.example.com" },
		"no TLS":            func(a *authenticator) { a.origin = "http://id.example.com" },
		"another question":  func(a *authenticator) { a.challenge = []byte("0123456789abcdef0123456789abcdef") },
		"nobody's PIN":      func(a *authenticator) { a.unverified = true },
		"a site as a name":  func(a *authenticator) { a.origin = "https://id.example.com.evil.example" },
		"a port of its own": func(a *authenticator) { a.origin = "https://id.example.com:8443" },
	} {
		o, a := newOffice(t), newAuthenticator(t)
		spoil(a)
		_, err := o.make(a)
		unproven(t, name, err)
	}
	o, a := newOffice(t), newAuthenticator(t)
	c, err := o.AskNewPasskey(t.Context(), o.admin)
	must(t, err)
	for name, answer := range map[string][]byte{
		"nothing":         nil,
		"no JSON":         []byte("x"),
		"an empty object": []byte("{}"),
	} {
		_, err := o.NewPasskey(t.Context(), o.admin, c.State, answer, "x")
		unproven(t, name, err)
	}
	for name, state := range map[string][]byte{"nothing was asked": nil, "no state": []byte("x")} {
		_, err := o.NewPasskey(t.Context(), o.admin, state, a.create(c.Options), "x")
		unproven(t, name, err)
	}
	other := store.Administrator{EnvironmentID: o.admin.EnvironmentID, Name: "eve"}
	must(t, o.Store.CreateAdministrator(t.Context(), &other))
	_, err = o.NewPasskey(t.Context(), other, c.State, a.create(c.Options), "x")
	unproven(t, "somebody else's answer", err)
}

func TestPasskeysThatDoNotSignIn(t *testing.T) {
	for name, spoil := range map[string]func(o *office, a *authenticator){
		"another site":     func(_ *office, a *authenticator) { a.origin = "https://evil.example.com" },
		"another question": func(_ *office, a *authenticator) { a.challenge = []byte("0123456789abcdef0123456789abcdef") },
		"nobody's PIN":     func(_ *office, a *authenticator) { a.unverified = true },
		"another key":      func(_ *office, a *authenticator) { a.key = newAuthenticator(a.t).key },
		"an unknown key":   func(_ *office, a *authenticator) { a.id = []byte("unknown") },
		"another account":  func(_ *office, a *authenticator) { a.handle = []byte("eve") },
		"a copy":           func(_ *office, a *authenticator) { a.counter = 0 },
		"one that was removed": func(o *office, a *authenticator) {
			must(o.t, o.Store.DeletePasskey(o.t.Context(), o.admin.ID, encode(a.id)))
		},
		"one of an administrator who is no more": func(o *office, _ *authenticator) {
			second := store.Administrator{EnvironmentID: o.admin.EnvironmentID, Name: "eve", Role: store.RoleOwner}
			must(o.t, o.Store.CreateAdministrator(o.t.Context(), &second))
			must(o.t, o.Store.DeleteAdministrator(o.t.Context(), o.admin.EnvironmentID, o.admin.ID))
		},
	} {
		o, a := newOffice(t), newAuthenticator(t)
		o.add(a)
		_, err := o.signIn(a)
		must(t, err)
		_, err = o.signIn(a)
		must(t, err)
		spoil(o, a)
		_, err = o.signIn(a)
		unproven(t, name, err)
	}
	o, a := newOffice(t), newAuthenticator(t)
	o.add(a)
	c, err := o.AskPasskey()
	must(t, err)
	for name, answer := range map[string][]byte{
		"nothing":         nil,
		"no JSON":         []byte("x"),
		"an empty object": []byte("{}"),
	} {
		_, err := o.CheckPasskey(t.Context(), c.State, answer)
		unproven(t, name, err)
	}
	_, err = o.CheckPasskey(t.Context(), nil, a.get(c.Options))
	unproven(t, "nothing was asked", err)
}

// A passkey belongs to a host name: to the first of the console's addresses that has
// one and TLS, and this machine has one without. It is had at the origins of that name.
func TestPasskeySite(t *testing.T) {
	for _, c := range []struct {
		urls     []string
		want, at string
	}{
		{nil, "", ""},
		{[]string{"https://192.0.2.1"}, "", ""},
		{[]string{"https://[2001:db8::1]:8443"}, "", ""},
		{[]string{"::no address"}, "", ""},
		{[]string{"http://id.example.com"}, "", ""},
		{[]string{"http://localhost.example.com"}, "", ""},
		{[]string{"http://192.0.2.1", "http://id.example.com"}, "", ""},
		{[]string{"http://other.example.com", "https://id.example.com"}, "id.example.com", "https://id.example.com"},
		{[]string{"https://192.0.2.1", "https://id.example.com"}, "id.example.com", "https://id.example.com"},
		{[]string{"https://id.example.com", "https://other.example.com"}, "id.example.com", "https://id.example.com"},
		{[]string{"https://id.example.com", "http://id.example.com", "https://id.example.com:8443"}, "id.example.com",
			"https://id.example.com https://id.example.com:8443"},
		{[]string{"http://127.0.0.1:8080"}, "localhost", "http://localhost:8080"},
		{[]string{"http://127.0.0.1:8080", "http://localhost:8080"}, "localhost", "http://localhost:8080"},
		{[]string{"http://[::1]:8080"}, "localhost", "http://localhost:8080"},
		{[]string{"http://localhost:8080"}, "localhost", "http://localhost:8080"},
		{[]string{"http://id.localhost:8080"}, "id.localhost", "http://id.localhost:8080"},
	} {
		d := &Authenticator{URLs: c.urls}
		if got := d.PasskeySite(); got.Name != c.want || got.At() != c.at {
			t.Errorf("%v: %+v, want %q at %q", c.urls, got, c.want, c.at)
		}
		_, err := d.AskPasskey()
		if (c.want == "") != errors.Is(err, ErrNoPasskeys) {
			t.Errorf("%v: %v", c.urls, err)
		}
	}
	o := newOffice(t)
	o.URLs = nil
	if _, err := o.AskNewPasskey(t.Context(), o.admin); !errors.Is(err, ErrNoPasskeys) {
		t.Error(err)
	}
}

// A credential that cannot be read is a defect, and nobody's proof.
func TestSpoiltPasskey(t *testing.T) {
	o := newOffice(t)
	p := store.Passkey{
		ID:              "x",
		EnvironmentID:   o.admin.EnvironmentID,
		AdministratorID: o.admin.ID,
		Credential:      []byte("no JSON"),
	}
	must(t, o.Store.AddPasskey(t.Context(), &p))
	_, err := o.AskNewPasskey(t.Context(), o.admin)
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		t.Error(err)
	}
}
