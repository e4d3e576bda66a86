package management_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"ldap-gateway/cloud/fault"
	m "ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// long returns a text of n characters, each of two bytes.
func long(n int) string { return strings.Repeat("é", n) }

// linking links the world's user to the same user type by values.
func linking(values map[string]string) func(ctx context.Context, w *world, by m.By) error {
	return func(ctx context.Context, w *world, by m.By) error {
		link := m.Link{To: w.kind, Values: values}
		return second(w.LinkUser(ctx, by, w.user.ID, func(store.User) (m.Link, error) { return link, nil }))
	}
}

// many returns n values, each of an attribute of its own.
func many(n int) map[string]string {
	values := map[string]string{}
	for i := range n {
		values[fmt.Sprint("a", i)] = "x"
	}
	return values
}

// lengths are checks of what is too long, or names nothing.
var lengths = []check{
	{"user of a long name", changing(func(u *store.User) {
		u.Username = long(257)
	}), fault.Username, fault.Invalid, 0, 0},
	{"new user of a long name", func(ctx context.Context, w *world, by m.By) error {
		return w.CreateUser(ctx, by, &store.User{Username: long(257)})
	}, fault.Username, fault.Invalid, 0, 0},
	{"group of a long name", group(ordinary, func(g *store.Group) {
		g.Name = long(1025)
	}), fault.Name, fault.Invalid, 0, 0},
	{"group of a long display name", group(ordinary, func(g *store.Group) {
		g.DisplayName = long(1025)
	}), fault.DisplayName, fault.Invalid, 0, 0},
	{"new group of a long name", func(ctx context.Context, w *world, by m.By) error {
		return w.CreateGroup(ctx, by, &store.Group{Name: long(1025)})
	}, fault.Name, fault.Invalid, 0, 0},
	{"population of a long name", func(ctx context.Context, w *world, by m.By) error {
		return w.CreatePopulation(ctx, by, &store.Population{Name: long(201)})
	}, fault.Name, fault.Invalid, 0, 0},
	{"gateway of a long name", gateway(func(_ *world, d *m.Draft) {
		d.Name = long(201)
	}), fault.Name, fault.Invalid, 0, 0},
	{"application of a long name", application(func(a *store.Application) {
		a.Name = long(201)
	}), fault.Name, fault.Invalid, 0, 0},
	{"client of a long name", func(ctx context.Context, w *world, by m.By) error {
		return second(w.CreateClient(ctx, by, &store.Client{Name: long(201), Role: store.RoleReadOnly}))
	}, fault.Name, fault.Invalid, 0, 0},

	{"entry by no attribute", linking(map[string]string{"": "x"}), fault.Entry, fault.Invalid, 0, 0},
	{"entry by a phrase", linking(map[string]string{"two words": "x"}), fault.Entry, fault.Invalid, 0, 0},
	{"entry by a long attribute", linking(map[string]string{
		strings.Repeat("a", 1025): "x",
	}), fault.Entry, fault.Invalid, 0, 0},
	{"entry by a long value", linking(map[string]string{"uid": long(513)}), fault.Entry, fault.Invalid, 0, 0},
	{"entry by too many values", linking(many(33)), fault.Entry, fault.Invalid, 0, 0},
}

// What is as long as it may be is kept, whatever number of bytes its characters are.
func TestLongestNames(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by := w.as(store.RoleOwner)
	must(t, w.CreateUser(ctx, by, &store.User{Username: long(256)}))
	must(t, w.CreateGroup(ctx, by, &store.Group{Name: long(1024), DisplayName: long(1024)}))
	must(t, w.CreatePopulation(ctx, by, &store.Population{Name: long(200)}))
	must(t, w.CreateGateway(ctx, by, &m.Draft{Gateway: store.Gateway{Name: long(200), Vendor: "OpenLDAP"}}))
	a := w.application
	a.Name = long(200)
	must(t, w.CreateApplication(ctx, by, &a))
	must(t, second(w.CreateAdministrator(ctx, by, &store.Administrator{Name: long(200), Role: store.RoleReadOnly})))
	must(t, second(w.CreateClient(ctx, by, &store.Client{Name: long(200), Role: store.RoleReadOnly})))
	must(t, second(w.RenameEnvironment(ctx, by, func(e *store.Environment) error { e.Name = long(200); return nil })))
	must(t, linking(map[string]string{"uid": strings.Repeat("x", 1024)})(ctx, w, by))
	must(t, linking(many(32))(ctx, w, by))
}

// What a directory gave may be longer. It stays good: its record is changed, disabled,
// linked and deleted like any other.
func TestLongNamesOfADirectory(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by := w.as(store.RoleOwner)
	u := w.user
	u.Username = long(5000)
	u.Correlation = append(u.Correlation, store.Correlation{Attribute: "no attribute", Value: long(5000)})
	for name := range many(40) {
		u.Correlation = append(u.Correlation, store.Correlation{Attribute: name, Value: "x"})
	}
	must(t, w.Store.UpdateUser(ctx, &u))
	disabled, err := w.ChangeUser(ctx, by, u.ID, func(u *store.User) error { u.Enabled = false; return nil })
	if err != nil || disabled.Enabled || disabled.Username != long(5000) {
		t.Errorf("%t, %v", disabled.Enabled, err)
	}
	kept := map[string]string{}
	for _, c := range u.Correlation {
		kept[c.Attribute] = c.Value
	}
	must(t, linking(kept)(ctx, w, by))
	kept["no attribute"] += "x" // another value is a new one
	if err := linking(kept)(ctx, w, by); err == nil {
		t.Error("a long value was taken from an administrator")
	}
	if err := changing(func(u *store.User) { u.Username += "x" })(ctx, w, by); err == nil {
		t.Error("a long username was taken from an administrator")
	}
	must(t, w.DeleteUser(ctx, by, u.ID, nil))

	g := store.Group{
		EnvironmentID: w.env,
		Name:          "cn=" + long(5000),
		DisplayName:   long(5000),
		SourceType:    store.SourceGateway,
		SourceID:      w.gateway.ID,
	}
	must(t, w.Store.Provision(ctx, func(tx *store.Tx) error { return tx.CreateGroups(ctx, []*store.Group{&g}) }))
	changed, err := w.ChangeGroup(ctx, by, g.ID, func(g *store.Group) error { g.Description = "d"; return nil })
	if err != nil || changed.Description != "d" || changed.DisplayName != long(5000) {
		t.Errorf("%q, %v", changed.Description, err)
	}
	must(t, w.DeleteGroup(ctx, by, g.ID, nil))
}
