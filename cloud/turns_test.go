package cloud

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"modernc.org/sqlite"

	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/provisioner"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/storetest"
)

// longTurn is how many rows a turn may write, what hangs on a row included: some milliseconds.
const longTurn = 1000

// turnRows counts the rows that are written before each commit of SQLite's, in whatever way: by a statement, or
// since they hang on a row that goes.
type turnRows struct {
	now, longest atomic.Int64
	table        atomic.Value // that was written last, of the longest
}

// countRows has every connection to SQLite from now on counted.
var countRows = sync.OnceValue(func() *turnRows {
	c := &turnRows{}
	sqlite.RegisterConnectionHook(func(conn sqlite.ExecQuerierContext, _ string) error {
		hooks := conn.(sqlite.HookRegisterer)
		var table string
		hooks.RegisterPreUpdateHook(func(d sqlite.SQLitePreUpdateData) {
			table = d.TableName
			c.now.Add(1)
		})
		hooks.RegisterRollbackHook(func() { c.now.Store(0) })
		hooks.RegisterCommitHook(func() int32 {
			if n := c.now.Swap(0); n > c.longest.Load() {
				c.longest.Store(n)
				c.table.Store(table)
			}
			return 0
		})
		return nil
	})
	return c
})

// nobodyLinked is told of no link.
type nobodyLinked struct{}

func (nobodyLinked) UserTypesChanged(string) {}
func (nobodyLinked) Rotate(string)           {}
func (nobodyLinked) Revoked(string)          {}

// much is an environment in which much hangs on everything.
type much struct {
	t        *testing.T
	db       *store.Store
	file     string // of it
	service  *management.Service
	by       management.By
	at       *provisioner.Provisioner
	gateway  store.Gateway
	other    store.Gateway
	provider store.IdentityProvider
	client   store.Client
	app      store.Application
	everyone store.Group // that all people are in, and
	theirs   store.Group // of the provider
	people   []store.User
}

// howMuch is more than a turn may write, of everything.
const howMuch = longTurn + 100

// muchMade is a database with all of it, which is made once, and what is in it.
var muchMade struct {
	once sync.Once
	much much
	file []byte
}

// makeMuch makes it, in turns that do not count.
func makeMuch(t *testing.T) *much {
	t.Helper()
	muchMade.once.Do(func() {
		m := fillMuch(t, storetest.File(t))
		must(t, m.db.Close())
		b, err := os.ReadFile(m.file)
		must(t, err)
		muchMade.much, muchMade.file = *m, b
	})
	m := muchMade.much
	m.file = storetest.File(t)
	must(t, os.WriteFile(m.file, muchMade.file, 0o600))
	db, err := store.Open(t.Context(), m.file)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	m.use(t, db)
	return &m
}

// use has it be in a database.
func (m *much) use(t *testing.T, db *store.Store) {
	m.t, m.db, m.at = t, db, &provisioner.Provisioner{Store: db}
	m.service = &management.Service{Store: db, Links: nobodyLinked{}}
}

// fillMuch makes it in a file.
func fillMuch(t *testing.T, file string) *much {
	t.Helper()
	db, err := store.Open(t.Context(), file)
	must(t, err)
	env := store.Environment{Name: "Much"}
	must(t, db.NewEnvironment(t.Context(), &env))
	m := &much{file: file}
	m.use(t, db)
	owner := store.Client{EnvironmentID: env.ID, Name: "Owner", Role: store.RoleOwner, SecretHash: []byte("x")}
	must(t, db.CreateClient(t.Context(), &owner))
	m.by = management.By{Environment: env.ID, Kind: management.Program, ID: owner.ID, Role: store.RoleOwner}
	m.gateway, m.other = m.addGateway("First"), m.addGateway("Second")
	m.client = store.Client{EnvironmentID: env.ID, Name: "Reader", Role: store.RoleReadOnly, SecretHash: []byte("y")}
	must(t, db.CreateClient(t.Context(), &m.client))
	m.app = store.Application{EnvironmentID: env.ID, Name: "App", Enabled: true, Type: store.WebApplication}
	must(t, db.CreateApplication(t.Context(), &m.app))
	m.provider = store.IdentityProvider{EnvironmentID: env.ID, Name: "Elsewhere", Type: store.OpenIDConnect, Enabled: true}
	must(t, db.CreateIdentityProvider(t.Context(), &m.provider))
	must(t, db.Provision(t.Context(), m.fill))
	return m
}

func (m *much) env() string { return m.by.Environment }

func (m *much) addGateway(name string) store.Gateway {
	g := store.Gateway{
		EnvironmentID: m.env(),
		Name:          name,
		Vendor:        "OpenLDAP",
		Enabled:       true,
		UserTypes:     []store.UserType{{ID: name, Name: "People"}, {ID: name + "2", Name: "Guests"}},
	}
	must(m.t, m.db.CreateGateway(m.t.Context(), &g))
	return g
}

// fill makes people, each in one group of all and one of their own, linked to a provider, with tokens.
func (m *much) fill(tx *store.Tx) error {
	ctx := m.t.Context()
	groups := make([]*store.Group, howMuch)
	for i := range groups {
		groups[i] = m.group(store.SourceGateway, m.gateway.ID, i)
	}
	theirs := m.group(store.SourceIDP, m.provider.ID, 0)
	if err := tx.CreateGroups(ctx, append(groups, theirs)); err != nil {
		return err
	}
	m.everyone, m.theirs = *groups[0], *theirs
	for i := range howMuch {
		u := store.User{
			EnvironmentID: m.env(),
			PopulationID:  m.population(tx),
			Username:      fmt.Sprint("person", i),
			Enabled:       true,
			GatewayID:     m.gateway.ID,
			UserTypeID:    m.gateway.UserTypes[0].ID,
			Correlation:   []store.Correlation{{Attribute: "entryUUID", Value: fmt.Sprint(i)}},
		}
		if err := tx.CreateUser(ctx, &u); err != nil {
			return err
		}
		m.people = append(m.people, u)
		in := []store.Joined{{GroupID: groups[0].ID}, {GroupID: theirs.ID}}
		if i > 0 {
			in = append(in, store.Joined{GroupID: groups[i].ID})
		}
		if err := tx.AddMemberships(ctx, m.env(), u.ID, in, time.Now()); err != nil {
			return err
		}
		if err := m.hang(tx.Store(), i, u); err != nil {
			return err
		}
	}
	return nil
}

// population is the one that people join.
func (m *much) population(tx *store.Tx) string {
	p, err := tx.DefaultPopulation(m.t.Context(), m.env())
	must(m.t, err)
	return p.ID
}

// group is the i-th of a source.
func (m *much) group(kind store.Source, source string, i int) *store.Group {
	return &store.Group{EnvironmentID: m.env(), Name: fmt.Sprintf("cn=%d", i), SourceType: kind, SourceID: source}
}

// hang makes what hangs on a person, an application and a client.
func (m *much) hang(tx *store.Store, i int, u store.User) error {
	ctx, soon := m.t.Context(), time.Now().Add(time.Hour)
	if err := tx.CreateToken(ctx, fmt.Append(nil, i), m.client.ID, m.env(), soon); err != nil {
		return err
	}
	link := store.LinkedAccount{
		EnvironmentID: m.env(),
		ProviderID:    m.provider.ID,
		UserID:        u.ID,
		Subject:       store.Subject{ID: fmt.Sprint(i)},
	}
	if err := tx.LinkAccount(ctx, &link); err != nil {
		return err
	}
	by := store.SignedOn{UserID: u.ID, SignOffs: u.SignOffs}
	code := store.Authorization{
		EnvironmentID: m.env(), ApplicationID: m.app.ID, Request: []byte("{}"), SignedOn: by, ExpiresAt: soon,
	}
	if err := tx.CreateAuthorization(ctx, &code, nil); err != nil {
		return err
	}
	return tx.AddToken(ctx, &store.Token{
		EnvironmentID:   m.env(),
		ApplicationID:   m.app.ID,
		AuthorizationID: code.ID,
		SignedOn:        by,
		ExpiresAt:       soon,
	}, nil, time.Now())
}

// identity is a sign-on of somebody with so many groups from one on.
func (m *much) identity(name string, from, groups int) provisioner.Identity {
	id := provisioner.Identity{
		EnvironmentID: m.env(),
		SourceType:    store.SourceGateway,
		SourceID:      m.gateway.ID,
		UserTypeID:    m.gateway.UserTypes[0].ID,
		Update:        true,
		GroupIdentity: "ID",
		Correlation:   []store.Correlation{{Attribute: "entryUUID", Value: name}},
		Properties:    map[string]string{"username": name},
		Membership:    &provisioner.Membership{Verdict: provisioner.Complete},
		Evidence:      &provisioner.Evidence{},
	}
	for i := range groups {
		id.Membership.Groups = append(id.Membership.Groups, provisioner.Group{
			Name: fmt.Sprintf("cn=large%d", from+i),
			ID:   fmt.Sprint("id", from+i),
		})
	}
	return id
}

// seen is an identity of whose groups that it lacks a directory showed so.
func seen(id provisioner.Identity, f provisioner.Finding) provisioner.Identity {
	id.Evidence = &provisioner.Evidence{Beyond: provisioner.Sight{Finding: f, Reason: "hidden", Words: "it is hidden"}}
	return id
}

// renamed is an identity whose groups have other names than before.
func renamed(id provisioner.Identity) provisioner.Identity {
	for i := range id.Membership.Groups {
		id.Membership.Groups[i].Name += ",o=new"
	}
	return id
}

// signOn applies a sign-on that is to change so much.
func (m *much) signOn(id provisioner.Identity, added, removed, renamed int) error {
	c, err := m.at.Apply(context.Background(), id, &store.SignOn{Method: "password"})
	if err == nil && (len(c.Added) != added || len(c.Removed) != removed || len(c.GroupsRenamed) != renamed) {
		err = fmt.Errorf("%d added, %d removed, %d renamed: %s", len(c.Added), len(c.Removed), len(c.GroupsRenamed), c.Reason)
	}
	return err
}

// named is the user of that name.
func (m *much) named(name string) store.User {
	u, err := m.db.UserByUsername(m.t.Context(), m.env(), name)
	must(m.t, err)
	return u
}

// later sweeps as if it were a year later.
func (m *much) later() error {
	_, err := m.db.Sweep(m.t.Context(), time.Now().AddDate(1, 0, 0), nil)
	return err
}

// release lets go of everybody in a group of whom it cannot be told.
func (m *much) release() error {
	must(m.t, m.db.Provision(m.t.Context(), func(tx *store.Tx) error {
		for _, u := range m.people {
			err := tx.DoubtMemberships(m.t.Context(), m.env(), u.ID, []string{m.everyone.ID}, "hidden", time.Now())
			if err != nil {
				return err
			}
		}
		return nil
	}))
	countRows().longest.Store(0)
	n, err := m.service.ReleaseGroup(m.t.Context(), m.by, m.everyone.ID)
	return counted(n, howMuch, err)
}

// leave deletes the environment itself, which another made.
func (m *much) leave() error {
	ctx := m.t.Context()
	if err := m.db.EmptyEnvironment(ctx, m.env()); err != nil {
		return err
	}
	return m.db.DeleteEnvironment(ctx, m.env())
}

// No turn writes more rows than a bound, however much hangs on what is changed: everybody else waits for
// it. That holds for whatever changes, or deletes, what grows with people, groups or tokens.
func TestTurnsAreShort(t *testing.T) {
	rows := countRows()
	m := makeMuch(t)
	ctx := t.Context()
	type step struct {
		name string
		do   func() error
	}
	const n = howMuch
	for _, s := range []step{
		{"a first sign-on brings new groups", func() error { return m.signOn(m.identity("new", 0, n), n, 0, 0) }},
		{"a first sign-on brings known groups", func() error { return m.signOn(m.identity("known", 0, n), n, 0, 0) }},
		{"groups have other names", func() error { return m.signOn(renamed(m.identity("new", 0, n)), 0, 0, n) }},
		{"it cannot be told of groups", func() error { return m.signOn(seen(m.identity("new", 0, 0), provisioner.Untold), 0, 0, 0) }},
		{"it can be told again", func() error { return m.signOn(renamed(m.identity("new", 0, n)), 0, 0, 0) }},
		{"groups are left", func() error { return m.signOn(seen(m.identity("new", 0, 0), provisioner.Left), 0, n, 0) }},
		{"others are joined as they are left", func() error {
			return m.signOn(seen(m.identity("known", n, n), provisioner.Left), n, n, 0)
		}},
		{"a group lets go", m.release},
		{"a group goes", func() error { return m.service.DeleteGroup(ctx, m.by, m.theirs.ID, nil) }},
		{"a user goes", func() error { return m.service.DeleteUser(ctx, m.by, m.named("known").ID, nil) }},
		{"an application goes", func() error { _, err := m.service.DeleteApplication(ctx, m.by, m.app.ID, nil); return err }},
		{"people are moved", func() error {
			moved, err := m.service.RelinkUsers(ctx, m.by, m.kind(m.gateway, 0), m.kind(m.gateway, 1))
			return counted(moved, n+1, err)
		}},
		{"people are moved to another gateway", func() error {
			moved, err := m.service.RelinkUsers(ctx, m.by, m.kind(m.gateway, 1), m.kind(m.other, 0))
			return counted(moved, n+1, err)
		}},
		{"a user type goes", func() error { return m.service.RemoveUserType(ctx, m.by, m.kind(m.other, 0), true, nil) }},
		{"a gateway goes", func() error { return m.service.DeleteGateway(ctx, m.by, m.gateway.ID, true, nil) }},
		{"a provider goes", func() error { return m.service.DeleteProvider(ctx, m.by, m.provider.ID, true, nil) }},
		{"a year goes by", m.later},
		{"an environment goes", m.leave},
	} {
		t.Run(s.name, func(t *testing.T) {
			rows.longest.Store(0)
			must(t, s.do())
			if n := rows.longest.Load(); n == 0 || n > longTurn {
				t.Errorf("a turn wrote %d rows, the last of %v", n, rows.table.Load())
			}
		})
	}
}

// kind is a user type of a gateway.
func (m *much) kind(g store.Gateway, i int) store.UserTypeRef {
	return store.UserTypeRef{Gateway: g.ID, UserType: g.UserTypes[i].ID}
}

// counted is an error, or that a number is not the one expected.
func counted(n, want int, err error) error {
	if err == nil && n != want {
		err = fmt.Errorf("%d, want %d", n, want)
	}
	return err
}
