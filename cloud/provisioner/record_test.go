package provisioner_test

import (
	"errors"
	"strings"
	"testing"

	"ldap-gateway/cloud/provisioner"
	"ldap-gateway/cloud/store"
)

// person adds a record of the gateway without a sign-on.
func (w *world) person(username string, correlation ...store.Correlation) store.User {
	w.t.Helper()
	u := store.User{
		EnvironmentID: w.env.ID,
		PopulationID:  w.population.ID,
		Username:      username,
		Enabled:       true,
		GatewayID:     w.gateway.ID,
		UserTypeID:    w.gateway.UserTypes[0].ID,
		Correlation:   correlation,
	}
	w.must(w.store.CreateUser(w.t.Context(), &u))
	return u
}

func TestCorrelationInOrder(t *testing.T) {
	w := build(t)
	guid := func(v string) store.Correlation { return store.Correlation{Attribute: "guid", Value: v} }
	mail := func(v string) store.Correlation { return store.Correlation{Attribute: "mail", Value: v} }
	one := w.person("one", guid("1"), mail("a@x"))
	two := w.person("two", guid("2"), mail("both@x"))
	w.person("three", guid("3"), mail("both@x"))
	w.person("four", guid("4"))
	w.person("five", guid("4"), mail("c@x"))
	for name, c := range map[string]struct {
		values []store.Correlation
		want   string
		err    error
	}{
		"FirstDecides":         {values: []store.Correlation{guid("2"), mail("a@x")}, want: two.ID},
		"SecondWhenFirstFails": {values: []store.Correlation{guid("9"), mail("a@x")}, want: one.ID},
		"AmbiguousFallsOn":     {values: []store.Correlation{mail("both@x"), guid("1")}, want: one.ID},
		"AllAmbiguous":         {values: []store.Correlation{mail("both@x"), guid("4")}, err: provisioner.ErrAmbiguousRecord},
		"CaseOfTheAttribute":   {values: []store.Correlation{{Attribute: "GUID", Value: "1"}}, want: one.ID},
	} {
		t.Run(name, func(t *testing.T) {
			id := w.ada()
			id.Update, id.Correlation, id.Properties["username"] = false, c.values, "somebody-else"
			change, _, err := w.signOn(id)
			want(t, err, c.err)
			if change.User.ID != c.want || change.Created {
				t.Errorf("%+v", change)
			}
		})
	}
}

// A record of another gateway is another person, whatever the values.
func TestCorrelationStaysInItsGateway(t *testing.T) {
	w := build(t)
	first, _ := w.mustSignOn(w.ada())
	other := w.newGateway("two")
	id := w.ada()
	id.SourceID, id.UserTypeID, id.Properties["username"] = other.ID, other.UserTypes[0].ID, "ada.other"
	c, _ := w.mustSignOn(id)
	if !c.Created || c.User.ID == first.User.ID {
		t.Errorf("%+v", c)
	}
}

// An administrator may link a record before the person's first sign-on.
func TestLinkedByUsername(t *testing.T) {
	w := build(t)
	u := w.person("ADA")
	c, so := w.mustSignOn(w.ada("cooks"))
	if c.Created || c.User.ID != u.ID || c.User.Username != "ada" || len(c.User.Correlation) != 1 || !so.Updated {
		t.Errorf("%+v", c)
	}
}

func TestNewUsernameTaken(t *testing.T) {
	w := build(t)
	for name, taken := range map[string]store.User{
		"Unlinked": {EnvironmentID: w.env.ID, PopulationID: w.population.ID, Username: "ADA"},
		"OtherPerson": {
			EnvironmentID: w.env.ID,
			PopulationID:  w.population.ID,
			Username:      "ada",
			GatewayID:     w.gateway.ID,
			Correlation:   []store.Correlation{{Attribute: "entryUUID", Value: "z"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w.must(w.store.CreateUser(t.Context(), &taken))
			_, so, err := w.signOn(w.ada("cooks"))
			want(t, err, provisioner.ErrUsernameTaken)
			if so.ID != "" || w.count("sign_ons")+w.count("cloud_groups")+w.count("activities") != 0 {
				t.Errorf("something was written: %+v", so)
			}
			w.must(w.store.DeleteUser(t.Context(), w.env.ID, taken.ID))
		})
	}
}

// TestUsernamesOfOthers: a name that the patterns of a user type claim is had through that
// user type alone, whoever else says that somebody has it.
func TestUsernamesOfOthers(t *testing.T) {
	w := build(t)
	other := store.Gateway{EnvironmentID: w.env.ID, Name: "two", UserTypes: []store.UserType{
		{Name: "people", Usernames: []string{"*@two.test"}}, {Name: "staff", Usernames: []string{"*@staff.two.test"}},
	}}
	w.must(w.store.CreateGateway(t.Context(), &other))
	of := func(id provisioner.Identity, username string) provisioner.Identity {
		id.Properties["username"], id.Username = username, username
		return id
	}
	through := func(i int, username string) provisioner.Identity {
		id := of(w.ada(), username)
		id.SourceID, id.UserTypeID = other.ID, other.UserTypes[i].ID
		id.Correlation = []store.Correlation{{Attribute: "entryUUID", Value: username}}
		return id
	}
	for name, id := range map[string]provisioner.Identity{
		"another gateway":          of(w.ada("cooks"), "Ada@TWO.test"),
		"another user type":        through(0, "ada@staff.two.test"), // which is not @two.test
		"an identity provider":     of(w.eve("cooks"), "eve@two.test"),
		"no pattern of its own, 2": of(w.ada(), "eve@staff.two.test"),
	} {
		if _, _, err := w.signOn(id); !errors.Is(err, provisioner.ErrUsernameOfOthers) || w.count("users") != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.mustSignOn(through(0, "ada@two.test"))
	w.mustSignOn(through(1, "bob@staff.two.test"))
	w.mustSignOn(through(1, "carol")) // whom nobody claims
	known, _ := w.mustSignOn(w.ada())
	c, so := w.mustSignOn(of(w.ada("cooks"), "zoe@two.test"))
	if c.User.ID != known.User.ID || c.User.Username != "ada" || !strings.Contains(so.UpdateReason, "kept") {
		t.Errorf("%+v %q", c.User, so.UpdateReason)
	}
}

// The sign-on of a known person succeeds though the new username is taken.
func TestKnownUsernameTaken(t *testing.T) {
	w := build(t)
	w.mustSignOn(w.ada())
	w.person("lovelace")
	id := w.ada("cooks")
	id.Properties["username"], id.Properties["email"] = "Lovelace", "new@x"
	c, so := w.mustSignOn(id)
	if c.User.Username != "ada" || c.User.Email != "new@x" {
		t.Errorf("%+v", c.User)
	}
	w.wantGroups(c.User.ID, "cooks")
	w.wantActions(so, "group.created", "membership.added", "sign-on", "update.refused", "user.updated")
	if so.UpdateReason != "changed: email, joined 1 group; the username is taken by another user: kept" {
		t.Errorf("%q", so.UpdateReason)
	}
}

func TestUsernameWithoutValue(t *testing.T) {
	w := build(t)
	nameless := w.ada()
	delete(nameless.Properties, "username")
	_, _, err := w.signOn(nameless)
	want(t, err, provisioner.ErrNoUsername)
	w.mustSignOn(w.ada())
	c, so := w.mustSignOn(nameless)
	if c.User.Username != "ada" || so.UpdateReason != "the directory has no value for the username: kept" {
		t.Errorf("%+v %q", c.User, so.UpdateReason)
	}
	case1 := w.ada()
	case1.Properties["username"] = "ADA"
	if c, _ := w.mustSignOn(case1); c.User.Username != "ADA" {
		t.Errorf("a change of case alone is no other user's name: %+v", c.User)
	}
}

func TestUnknownWithoutProperties(t *testing.T) {
	w := build(t)
	id := w.ada()
	id.Properties = nil
	_, _, err := w.signOn(id)
	want(t, err, provisioner.ErrUnknownRecord)
	w.mustSignOn(w.ada())
	if _, so := w.mustSignOn(id); so.UpdateReason != "the sign-on did not ask for the record" {
		t.Errorf("%q", so.UpdateReason)
	}
}

func TestPlacesThatDoNotExist(t *testing.T) {
	w := build(t)
	for name, change := range map[string]func(*provisioner.Identity){
		"Population":  func(id *provisioner.Identity) { id.PopulationID = "none" },
		"Gateway":     func(id *provisioner.Identity) { id.SourceID = "none" },
		"User":        func(id *provisioner.Identity) { id.UserID = "none" },
		"Environment": func(id *provisioner.Identity) { id.EnvironmentID = "none" },
	} {
		t.Run(name, func(t *testing.T) {
			id := w.ada("cooks")
			change(&id)
			_, _, err := w.signOn(id)
			want(t, err, store.ErrNotFound)
		})
	}
}

// A sign-on that was applied is not applied again.
func TestSameSignOnTwice(t *testing.T) {
	w := build(t)
	id := w.ada("cooks")
	id.SignOnID = "s-1"
	first, _ := w.mustSignOn(id)
	id.Membership.Groups = nil
	_, _, err := w.signOn(id)
	want(t, err, store.ErrConflict)
	w.wantGroups(first.User.ID, "cooks")
}

func TestDirectoryNameAndValuesFollow(t *testing.T) {
	w := build(t)
	w.mustSignOn(w.ada())
	id := w.ada()
	id.DN, id.Correlation = "uid=ada,ou=moved,dc=x", append(id.Correlation, store.Correlation{
		Attribute: "uid",
		Value:     "ada",
	})
	c, _ := w.mustSignOn(id)
	if c.User.DN != id.DN || len(c.User.Correlation) != 2 || len(c.Fields) != 2 {
		t.Errorf("%+v", c)
	}
	id.DN, id.Correlation, id.UserID = "", nil, c.User.ID // an answer without them forgets nothing
	if c, _ := w.mustSignOn(id); c.Updated || len(c.User.Correlation) != 2 {
		t.Errorf("%+v", c)
	}
}

// TestTextsThatAreKeptOtherwise: what a database has no place for is replaced, and the same
// person with the same groups comes again as if nothing had been.
func TestTextsThatAreKeptOtherwise(t *testing.T) {
	w := build(t)
	come := func() (provisioner.Change, store.SignOn) {
		t.Helper()
		id := w.ada("a\x00b", "a\xffb", "c\xc3")
		id.Correlation[0].Value = "u\x00\xff1"
		id.Properties["username"], id.Properties["nick"], id.DN = "ada\x00", "\xffn", "uid=ada\x00,dc=x"
		return w.mustSignOn(id)
	}
	first, _ := come()
	again, so := come()
	if again.User.ID != first.User.ID || again.Created || len(again.Fields)+len(again.Added)+len(again.Removed) != 0 {
		t.Errorf("%+v", again)
	}
	if so.Updated || len(first.Added) != 2 { // two of the three are kept alike
		t.Errorf("%+v, %d groups", so, len(first.Added))
	}
}
