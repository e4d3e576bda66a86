package management_test

import (
	"reflect"
	"testing"

	m "ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// what returns what an activity says that there was, or is, under a name.
func what(detail map[string]any, when, name string) any {
	values, _ := detail[when].(map[string]any)
	return values[name]
}

// A caller that changes lists in place changes what is to be kept, and not what the
// activity says that there was before.
func TestChangesInPlaceAreTold(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by := w.as(store.RoleOwner)
	must(t, w.Store.Provision(ctx, func(tx *store.Tx) error {
		g := w.gateway
		g.Revision = 0
		g.Declared.ServersHostAndPort = []string{"a:636"}
		g.Kerberos.Realms = []string{"A.EXAMPLE"}
		g.UserTypes[0].Groups.Include = []string{"cn=a"}
		return tx.Store().UpdateGateway(ctx, &g)
	}))

	_, err := w.ChangeApplication(ctx, by, w.application.ID, func(a *store.Application) error {
		a.RedirectURIs[0] = "https://new.example.com/cb"
		return nil
	})
	must(t, err)
	was := what(w.detail("application.updated"), "before", "redirectUris")
	if !reflect.DeepEqual(was, []any{"https://wiki.example.com/cb"}) {
		t.Errorf("the address was %v", was)
	}

	_, err = w.ChangeGateway(ctx, by, w.gateway.ID, func(d *m.Draft) error {
		d.Declared.ServersHostAndPort[0] = "b:636"
		d.Kerberos.Realms[0] = "B.EXAMPLE"
		d.UserTypes[0].Mappings[0].Value = "${ldapAttributes.new}"
		d.UserTypes[0].Correlation[0] = "new"
		d.UserTypes[0].Groups.Include[0] = "cn=b"
		return nil
	})
	must(t, err)
	told := w.detail("gateway.updated")
	for _, name := range []string{"declared", "kerberos", "userTypes"} {
		was, is := what(told, "before", name), what(told, "after", name)
		if was == nil || is == nil || reflect.DeepEqual(was, is) {
			t.Errorf("%s was %v, and is %v", name, was, is)
		}
	}

	_, _, err = w.ChangeUserType(ctx, by, w.kind, func(u *m.TypeState) error {
		u.Mappings[0].Value = "${ldapAttributes.newer}"
		return nil
	})
	must(t, err)
	if told := w.detail("gateway.updated"); what(told, "before", "userTypes") == nil {
		t.Errorf("%v", told)
	}

	order := []store.UserTypeRef{w.kind, w.other}
	must(t, second(w.ChangeSettings(ctx, by, func(e *store.Environment) error {
		e.Settings.SignOnOrder = order
		return nil
	})))
	_, err = w.ChangeSettings(ctx, by, func(e *store.Environment) error {
		e.Settings.SignOnOrder[0], e.Settings.SignOnOrder[1] = w.other, w.kind
		return nil
	})
	must(t, err)
	if told := w.detail("environment.updated"); what(told, "before", "signOnOrder") == nil {
		t.Errorf("%v", told)
	}
}

// Taking a role from a group that gives none changes nothing, and is no activity.
func TestNoRoleIsTakenAway(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by := w.as(store.RoleOwner)
	notes := len(w.activities())
	must(t, second(w.SetRoleGroup(ctx, by, w.group.ID, "", nil)))
	if all := w.activities(); len(all) != notes {
		t.Errorf("%s", all[0].Text)
	}
	must(t, second(w.SetRoleGroup(ctx, by, w.group.ID, store.RoleReadOnly, nil)))
	must(t, second(w.SetRoleGroup(ctx, by, w.group.ID, "", nil)))
	if was := what(w.detail("role.changed"), "before", "role"); was != "READ_ONLY" {
		t.Errorf("the role was %v", was)
	}
}
