package provisioner_test

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ldap-gateway/cloud/provisioner"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/pgtest"
	"ldap-gateway/cloud/store/storetest"
)

// TestPostgres runs every test here on PostgreSQL.
func TestPostgres(t *testing.T) { pgtest.Again(t) }

// world is a store with one environment and one gateway.
type world struct {
	t          testing.TB
	store      *store.Store
	where      string // the store is
	env        store.Environment
	population store.Population
	gateway    store.Gateway
	at         time.Time
	seen       func(provisioner.Question) provisioner.Sight // nil: the user left every group of a complete list
	asked      []provisioner.Question                       // by the sign-on before

	provisioner *provisioner.Provisioner
}

func build(t testing.TB) *world {
	t.Helper()
	w := &world{
		t:     t,
		where: storetest.Where(t),
		at:    time.UnixMicro(1_000_000).UTC(),
	}
	w.store = w.node()
	w.provisioner = &provisioner.Provisioner{Store: w.store}
	w.env = store.Environment{Name: "test"}
	w.must(w.store.CreateEnvironment(t.Context(), &w.env))
	w.population = store.Population{EnvironmentID: w.env.ID, Name: "Staff"}
	w.must(w.store.CreatePopulation(t.Context(), &w.population))
	w.gateway = w.newGateway("one")
	return w
}

// node opens the store, as one more node does.
func (w *world) node() *store.Store {
	w.t.Helper()
	s, err := store.Open(w.t.Context(), w.where)
	w.must(err)
	w.t.Cleanup(func() { w.must(s.Close()) })
	return s
}

// database opens the store's database beside it.
func (w *world) database() *sql.DB {
	w.t.Helper()
	driver := "sqlite"
	if store.IsPostgres(w.where) {
		driver = "pgx"
	}
	db, err := sql.Open(driver, w.where)
	w.must(err)
	return db
}

func (w *world) newGateway(name string) store.Gateway {
	g := store.Gateway{EnvironmentID: w.env.ID, Name: name, UserTypes: []store.UserType{{Name: "people"}}}
	w.must(w.store.CreateGateway(w.t.Context(), &g))
	return g
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// ada is what the directory says of Ada, with the switch on and the groups complete.
func (w *world) ada(groups ...string) provisioner.Identity {
	return provisioner.Identity{
		EnvironmentID: w.env.ID,
		SourceType:    store.SourceGateway,
		SourceID:      w.gateway.ID,
		UserTypeID:    w.gateway.UserTypes[0].ID,
		Username:      "ada",
		DN:            "uid=ada,dc=x",
		Correlation:   []store.Correlation{{Attribute: "entryUUID", Value: "a-1"}},
		Properties:    map[string]string{"username": "ada", "name.given": "Ada", "email": "ada@x"},
		Membership:    &provisioner.Membership{Verdict: provisioner.Complete, Groups: named(groups...)},
		Update:        true,
	}
}

// named makes groups of common names.
func named(names ...string) []provisioner.Group {
	var all []provisioner.Group
	for _, n := range names {
		all = append(all, provisioner.Group{Name: "cn=" + n + ",dc=x", DisplayName: n})
	}
	return all
}

// signOn applies id one second after the sign-on before.
func (w *world) signOn(id provisioner.Identity) (provisioner.Change, store.SignOn, error) {
	w.at = w.at.Add(time.Second)
	id.At = w.at
	so := store.SignOn{Method: "password", InstanceID: "i", GatewayID: w.gateway.ID}
	if id.SourceType == store.SourceIDP {
		so = store.SignOn{Method: store.ByIDP, ProviderID: id.SourceID}
	}
	c, err := w.provisioner.Apply(w.t.Context(), id, &so)
	var wanted *provisioner.EvidenceWanted
	if w.asked = nil; errors.As(err, &wanted) {
		w.asked = wanted.Questions
		id.Evidence = w.answer(id)
		c, err = w.provisioner.Apply(w.t.Context(), id, &so)
	}
	return c, so, err
}

// answer is what the directory shows.
func (w *world) answer(id provisioner.Identity) *provisioner.Evidence {
	e := &provisioner.Evidence{
		Of:     map[string]provisioner.Sight{},
		Beyond: provisioner.Sight{Reason: "tooMany", Words: "too many"},
	}
	for _, q := range w.asked {
		switch {
		case w.seen != nil:
			e.Of[q.Key] = w.seen(q)
		case id.Membership.Verdict == provisioner.Complete:
			e.Of[q.Key] = provisioner.Sight{Finding: provisioner.Left}
		default:
			e.Of[q.Key] = provisioner.Sight{Reason: "notVisible", Words: "hidden"}
		}
	}
	return e
}

func (w *world) mustSignOn(id provisioner.Identity) (provisioner.Change, store.SignOn) {
	w.t.Helper()
	c, so, err := w.signOn(id)
	w.must(err)
	return c, so
}

// groupsOf returns the display names of a user's groups, in order, as one text.
func (w *world) groupsOf(user string) string {
	w.t.Helper()
	all, err := w.store.UserGroups(w.t.Context(), w.env.ID, user)
	w.must(err)
	var names []string
	for _, m := range all {
		names = append(names, m.Group.DisplayName)
	}
	return strings.Join(names, " ")
}

func (w *world) wantGroups(user, want string) {
	w.t.Helper()
	if got := w.groupsOf(user); got != want {
		w.t.Fatalf("groups are %q, want %q", got, want)
	}
}

// count returns how many rows a table has.
func (w *world) count(table string) (n int) {
	w.t.Helper()
	db := w.database()
	defer db.Close()
	w.must(db.QueryRowContext(w.t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
	return n
}

// actions returns what the activities of a sign-on say was done.
func (w *world) actions(so store.SignOn) []string {
	w.t.Helper()
	all, _, err := w.store.Activities(w.t.Context(), w.env.ID, store.ActivityFilter{SignOnID: so.ID}, store.Page{})
	w.must(err)
	var names []string
	for _, a := range all {
		names = append(names, a.Action)
		w.wantNamed(a)
	}
	slices.Sort(names)
	return names
}

// wantNamed checks that an activity says by ID what it is of, and that groups of that ID are there.
func (w *world) wantNamed(a store.Activity) {
	w.t.Helper()
	kind, id, _ := strings.Cut(a.Subject, ":")
	if id == "" {
		w.t.Errorf("%s is of %q", a.Action, a.Subject)
	}
	if group, in := a.Detail["group"]; in && kind == "user" {
		kind, id = "group", fmt.Sprint(group)
	}
	if kind == "group" {
		if _, err := w.store.Group(w.t.Context(), w.env.ID, id); err != nil {
			w.t.Errorf("%s is of group %q: %v", a.Action, id, err)
		}
	}
}

func (w *world) wantActions(so store.SignOn, want ...string) {
	w.t.Helper()
	if got := w.actions(so); !slices.Equal(got, want) {
		w.t.Errorf("activities %v, want %v", got, want)
	}
}

func want(t testing.TB, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("error is %v, want %v", err, target)
	}
}

func TestRule1FirstSignOnCreates(t *testing.T) {
	w := build(t)
	id := w.ada("cooks", "readers")
	id.Update, id.SignOnID = false, "s-1"
	c, so := w.mustSignOn(id)
	if !c.Created || c.User.PopulationID != w.population.ID || c.User.GatewayID != w.gateway.ID ||
		c.User.GivenName != "Ada" || len(c.GroupsCreated) != 2 {
		t.Errorf("%+v", c)
	}
	w.wantGroups(c.User.ID, "cooks readers")
	w.wantActions(
		so,
		"group.created",
		"group.created",
		"membership.added",
		"membership.added",
		"sign-on",
		"user.created",
	)
	got, err := w.store.SignOn(t.Context(), w.env.ID, "s-1")
	if err != nil || fmt.Sprint(got) != fmt.Sprint(so) || !got.Updated || got.Verdict != "complete" ||
		len(got.Added) != 2 || got.Outcome != "ok" {
		t.Errorf("%+v, %v", got, err)
	}
	u, err := w.store.User(t.Context(), w.env.ID, c.User.ID)
	if err != nil || fmt.Sprint(u) != fmt.Sprint(c.User) {
		t.Errorf("read %+v\nsaid %+v, %v", u, c.User, err)
	}
}

func TestRule1ThenNothingByDefault(t *testing.T) {
	w := build(t)
	first, _ := w.mustSignOn(w.ada("cooks"))
	id := w.ada("readers")
	id.Update, id.Properties["email"] = false, "other"
	c, so := w.mustSignOn(id)
	w.wantGroups(first.User.ID, "cooks")
	if c.Updated || so.Updated || c.User.Email != "ada@x" || so.UpdateReason != "updates on sign-on are off" ||
		so.UserID != first.User.ID || so.Verdict != "" {
		t.Errorf("%+v %+v", c, so)
	}
	w.wantActions(so, "sign-on")
}

func TestRule2UpdateFollowsTheDirectory(t *testing.T) {
	w := build(t)
	id := w.ada("cooks", "readers")
	id.Properties["title"], id.Properties["phone"] = "cook", "1"
	w.mustSignOn(id)
	id = w.ada("readers", "writers")
	id.Properties = map[string]string{
		"username":    "Ada.L",
		"name.given":  "Ada",
		"name.family": "Lovelace",
		"title":       "chief",
	}
	c, so := w.mustSignOn(id)
	w.wantGroups(c.User.ID, "readers writers")
	if c.User.Username != "Ada.L" || c.User.Email != "" || c.User.FamilyName != "Lovelace" ||
		fmt.Sprint(c.User.Attributes) != "map[title:chief]" {
		t.Errorf("%+v", c.User)
	}
	want := "[{username ada Ada.L} {name.family  Lovelace} {email ada@x } {phone 1 } {title cook chief}]"
	if fmt.Sprint(c.Fields) != want || !so.Updated || len(so.Added) != 1 || len(so.Removed) != 1 {
		t.Errorf("%v %+v", c.Fields, so)
	}
	w.wantActions(so, "group.created", "membership.added", "membership.removed", "sign-on", "user.updated")
}

// A property that the user type does not map is the administrator's.
func TestRule2OnlyMappedPropertiesFollow(t *testing.T) {
	w := build(t)
	c, _ := w.mustSignOn(w.ada())
	c.User.ExternalID, c.User.Attributes = "hr-7", map[string]string{"desk": "4"}
	w.must(w.store.UpdateUser(t.Context(), &c.User))
	id := w.ada()
	id.Mapped = []string{"username", "name.given", "email"}
	delete(id.Properties, "email")
	c, _ = w.mustSignOn(id)
	if c.User.ExternalID != "hr-7" || c.User.Attributes["desk"] != "4" || c.User.Email != "" || len(c.Fields) != 1 {
		t.Errorf("%+v %v", c.User, c.Fields)
	}
}

func TestRule3KerberosDoesNotUpdate(t *testing.T) {
	w := build(t)
	p := &provisioner.Provisioner{Store: w.store}
	kerberos := store.SignOn{Method: "kerberos"}
	_, err := p.Apply(t.Context(), w.ada("cooks"), &kerberos)
	want(t, err, provisioner.ErrUnknownRecord)
	first, _ := w.mustSignOn(w.ada("cooks"))
	id := w.ada("readers")
	id.UserID, id.Properties["email"] = first.User.ID, "other"
	_, err = p.Apply(t.Context(), id, &kerberos)
	w.must(err)
	w.wantGroups(first.User.ID, "cooks")
	if kerberos.Updated || kerberos.UpdateReason != "a Kerberos sign-on does not update the record" {
		t.Errorf("%+v", kerberos)
	}
	if u, _ := w.store.User(t.Context(), w.env.ID, first.User.ID); u.Email != "ada@x" || u.LastSignOnAt.IsZero() {
		t.Errorf("%+v", u)
	}
}

// Exactly the groups that were named are joined: nobody's parents.
func TestRule4DirectGroupsOnly(t *testing.T) {
	w := build(t)
	w.mustSignOn(w.ada("parent", "child"))
	id := w.ada("child")
	id.Username, id.Properties["username"], id.Correlation[0].Value = "bob", "bob", "b-1"
	c, _ := w.mustSignOn(id)
	w.wantGroups(c.User.ID, "child")
}

func TestRule5SourcesNeverShareAGroup(t *testing.T) {
	w := build(t)
	first, _ := w.mustSignOn(w.ada("cooks"))
	id := w.ada("cooks")
	id.SourceType, id.SourceID, id.UserID = store.SourceIDP, "idp", first.User.ID
	c, _ := w.mustSignOn(id)
	w.wantGroups(first.User.ID, "cooks cooks")
	if c.Added[0].SourceType != store.SourceIDP || c.Added[0].SourceID != "idp" || c.User.GatewayID != w.gateway.ID {
		t.Errorf("%+v", c)
	}
	id.Membership.Groups = nil
	w.mustSignOn(id) // leaves the provider's only
	w.wantGroups(first.User.ID, "cooks")
	left, err := w.store.UserGroups(t.Context(), w.env.ID, first.User.ID)
	if err != nil || left[0].Group.SourceType != store.SourceGateway {
		t.Errorf("%+v, %v", left, err)
	}
}

// Two gateways are two sources, though both are directories.
func TestRule5GatewaysNeverShareAGroup(t *testing.T) {
	w := build(t)
	first, _ := w.mustSignOn(w.ada("cooks"))
	id := w.ada("readers")
	id.SourceID, id.UserID = w.newGateway("two").ID, first.User.ID
	c, _ := w.mustSignOn(id)
	w.wantGroups(first.User.ID, "cooks readers")
	if len(c.Removed) != 0 || c.User.GatewayID != w.gateway.ID || c.User.DN != first.User.DN {
		t.Errorf("%+v", c)
	}
}

func TestOrdinaryGroupsAreLeftAlone(t *testing.T) {
	w := build(t)
	first, _ := w.mustSignOn(w.ada("cooks"))
	g := store.Group{EnvironmentID: w.env.ID, Name: "cn=cooks,dc=x", DisplayName: "ours"}
	w.must(w.store.CreateGroup(t.Context(), &g))
	w.must(w.store.AddMember(t.Context(), w.env.ID, first.User.ID, g.ID, w.at))
	w.mustSignOn(w.ada())
	w.wantGroups(first.User.ID, "ours")
	w.mustSignOn(w.ada("cooks"))
	w.wantGroups(first.User.ID, "cooks ours")
}

func TestRule6RenameByName(t *testing.T) {
	w := build(t)
	first, _ := w.mustSignOn(w.ada("cooks"))
	c, so := w.mustSignOn(w.ada("chefs"))
	w.wantGroups(first.User.ID, "chefs")
	if len(c.Added) != 1 || len(c.Removed) != 1 || len(c.GroupsRenamed) != 0 || len(so.Removed) != 1 {
		t.Errorf("%+v", c)
	}
	if g, err := w.store.Group(t.Context(), w.env.ID, so.Removed[0]); err != nil || g.MemberCount != 0 {
		t.Errorf("the old group stays, empty: %+v, %v", g, err)
	}
}

func TestRule6RenameByID(t *testing.T) {
	w := build(t)
	byID := func(groups ...provisioner.Group) provisioner.Identity {
		id := w.ada()
		id.GroupIdentity, id.Membership.Groups = "ID", groups
		return id
	}
	first, so1 := w.mustSignOn(byID(provisioner.Group{Name: "cn=cooks,dc=x", DisplayName: "cooks", ID: "1"}))
	c, so := w.mustSignOn(byID(provisioner.Group{Name: "cn=chefs,dc=x", DisplayName: "chefs", ID: "1"}))
	w.wantGroups(first.User.ID, "chefs")
	w.wantActions(so, "group.renamed", "sign-on")
	if len(c.Added)+len(c.Removed) != 0 || len(c.GroupsRenamed) != 1 || c.GroupsRenamed[0].ID != so1.Added[0] ||
		!so.Updated {
		t.Errorf("%+v", c)
	}
	// Made again under the same name, it is another group.
	c, _ = w.mustSignOn(byID(provisioner.Group{Name: "cn=chefs,dc=x", DisplayName: "chefs", ID: "2"}))
	if len(c.Added) != 1 || len(c.Removed) != 1 {
		t.Errorf("%+v", c)
	}
}

// A user type that turns to IDs keeps the groups that it made by name.
func TestRule6FromNameToID(t *testing.T) {
	w := build(t)
	w.mustSignOn(w.ada("cooks"))
	id := w.ada()
	id.GroupIdentity = "ID"
	id.Membership.Groups = []provisioner.Group{{
		Name:        "CN=cooks, DC=x",
		DisplayName: "cooks",
		ID:          "1",
	}, {Name: "cn=cooks,dc=x", DisplayName: "cooks", ID: "2"},
		{Name: "cn=cooks,dc=x", DisplayName: "cooks"}}
	c, _ := w.mustSignOn(id)
	if len(c.Added) != 2 || len(c.Removed) != 0 {
		t.Fatalf("%+v", c)
	}
	if c, _ := w.mustSignOn(id); c.Updated {
		t.Errorf("%+v", c)
	}
	id.GroupIdentity = "NAME"
	if c, _ := w.mustSignOn(id); len(c.GroupsCreated) != 0 || len(c.Removed) != 2 {
		t.Errorf("back by name: %+v", c)
	}
}

func TestRule7TwoOrganizationalUnitsTwoGroups(t *testing.T) {
	w := build(t)
	id := w.ada()
	id.Membership.Groups = []provisioner.Group{{
		Name:        "cn=cooks,ou=a,dc=x",
		DisplayName: "cooks",
	}, {Name: "cn=cooks,ou=b,dc=x", DisplayName: "cooks"},
		{Name: "CN=Cooks, OU=a , DC=x", DisplayName: "cooks"}}
	c, _ := w.mustSignOn(id)
	w.wantGroups(c.User.ID, "cooks cooks")
}

func TestRule7DisplayNameFollows(t *testing.T) {
	w := build(t)
	first, _ := w.mustSignOn(w.ada("cooks"))
	id := w.ada("cooks")
	id.Membership.Groups[0].DisplayName = "Chefs"
	c, so := w.mustSignOn(id)
	w.wantGroups(first.User.ID, "Chefs")
	w.wantActions(so, "group.renamed", "sign-on")
	if !c.Updated || so.UpdateReason != "changed: 1 group renamed" {
		t.Errorf("%+v", so)
	}
	id.Membership.Groups[0].DisplayName = ""
	w.mustSignOn(id)
	w.wantGroups(first.User.ID, "cn=cooks,dc=x")
}

func TestRule8RemovedByHandComesBack(t *testing.T) {
	w := build(t)
	first, so := w.mustSignOn(w.ada("cooks"))
	w.must(w.store.RemoveMember(t.Context(), w.env.ID, first.User.ID, so.Added[0]))
	id := w.ada("cooks")
	id.Update = false
	w.mustSignOn(id)
	w.wantGroups(first.User.ID, "")
	w.mustSignOn(w.ada("cooks"))
	w.wantGroups(first.User.ID, "cooks")
}

func TestRule9NobodyIsAddedByHand(t *testing.T) {
	w := build(t)
	first, so := w.mustSignOn(w.ada("cooks"))
	want(t, w.store.AddMember(t.Context(), w.env.ID, first.User.ID, so.Added[0], w.at), store.ErrReadOnly)
}

// Nobody but who signed on is written.
func TestRule10NobodyIsImported(t *testing.T) {
	w := build(t)
	w.mustSignOn(w.ada("cooks"))
	if n := w.count("users"); n != 1 {
		t.Errorf("%d users", n)
	}
}

func TestOnlyCompleteRemoves(t *testing.T) {
	for verdict, c := range map[provisioner.Verdict]struct{ groups, reason string }{
		provisioner.Complete: {"b c", "changed: joined 1 group, left 1 group"},
		provisioner.Partial:  {"a b c", "changed: joined 1 group; membership partial: size limit: nothing removed"},
		provisioner.Unknown:  {"a b", "membership unknown: size limit: nothing added or removed"},
		0:                    {"a b", "membership unknown: size limit: nothing added or removed"},
		77:                   {"a b", "membership unknown: size limit: nothing added or removed"},
	} {
		t.Run(fmt.Sprint(uint8(verdict)), func(t *testing.T) {
			w := build(t)
			first, _ := w.mustSignOn(w.ada("a", "b"))
			id := w.ada("b", "c")
			id.Membership.Verdict, id.Membership.Reason = verdict, "size limit"
			_, so := w.mustSignOn(id)
			w.wantGroups(first.User.ID, c.groups)
			if so.UpdateReason != c.reason || so.VerdictReason != "size limit" || so.Verdict != verdict.String() {
				t.Errorf("%+v", so)
			}
			if refused := slices.Contains(w.actions(so), "update.refused"); refused == (verdict == provisioner.Complete) {
				t.Errorf("activities %v", w.actions(so))
			}
		})
	}
}

func TestGroupsNotAskedFor(t *testing.T) {
	w := build(t)
	first, _ := w.mustSignOn(w.ada("a"))
	id := w.ada()
	id.Membership = nil
	_, so := w.mustSignOn(id)
	w.wantGroups(first.User.ID, "a")
	if so.Verdict != "" || so.UpdateReason != "nothing changed" || so.Updated {
		t.Errorf("%+v", so)
	}
}

// A group without a name could be any of those that the user is in.
func TestNamelessGroupMakesPartial(t *testing.T) {
	w := build(t)
	first, _ := w.mustSignOn(w.ada("a", "b"))
	id := w.ada("a")
	id.Membership.Groups = append(id.Membership.Groups, provisioner.Group{Name: " ", ID: "7"})
	w.seen = func(provisioner.Question) provisioner.Sight { return provisioner.Sight{Reason: "notVisible"} }
	_, so := w.mustSignOn(id)
	w.wantGroups(first.User.ID, "a b")
	if so.Verdict != "partial" {
		t.Errorf("%+v", so)
	}
}

// Of fifty first sign-ons of one person at the same time, on several nodes, one
// makes the record.
func TestParallelFirstSignOns(t *testing.T) {
	w := build(t)
	nodes := []*store.Store{w.store, w.node(), w.node()}
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			so := store.SignOn{Method: "password"}
			if _, err := (&provisioner.Provisioner{Store: nodes[i%3]}).Apply(t.Context(), w.ada("a", "b", "c"), &so); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for table, n := range map[string]int{
		"users":        1,
		"cloud_groups": 3,
		"memberships":  3,
		"sign_ons":     50,
		"activities":   1 + 3 + 3,
	} {
		if got := w.count(table); got != n {
			t.Errorf("%s has %d rows, want %d", table, got, n)
		}
	}
}
