package management_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/idp/idptest"
	"ldap-gateway/cloud/idp/samlsp"
	m "ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// brought makes a just-in-time group of an identity provider.
func (w *world) brought(p store.IdentityProvider, name string) store.Group {
	w.t.Helper()
	g := store.Group{EnvironmentID: w.env, Name: name, SourceType: store.SourceIDP, SourceID: p.ID}
	must(w.t, w.Store.Provision(w.t.Context(), func(tx *store.Tx) error {
		return tx.CreateGroups(w.t.Context(), []*store.Group{&g})
	}))
	return g
}

// faulty returns what is wrong, by field and kind.
func faulty(err error) string {
	var l fault.List
	if !errors.As(err, &l) {
		return fmt.Sprint("no fault: ", err)
	}
	var all []string
	for _, f := range l {
		all = append(all, fmt.Sprint(f.Field, " ", f.Kind))
	}
	return strings.Join(all, ", ")
}

// TestProviderGoesOnlyAsked goes, with whatever hangs on it, only by force.
func TestProviderGoesOnlyAsked(t *testing.T) {
	h := open(t)
	for name, hang := range map[string]func(w *world) m.DependentsError{
		"a group and nobody": func(w *world) m.DependentsError {
			w.brought(w.saml, "plain")
			return m.DependentsError{Groups: 1}
		},
		"a group that gives a role": func(w *world) m.DependentsError {
			g := w.brought(w.saml, "chiefs")
			w.give(g, store.RoleOwner)
			return m.DependentsError{Groups: 1, Roles: []store.NamedRole{{GroupID: g.ID, Name: "chiefs", Role: store.RoleOwner}}}
		},
		"one person twice": func(w *world) m.DependentsError {
			for _, subject := range []string{"a", "b"} {
				must(t, w.Store.LinkAccount(t.Context(), &store.LinkedAccount{
					EnvironmentID: w.env, ProviderID: w.saml.ID, UserID: w.user.ID, Subject: store.Subject{ID: subject}}))
			}
			return m.DependentsError{Users: 1}
		},
	} {
		w, ctx := h.world(), t.Context()
		by := w.as(store.RoleOwner)
		want := hang(w)
		var e *m.DependentsError
		err := w.DeleteProvider(ctx, by, w.saml.ID, false, nil)
		if !errors.As(err, &e) || !e.Provider || e.Users != want.Users || len(e.Some) != want.Users || e.Groups != want.Groups ||
			fmt.Sprint(e.Roles) != fmt.Sprint(want.Roles) || !errors.Is(err, store.ErrDependents) {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
		must(t, w.DeleteProvider(ctx, by, w.saml.ID, true, nil))
	}
	w := h.world()
	must(t, w.DeleteProvider(t.Context(), w.as(store.RoleOwner), w.saml.ID, false, nil))
}

// changes of an identity provider after which a subject may be somebody else.
var others = map[fault.Field]struct {
	of     func(w *world) string
	change func(c *store.ProviderConfig)
}{
	fault.Issuer: {
		func(w *world) string { return w.provider.ID },
		func(c *store.ProviderConfig) { c.OIDC.Issuer = "https://other.example.com" },
	},
	fault.ClientID: {
		func(w *world) string { return w.provider.ID },
		func(c *store.ProviderConfig) { c.OIDC.ClientID = "another" },
	},
	fault.NameIDFormat: {
		func(w *world) string { return w.saml.ID },
		func(c *store.ProviderConfig) {
			c.SAML.NameIDFormat = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
		},
	},
	fault.EntityID: {
		func(w *world) string { return w.saml.ID },
		func(c *store.ProviderConfig) { c.SAML.EntityID += "/other" },
	},
	fault.SubjectFrom: {
		func(w *world) string { return w.saml.ID },
		func(c *store.ProviderConfig) { c.SAML.SubjectFrom = "employeeNumber" },
	},
}

// TestSubjectsOfOthers are not the same people by the way.
func TestSubjectsOfOthers(t *testing.T) {
	h := open(t)
	for field, c := range others {
		w, ctx := h.world(), t.Context()
		by, id := w.as(store.RoleOwner), c.of(w)
		if id == w.saml.ID {
			l := store.LinkedAccount{ProviderID: id, UserID: w.user.ID, Subject: store.Subject{ID: "s"}}
			must(t, w.LinkAccount(ctx, by, &l))
		}
		save := func(people m.People, change func(c *store.ProviderConfig)) error {
			_, err := w.ChangeProvider(ctx, by, id, func(d *m.ProviderDraft) error {
				if d.People = people; d.Config.OIDC != nil {
					d.Secret = "s" // another client has another
				}
				change(&d.Config)
				return nil
			})
			return err
		}
		links := func() int {
			n, err := w.Store.LinkedUsers(ctx, w.env, id)
			must(t, err)
			return n
		}
		must(t, save(m.AskPeople, func(c *store.ProviderConfig) { c.TrustsMethods = true }))
		if got, want := faulty(save(m.AskPeople, c.change)), fmt.Sprint(field, " ", fault.Depended); got != want || links() != 1 {
			t.Errorf("%s: %s, %d links", field, got, links())
		}
		must(t, save(m.KeepPeople, c.change))
		if links() != 1 {
			t.Errorf("%s: the links are gone", field)
		}
		must(t, save(m.DropPeople, func(c *store.ProviderConfig) { c.TellsUsername = true }))
		if links() != 1 {
			t.Errorf("%s: the links are gone though nobody is another", field)
		}
		back := func(c *store.ProviderConfig) {
			if c.OIDC != nil {
				c.OIDC.Issuer, c.OIDC.ClientID = "https://third.example.com", "third"
			} else {
				c.SAML.EntityID, c.SAML.SubjectFrom = "https://third.example.com", ""
			}
		}
		must(t, save(m.DropPeople, back))
		if u, err := w.Store.User(ctx, w.env, w.user.ID); links() != 0 || err != nil || u.SignOffs == 0 {
			t.Errorf("%s: %d links, signed off %d times, %v", field, links(), u.SignOffs, err)
		}
		must(t, save(m.AskPeople, c.change)) // there is nobody to ask for
	}
}

// TestCoreMappingStays with its ID, whichever way a face takes it off.
func TestCoreMappingStays(t *testing.T) {
	h := open(t)
	for name, c := range map[string]struct {
		change func(d *m.ProviderDraft)
		wrong  bool
	}{
		"deleted":           {func(d *m.ProviderDraft) { d.Mappings = d.Mappings[1:] }, true},
		"made anew":         {func(d *m.ProviderDraft) { d.Mappings[0].ID = "" }, true},
		"with another name": {func(d *m.ProviderDraft) { d.Mappings[0].Name = "nickname" }, true},
		"all deleted":       {func(d *m.ProviderDraft) { d.Mappings = nil }, true},
		"in another case":   {func(d *m.ProviderDraft) { d.Mappings[0].Name = "UserName" }, false},
		"with another rule": {func(d *m.ProviderDraft) { d.Mappings[0].Update = store.Always }, false},
		"the other renamed": {func(d *m.ProviderDraft) { d.Mappings[1].Name = "name.given" }, false},
	} {
		w, ctx := h.world(), t.Context()
		p, err := w.ChangeProvider(ctx, w.as(store.RoleOwner), w.provider.ID, func(d *m.ProviderDraft) error {
			c.change(d)
			return nil
		})
		if c.wrong {
			if got := faulty(err); got != fmt.Sprint(fault.ClaimName, " ", fault.ReadOnly) {
				t.Errorf("%s: %s", name, got)
			}
			continue
		}
		if err != nil || p.Mappings[0].ID != w.provider.Mappings[0].ID || p.Mappings[0].Name != "username" ||
			p.Mappings[1].ID != w.provider.Mappings[1].ID {
			t.Errorf("%s: %+v %v", name, p.Mappings, err)
		}
	}
}

// TestOneAccountOfAProvider is all that a user has: each sign-on takes away the groups
// that another would bring.
func TestOneAccountOfAProvider(t *testing.T) {
	w, ctx := open(t).world(), t.Context()
	by := w.as(store.RoleOwner)
	for _, s := range []store.Subject{{ID: "s-2"}, {ID: "s-1"}, {ID: "s-1", Qualifiers: "q"}} {
		l := store.LinkedAccount{ProviderID: w.provider.ID, UserID: w.user.ID, Subject: s}
		if got := faulty(w.LinkAccount(ctx, by, &l)); got != fmt.Sprint(fault.Provider, " ", fault.Taken) {
			t.Errorf("%v: %s", s, got)
		}
	}
	must(t, w.LinkAccount(ctx, by, &store.LinkedAccount{ProviderID: w.saml.ID, UserID: w.user.ID, Subject: store.Subject{ID: "s-1"}}))
	must(t, w.UnlinkAccount(ctx, by, w.user.ID, w.link.ID, nil))
	must(t, w.LinkAccount(ctx, by, &store.LinkedAccount{ProviderID: w.provider.ID, UserID: w.user.ID, Subject: store.Subject{ID: "s-2"}}))
}

// described is metadata as it was read.
func described(entityID string, signed bool) samlsp.Described {
	d := samlsp.Described{
		EntityID:    entityID,
		Endpoint:    "https://idp.example.com/sso",
		Binding:     samlsp.Redirect,
		WantsSigned: signed,
	}
	d.Certificates = append(d.Certificates, idptest.NewPair(time.Now().Add(time.Hour)).Cert)
	return d
}

func (w *world) imports(ctx context.Context, by m.By, name string, from samlsp.Described) (store.IdentityProvider, error) {
	d := m.ProviderDraft{IdentityProvider: store.IdentityProvider{Name: name, Type: store.SAML, Config: store.ProviderConfig{
		SAML: &store.SAMLConfig{EntityID: from.EntityID, Endpoint: from.Endpoint, Binding: from.Binding},
	}}}
	err := w.CreateProviderWith(ctx, by, &d, from)
	return d.IdentityProvider, err
}

// TestProviderOfMetadata has what its metadata asks for, and takes along what came by it.
func TestProviderOfMetadata(t *testing.T) {
	w, ctx := open(t).world(), t.Context()
	by := w.as(store.RoleOwner)
	long := "https://idp.example.com/" + strings.Repeat("ä", 400)
	p, err := w.imports(ctx, by, "", described(long, true))
	s := p.Config.SAML
	if err != nil || p.Name != string([]rune(long)[:200]) || s.EntityID != long {
		t.Fatalf("%q %v", p.Name, err)
	}
	if len(s.CertificateIDs) != 1 || fmt.Sprint(s.CertificateIDs) != fmt.Sprint(s.FromMetadata) || !s.SignsRequests {
		t.Errorf("%+v", s)
	}
	if own, err := w.Store.Certificate(ctx, w.env, s.KeyID); err != nil || len(own.Sealed) == 0 {
		t.Errorf("%+v %v", own, err)
	}
	_, err = w.imports(ctx, by, strings.Repeat("n", 201), described("https://other.example.com", false))
	if got := faulty(err); got != fmt.Sprint(fault.Name, " ", fault.Invalid) {
		t.Errorf("a name that somebody typed: %s", got)
	}
	plain, err := w.imports(ctx, by, "plain", described("https://other.example.com", false))
	if err != nil || plain.Config.SAML.SignsRequests || plain.Config.SAML.KeyID != "" {
		t.Errorf("%+v %v", plain.Config.SAML, err)
	}
	changed, err := w.ChangeProvider(ctx, by, p.ID, func(d *m.ProviderDraft) error {
		c := *d.Config.SAML // as a client sends it, which knows nothing of where they came from
		c.FromMetadata, c.CertificateIDs = nil, append(c.CertificateIDs, w.used.ID)
		d.Config.SAML = &c
		return nil
	})
	if err != nil || fmt.Sprint(changed.Config.SAML.FromMetadata) != fmt.Sprint(s.FromMetadata) {
		t.Errorf("%+v %v", changed.Config.SAML, err)
	}
	must(t, w.DeleteProvider(ctx, by, p.ID, false, nil))
	if _, err := w.Store.Certificate(ctx, w.env, s.CertificateIDs[0]); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("what came by metadata stays: %v", err)
	}
	if _, err := w.Store.Certificate(ctx, w.env, w.used.ID); err != nil {
		t.Errorf("what somebody added is gone: %v", err)
	}
}

// TestKeysAsAskedFor are made so, or refused by name.
func TestKeysAsAskedFor(t *testing.T) {
	w, ctx := open(t).world(), t.Context()
	by := w.as(store.RoleOwner)
	for _, c := range []struct {
		draft m.KeyDraft
		wrong fault.Field
	}{
		{m.KeyDraft{Bits: 1024}, fault.KeyLength},
		{m.KeyDraft{Bits: 2047}, fault.KeyLength},
		{m.KeyDraft{Bits: 8192}, fault.KeyLength},
		{m.KeyDraft{Bits: -2048}, fault.KeyLength},
		{m.KeyDraft{Days: -1}, fault.KeyLife},
		{m.KeyDraft{Days: 100000}, fault.KeyLife},
	} {
		if _, err := w.MakeKey(ctx, by, c.draft); faulty(err) != fmt.Sprint(c.wrong, " ", fault.Invalid) {
			t.Errorf("%+v: %v", c.draft, err)
		}
	}
}

// TestFormatThatNobodyReads: where an attribute identifies people, name IDs do not, and
// the persistent format is the one that is asked for without any.
func TestFormatThatNobodyReads(t *testing.T) {
	w := open(t).world()
	ctx, by := t.Context(), w.as(store.RoleOwner)
	l := store.LinkedAccount{ProviderID: w.saml.ID, UserID: w.user.ID, Subject: store.Subject{ID: "s"}}
	must(t, w.LinkAccount(ctx, by, &l))
	change := func(people m.People, from, format string) error {
		_, err := w.ChangeProvider(ctx, by, w.saml.ID, func(d *m.ProviderDraft) error {
			d.People, d.Config.SAML.SubjectFrom, d.Config.SAML.NameIDFormat = people, from, format
			return nil
		})
		return err
	}
	must(t, change(m.AskPeople, "", samlsp.Persistent))
	must(t, change(m.KeepPeople, "uid", samlsp.Persistent))
	must(t, change(m.AskPeople, "uid", "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"))
}

// TestProviderGetsItsCertificateOrNothingIsKept, and the same of a key.
func TestProviderGetsItsCertificateOrNothingIsKept(t *testing.T) {
	w := open(t).world()
	ctx, by := t.Context(), w.as(store.RoleOwner)
	kept := func() int {
		all, _, err := w.Store.Certificates(ctx, w.env, store.Page{Limit: store.MaxLimit})
		must(t, err)
		return len(all)
	}
	add := func(id string) error {
		_, err := w.AddProviderCertificate(ctx, by, id, idptest.NewPair(time.Now().Add(time.Hour)).Cert.Raw)
		return err
	}
	before := kept()
	for _, id := range []string{w.provider.ID, "none"} {
		if err := add(id); !errors.Is(err, store.ErrNotFound) || kept() != before {
			t.Errorf("%s: %d more, %v", id, kept()-before, err)
		}
	}
	if _, err := w.MakeProviderKey(ctx, by, "none", m.KeyDraft{}); !errors.Is(err, store.ErrNotFound) || kept() != before {
		t.Errorf("%d more, %v", kept()-before, err)
	}
	p, err := w.Store.IdentityProvider(ctx, w.env, w.saml.ID)
	must(t, err)
	for range samlsp.MostCertificates - len(p.Config.SAML.CertificateIDs) {
		must(t, add(w.saml.ID))
	}
	before = kept()
	if err := add(w.saml.ID); faulty(err) == "" || kept() != before {
		t.Errorf("%d more than may be, %v", kept()-before, err)
	}
	p, err = w.MakeProviderKey(ctx, by, w.saml.ID, m.KeyDraft{Bits: 2048})
	if err != nil || kept() != before+1 || p.Config.SAML.KeyID == "" {
		t.Errorf("%d more, %+v, %v", kept()-before, p.Config.SAML, err)
	}
	for _, role := range []store.Role{store.RoleIdentityAdmin, store.RoleReadOnly} {
		_, err := w.AddProviderCertificate(ctx, w.as(role), w.saml.ID, w.certificate.DER)
		_, other := w.MakeProviderKey(ctx, w.as(role), w.saml.ID, m.KeyDraft{})
		if !errors.Is(err, m.ErrRole) || !errors.Is(other, m.ErrRole) {
			t.Errorf("%s: %v %v", role, err, other)
		}
	}
}

// TestDomainOfAFarProvider is taken, however many there are between.
func TestDomainOfAFarProvider(t *testing.T) {
	w := open(t).world()
	ctx, by := t.Context(), w.as(store.RoleOwner)
	var list []store.IdentityProvider
	for i := range store.MaxLimit + 1 {
		list = append(list, store.IdentityProvider{EnvironmentID: w.env, Name: fmt.Sprintf("far %04d", i), Type: store.OpenIDConnect})
	}
	last := &list[store.MaxLimit]
	last.Name, last.Config.Domains = "zzz", []string{"Far.Example.org"}
	for i := range list {
		must(t, w.Store.CreateIdentityProvider(ctx, &list[i]))
	}
	_, err := w.ChangeProvider(ctx, by, w.provider.ID, func(d *m.ProviderDraft) error {
		d.Config.Domains = []string{"far.example.org"}
		return nil
	})
	if got, want := faulty(err), fmt.Sprint(fault.Domains, " ", fault.Taken); got != want {
		t.Error(got)
	}
}
