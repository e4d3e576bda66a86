package store_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// provider adds an identity provider to the world's environment.
func (w world) provider(t testing.TB, s *store.Store, name string) store.IdentityProvider {
	t.Helper()
	p := store.IdentityProvider{
		EnvironmentID: w.env.ID,
		Name:          name,
		Type:          store.SAML,
		Enabled:       true,
		PopulationID:  w.population.ID,
		Config: store.ProviderConfig{
			SAML:    &store.SAMLConfig{EntityID: "https://idp.example.org", CertificateIDs: []string{"c"}},
			Domains: []string{"example.org"},
		},
		Mappings: []store.ProviderMapping{{Name: "username", Value: "${samlAssertion.subject}", Update: store.EmptyOnly}},
		Sealed:   []byte("sealed"),
	}
	must(t, s.CreateIdentityProvider(t.Context(), &p))
	return p
}

// inWords is all of a value, with what it points to.
func inWords(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	must(t, err)
	return string(b)
}

func TestIdentityProviderLife(t *testing.T) {
	s := open(t)
	w, other := build(t, s, "one"), build(t, s, "two")
	ctx, e := t.Context(), w.env.ID
	p := w.provider(t, s, "Partner")
	if got, err := s.IdentityProvider(ctx, e, p.ID); err != nil || inWords(t, got) != inWords(t, p) {
		t.Errorf("read    %+v\nwritten %+v, %v", got, p, err)
	}
	_, err := s.IdentityProvider(ctx, other.env.ID, p.ID)
	want(t, err, store.ErrNotFound)
	again := p
	again.ID = ""
	want(t, s.CreateIdentityProvider(ctx, &again), store.ErrConflict)
	w.provider(t, s, "another")
	if all, _, err := s.IdentityProviders(ctx, e, store.Page{}); err != nil || len(all) != 2 || all[0].Name != "another" {
		t.Errorf("%v %v", all, err)
	}
	p.Name, p.PopulationID, p.Config.Domains = "Renamed", "", nil
	p.Mappings = append(p.Mappings, store.ProviderMapping{Name: "email", Value: "${providerAttributes.mail}"})
	must(t, s.UpdateIdentityProvider(ctx, &p))
	if got, err := s.IdentityProvider(ctx, e, p.ID); err != nil || inWords(t, got) != inWords(t, p) || p.Mappings[1].ID == "" {
		t.Errorf("read    %+v\nwritten %+v, %v", got, p, err)
	}
	p.PopulationID = other.population.ID
	want(t, s.UpdateIdentityProvider(ctx, &p), store.ErrNotFound)
}

func TestProviderHealth(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	p := w.provider(t, s, "Partner")
	see := func(problem string) {
		t.Helper()
		must(t, s.SeeProvider(t.Context(), w.env.ID, p.ID, func(h *store.ProviderHealth) { h.Problem = problem }))
	}
	see("down")
	must(t, s.UpdateIdentityProvider(t.Context(), &p)) // was read before
	if got, err := s.IdentityProvider(t.Context(), w.env.ID, p.ID); err != nil || got.Health.Problem != "down" {
		t.Errorf("%+v %v", got.Health, err)
	}
	want(t, s.SeeProvider(t.Context(), w.env.ID, "none", func(*store.ProviderHealth) {}), store.ErrNotFound)
}

func TestLinkedAccounts(t *testing.T) {
	s := open(t)
	w, other := build(t, s, "one"), build(t, s, "two")
	ctx, e := t.Context(), w.env.ID
	p := w.provider(t, s, "Partner")
	link := store.LinkedAccount{EnvironmentID: e, ProviderID: p.ID, UserID: w.user.ID, Subject: store.Subject{ID: "Sub"}}
	must(t, s.LinkAccount(ctx, &link))
	for name, l := range map[string]store.LinkedAccount{
		"subject linked": {EnvironmentID: e, ProviderID: p.ID, UserID: w.user.ID, Subject: link.Subject},
		"no provider":    {EnvironmentID: e, ProviderID: "none", UserID: w.user.ID, Subject: store.Subject{ID: "x"}},
		"others' user":   {EnvironmentID: e, ProviderID: p.ID, UserID: other.user.ID, Subject: store.Subject{ID: "y"}},
	} {
		target := store.ErrNotFound
		if name == "subject linked" {
			target = store.ErrConflict
		}
		want(t, s.LinkAccount(ctx, &l), target)
	}
	if u, err := s.UserBySubject(ctx, e, p.ID, link.Subject); err != nil || u.ID != w.user.ID {
		t.Errorf("%v %v", u, err)
	}
	for _, subject := range []store.Subject{{ID: "sub"}, {ID: "Sub", Qualifiers: "q"}, {}} {
		_, err := s.UserBySubject(ctx, e, p.ID, subject)
		want(t, err, store.ErrNotFound)
	}
	if all, err := s.LinkedAccounts(ctx, e, w.user.ID); err != nil || len(all) != 1 || all[0] != link {
		t.Errorf("%v %v", all, err)
	}
	theirs := &store.Group{EnvironmentID: e, Name: "a", SourceType: store.SourceIDP, SourceID: p.ID}
	must(t, s.Provision(ctx, func(tx *store.Tx) error {
		if err := tx.CreateGroups(ctx, []*store.Group{theirs}); err != nil {
			return err
		}
		return tx.AddMemberships(ctx, e, w.user.ID, []store.Joined{{GroupID: theirs.ID}}, time.Now())
	}))
	before, err := s.UserGroups(ctx, e, w.user.ID)
	must(t, err)
	want(t, s.UnlinkAccount(ctx, e, w.user.ID, "none"), store.ErrNotFound)
	must(t, s.UnlinkAccount(ctx, e, w.user.ID, link.ID))
	if u, err := s.User(ctx, e, w.user.ID); err != nil || u.SignOffs != 1 {
		t.Errorf("%+v %v", u, err)
	}
	if after, err := s.UserGroups(ctx, e, w.user.ID); err != nil || len(after) != len(before)-1 {
		t.Errorf("%v %v", after, err)
	}
}

// TestDeletedProvider leaves nobody signed on by it, and no group of its.
func TestDeletedProvider(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	ctx, e := t.Context(), w.env.ID
	p, kept := w.provider(t, s, "Partner"), w.provider(t, s, "kept")
	groups := []*store.Group{
		{EnvironmentID: e, Name: "a", SourceType: store.SourceIDP, SourceID: p.ID},
		{EnvironmentID: e, Name: "a", SourceType: store.SourceIDP, SourceID: kept.ID},
	}
	must(t, s.Provision(ctx, func(tx *store.Tx) error {
		if err := tx.CreateGroups(ctx, groups); err != nil {
			return err
		}
		return tx.AddMemberships(ctx, e, w.user.ID, []store.Joined{{GroupID: groups[0].ID}}, time.Now())
	}))
	must(t, s.LinkAccount(ctx, &store.LinkedAccount{EnvironmentID: e, ProviderID: p.ID, UserID: w.user.ID, Subject: store.Subject{ID: "s"}}))
	must(t, s.LinkAccount(ctx, &store.LinkedAccount{EnvironmentID: e, ProviderID: p.ID, UserID: w.user.ID, Subject: store.Subject{ID: "s2"}}))
	if n, err := s.LinkedUsers(ctx, e, p.ID); err != nil || n != 1 {
		t.Errorf("a user with two links counts as %d, %v", n, err)
	}
	if some, err := s.SomeLinkedUsers(ctx, e, p.ID); err != nil || len(some) != 1 || some[0].ID != w.user.ID {
		t.Errorf("%v %v", some, err)
	}
	want(t, s.DeleteIdentityProvider(ctx, e, p.ID, false), store.ErrDependents)
	must(t, s.DeleteIdentityProvider(ctx, e, p.ID, true))
	want(t, s.DeleteIdentityProvider(ctx, e, p.ID, true), store.ErrNotFound)
	if u, err := s.User(ctx, e, w.user.ID); err != nil || u.SignOffs != 1 {
		t.Errorf("%+v %v", u, err)
	}
	if _, err := s.Group(ctx, e, groups[1].ID); err != nil {
		t.Error(err)
	}
	_, err := s.Group(ctx, e, groups[0].ID)
	want(t, err, store.ErrNotFound)
}

// TestProviderWithGroups is not deleted by the way: what its groups give goes with them.
func TestProviderWithGroups(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	ctx, e := t.Context(), w.env.ID
	p, other := w.provider(t, s, "Partner"), w.provider(t, s, "other")
	groups := []*store.Group{
		{EnvironmentID: e, Name: "plain", SourceType: store.SourceIDP, SourceID: p.ID},
		{EnvironmentID: e, Name: "chiefs", SourceType: store.SourceIDP, SourceID: p.ID},
		{EnvironmentID: e, Name: "chiefs", SourceType: store.SourceIDP, SourceID: other.ID},
	}
	must(t, s.Provision(ctx, func(tx *store.Tx) error { return tx.CreateGroups(ctx, groups) }))
	must(t, s.SetRoleGroup(ctx, store.RoleGroup{EnvironmentID: e, GroupID: groups[1].ID, Role: store.RoleOwner}))
	must(t, s.SetRoleGroup(ctx, store.RoleGroup{EnvironmentID: e, GroupID: groups[2].ID, Role: store.RoleOwner}))
	if n, err := s.CountGroups(ctx, e, store.SourceIDP, p.ID); err != nil || n != 2 {
		t.Errorf("%d %v", n, err)
	}
	roles, err := s.RolesOfSource(ctx, e, store.SourceIDP, p.ID)
	if err != nil || fmt.Sprint(roles) != fmt.Sprint([]store.NamedRole{{GroupID: groups[1].ID, Name: "chiefs", Role: store.RoleOwner}}) {
		t.Errorf("%v %v", roles, err)
	}
	want(t, s.DeleteIdentityProvider(ctx, e, p.ID, false), store.ErrDependents)
	must(t, s.DeleteIdentityProvider(ctx, e, p.ID, true))
	if left, err := s.RoleGroups(ctx, e); err != nil || len(left) != 1 {
		t.Errorf("%v %v", left, err)
	}
}

// TestUnlinkedProvider leaves nobody signed on by it, and nobody in its groups; the groups,
// and those of others, stay.
func TestUnlinkedProvider(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	ctx, e := t.Context(), w.env.ID
	p, other := w.provider(t, s, "Partner"), w.provider(t, s, "other")
	groups := []*store.Group{
		{EnvironmentID: e, Name: "a", SourceType: store.SourceIDP, SourceID: p.ID},
		{EnvironmentID: e, Name: "a", SourceType: store.SourceIDP, SourceID: other.ID},
	}
	must(t, s.Provision(ctx, func(tx *store.Tx) error {
		if err := tx.CreateGroups(ctx, groups); err != nil {
			return err
		}
		all := []store.Joined{{GroupID: groups[0].ID}, {GroupID: groups[1].ID}}
		return tx.AddMemberships(ctx, e, w.user.ID, all, time.Now())
	}))
	for _, from := range []string{p.ID, other.ID} {
		must(t, s.LinkAccount(ctx, &store.LinkedAccount{EnvironmentID: e, ProviderID: from, UserID: w.user.ID, Subject: store.Subject{ID: "s"}}))
	}
	before, err := s.UserGroups(ctx, e, w.user.ID)
	must(t, err)
	must(t, s.UnlinkProvider(ctx, e, p.ID))
	after, err := s.UserGroups(ctx, e, w.user.ID)
	must(t, err)
	links, err := s.LinkedAccounts(ctx, e, w.user.ID)
	if err != nil || len(after) != len(before)-1 || len(links) != 1 || links[0].ProviderID != other.ID {
		t.Errorf("%v %v %v", after, links, err)
	}
	u, err := s.User(ctx, e, w.user.ID)
	if err != nil || u.SignOffs != 1 {
		t.Errorf("%+v %v", u, err)
	}
	if _, err := s.Group(ctx, e, groups[0].ID); err != nil {
		t.Error(err)
	}
}

func TestLastProviderSignOn(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	p := w.provider(t, s, "Partner")
	for i := range 3 {
		so := store.SignOn{EnvironmentID: w.env.ID, ProviderID: p.ID, At: time.UnixMicro(int64(i + 1)).UTC()}
		must(t, s.RecordSignOn(t.Context(), &so))
	}
	if so, err := s.LastProviderSignOn(t.Context(), w.env.ID, p.ID); err != nil || so.At.UnixMicro() != 3 {
		t.Errorf("%v %v", so.At, err)
	}
	if so, err := s.LastProviderSignOn(t.Context(), w.env.ID, "none"); err != nil || !so.At.IsZero() {
		t.Errorf("%v %v", so.At, err)
	}
}

func TestCertificates(t *testing.T) {
	s := open(t)
	w, other := build(t, s, "one"), build(t, s, "two")
	ctx, e := t.Context(), w.env.ID
	theirs := store.Certificate{EnvironmentID: e, Name: "theirs", Usage: "SIGNING", DER: []byte{1}}
	ours := store.Certificate{ID: "chosen", EnvironmentID: e, Name: "ours", Usage: "SIGNING", DER: []byte{2}, Sealed: []byte{3}}
	must(t, s.CreateCertificate(ctx, &theirs))
	must(t, s.CreateCertificate(ctx, &ours))
	if got, err := s.Certificate(ctx, e, "chosen"); err != nil || fmt.Sprint(got) != fmt.Sprint(ours) {
		t.Errorf("%+v %v", got, err)
	}
	first, next, err := s.Certificates(ctx, e, store.Page{Limit: 1})
	must(t, err)
	second, end, err := s.Certificates(ctx, e, store.Page{Limit: 1, Cursor: next})
	if err != nil || end != "" || first[0].ID != theirs.ID || second[0].ID != ours.ID {
		t.Errorf("%v %v %q %v", first, second, end, err)
	}
	_, err = s.Certificate(ctx, other.env.ID, ours.ID)
	want(t, err, store.ErrNotFound)
	want(t, s.DeleteCertificate(ctx, other.env.ID, ours.ID), store.ErrNotFound)
	must(t, s.DeleteCertificate(ctx, e, ours.ID))
}

// TestArrivalIsTakenOnce, in its environment and in its time.
func TestArrivalIsTakenOnce(t *testing.T) {
	s := open(t)
	w, other := build(t, s, "one"), build(t, s, "two")
	ctx, now := t.Context(), time.Now()
	must(t, s.KeepArrival(ctx, w.env.ID, "key", []byte("sealed"), now.Add(time.Minute)))
	_, err := s.TakeArrival(ctx, other.env.ID, "key", now)
	want(t, err, store.ErrNotFound)
	_, err = s.TakeArrival(ctx, w.env.ID, "key", now.Add(time.Minute))
	want(t, err, store.ErrNotFound)
	if b, err := s.TakeArrival(ctx, w.env.ID, "key", now); err != nil || string(b) != "sealed" {
		t.Errorf("%q %v", b, err)
	}
	_, err = s.TakeArrival(ctx, w.env.ID, "key", now)
	want(t, err, store.ErrNotFound)
}
