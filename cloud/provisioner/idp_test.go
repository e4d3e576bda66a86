package provisioner_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"ldap-gateway/cloud/provisioner"
	"ldap-gateway/cloud/store"
)

// provider returns the identity provider of that name, which it makes.
func (w *world) provider(name string) store.IdentityProvider {
	w.t.Helper()
	all, _, err := w.store.IdentityProviders(w.t.Context(), w.env.ID, store.Page{})
	w.must(err)
	for _, p := range all {
		if p.Name == name {
			return p
		}
	}
	p := store.IdentityProvider{
		EnvironmentID: w.env.ID,
		Name:          name,
		Type:          store.OpenIDConnect,
		Enabled:       true,
		PopulationID:  w.population.ID,
	}
	w.must(w.store.CreateIdentityProvider(w.t.Context(), &p))
	return p
}

// eve is what a provider says of Eve, with all rules at each sign-on and the groups
// complete.
func (w *world) eve(groups ...string) provisioner.Identity {
	p := w.provider("idp")
	m := &provisioner.Membership{Verdict: provisioner.Complete}
	for _, g := range groups {
		m.Groups = append(m.Groups, provisioner.Group{Name: g})
	}
	return provisioner.Identity{
		EnvironmentID: w.env.ID,
		SourceType:    store.SourceIDP,
		SourceID:      p.ID,
		PopulationID:  p.PopulationID,
		Subject:       store.Subject{ID: "sub-eve"},
		Properties:    map[string]string{"username": "eve", "email": "eve@x", "nick": "E"},
		Mapped:        []string{"username", "email", "nick"},
		Once:          []string{"username"},
		Membership:    m,
		Update:        true,
	}
}

// TestSubjectIsWhoSomebodyIs: neither name nor address leads to a record.
func TestSubjectIsWhoSomebodyIs(t *testing.T) {
	w := build(t)
	first, _ := w.mustSignOn(w.eve("a"))
	id := w.eve("b")
	id.Properties["email"] = "else@x"
	again, _ := w.mustSignOn(id)
	if again.User.ID != first.User.ID || again.Created || again.User.Email != "else@x" {
		t.Errorf("%+v", again)
	}
	for name, subject := range map[string]store.Subject{
		"other case":      {ID: "SUB-eve"},
		"other":           {ID: "sub-eve2"},
		"blank":           {ID: "sub-eve "},
		"other qualifier": {ID: "sub-eve", Qualifiers: "q"},
	} {
		id := w.eve("a")
		id.Subject = subject
		if _, _, err := w.signOn(id); !errors.Is(err, provisioner.ErrUsernameTaken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.wantGroups(first.User.ID, "b")
	if w.count("users") != 1 || w.count("linked_accounts") != 1 {
		t.Error("more than one record or link")
	}
	// Another provider's same subject is another person.
	id = w.eve()
	id.SourceID, id.Properties["username"] = w.provider("other").ID, "evelyn"
	if c, _ := w.mustSignOn(id); c.User.ID == first.User.ID || !c.Created {
		t.Errorf("%+v", c)
	}
}

// TestProviderWithoutPopulationMakesNobody, and one who is linked signs on.
func TestProviderWithoutPopulationMakesNobody(t *testing.T) {
	w := build(t)
	id := w.eve("a")
	id.PopulationID = ""
	if _, _, err := w.signOn(id); !errors.Is(err, provisioner.ErrUnknownRecord) {
		t.Fatal(err)
	}
	if w.count("users") != 0 || w.count("sign_ons") != 0 || w.count("cloud_groups") != 0 {
		t.Error("something was written")
	}
	u := w.person("eve")
	link := store.LinkedAccount{EnvironmentID: w.env.ID, ProviderID: id.SourceID, UserID: u.ID, Subject: id.Subject}
	w.must(w.store.LinkAccount(t.Context(), &link))
	if c, _ := w.mustSignOn(id); c.User.ID != u.ID {
		t.Errorf("%+v", c)
	}
	w.wantGroups(u.ID, "a")
}

// TestOnceFillsWhatIsEmpty, for properties and for groups.
func TestOnceFillsWhatIsEmpty(t *testing.T) {
	w := build(t)
	id := w.eve("a", "b")
	id.Once, id.GroupsOnce = []string{"username", "email", "nick"}, true
	delete(id.Properties, "email")
	id.Mapped = []string{"username", "nick"}
	first, _ := w.mustSignOn(id)
	w.wantGroups(first.User.ID, "a b")

	id = w.eve("c")
	id.Once, id.GroupsOnce = []string{"username", "email", "nick"}, true
	id.Properties["nick"] = "other"
	second, so := w.mustSignOn(id)
	if second.User.Email != "eve@x" || second.User.Attributes["nick"] != "E" {
		t.Errorf("%+v", second.User)
	}
	w.wantGroups(first.User.ID, "a b")
	if so.Verdict != "" || second.Reason != "changed: email; groups are populated once, and the user has some" {
		t.Errorf("%q %q", so.Verdict, second.Reason)
	}

	groups, err := w.store.UserGroups(t.Context(), w.env.ID, first.User.ID)
	w.must(err)
	for i, g := range groups {
		w.must(w.store.RemoveMember(t.Context(), w.env.ID, first.User.ID, g.Group.ID))
		w.mustSignOn(id)
		w.wantGroups(first.User.ID, []string{"b", "c"}[i]) // the last one gone, they are populated again
	}
}

// TestProvidersGroupsAreExact: what differs in any way that can be seen is two groups.
func TestProvidersGroupsAreExact(t *testing.T) {
	w := build(t)
	c, _ := w.mustSignOn(w.eve("Admins", "admins", "Ａdmins", "adm ins", "adm  ins", "a,b", "a, b", "e\u0301", "é", " Admins "))
	if len(c.Added) != 8 {
		t.Errorf("%d groups: %s", len(c.Added), w.groupsOf(c.User.ID))
	}
	again, so := w.mustSignOn(w.eve("admins"))
	if len(again.Removed) != 7 || so.Verdict != "complete" {
		t.Errorf("%+v", again)
	}
	w.wantGroups(c.User.ID, "admins")
	found, _, err := w.store.Groups(t.Context(), w.env.ID, store.GroupFilter{Name: "ADMINS"}, store.Page{})
	if err != nil || len(found) != 2 {
		t.Errorf("%v %v", found, err)
	}
}

// TestTwoSourcesOfOnePerson: each takes away its own alone, and proves its own alone.
func TestTwoSourcesOfOnePerson(t *testing.T) {
	w := build(t)
	ada, _ := w.mustSignOn(w.ada("cooks"))
	link := store.LinkedAccount{
		EnvironmentID: w.env.ID,
		ProviderID:    w.provider("idp").ID,
		UserID:        ada.User.ID,
		Subject:       store.Subject{ID: "sub-eve"},
	}
	w.must(w.store.LinkAccount(t.Context(), &link))
	id := w.eve("cooks", "bakers")
	id.Mapped, id.Once = []string{"nick"}, nil
	if c, _ := w.mustSignOn(id); c.User.ID != ada.User.ID || c.User.GatewayID != w.gateway.ID {
		t.Errorf("%+v", c.User)
	}
	w.wantGroups(ada.User.ID, "bakers cooks cooks")
	id.Membership.Groups = nil
	w.mustSignOn(id)
	w.wantGroups(ada.User.ID, "cooks")
	for source, want := range map[string]bool{w.gateway.ID: true, w.provider("idp").ID: true, "another": false} {
		if at, err := w.store.GroupsProven(t.Context(), w.env.ID, ada.User.ID, source); err != nil || at.IsZero() == want {
			t.Errorf("%s: %v %v", source, at, err)
		}
	}
	w.mustSignOn(w.ada())
	w.wantGroups(ada.User.ID, "")
}

// TestTwentyFirstSignOnsAtOnce of one person make one user with one link.
func TestTwentyFirstSignOnsAtOnce(t *testing.T) {
	w := build(t)
	id := w.eve("a", "b")
	users := make([]string, 20)
	var all sync.WaitGroup
	for i := range users {
		all.Go(func() {
			so := store.SignOn{Method: store.ByIDP, ProviderID: id.SourceID}
			c, err := (&provisioner.Provisioner{Store: w.store}).Apply(t.Context(), id, &so)
			users[i] = fmt.Sprint(c.User.ID, err)
		})
	}
	all.Wait()
	for _, u := range users {
		if u != users[0] {
			t.Error(u)
		}
	}
	if w.count("users") != 1 || w.count("linked_accounts") != 1 || w.count("cloud_groups") != 2 {
		t.Errorf("%d users, %d links, %d groups", w.count("users"), w.count("linked_accounts"), w.count("cloud_groups"))
	}
}
