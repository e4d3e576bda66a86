package management_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/kerberos"
	m "ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// check is something that may not be kept, with the fault that says so.
type check struct {
	name  string
	do    func(ctx context.Context, w *world, by m.By) error
	field fault.Field
	kind  fault.Kind
	item  int
	typ   int
}

func gateway(change func(w *world, d *m.Draft)) func(ctx context.Context, w *world, by m.By) error {
	return func(ctx context.Context, w *world, by m.By) error {
		_, err := w.ChangeGateway(ctx, by, w.gateway.ID, func(d *m.Draft) error { change(w, d); return nil })
		return err
	}
}

func application(change func(a *store.Application)) func(ctx context.Context, w *world, by m.By) error {
	return func(ctx context.Context, w *world, by m.By) error {
		_, err := w.ChangeApplication(ctx, by, w.application.ID, func(a *store.Application) error {
			change(a)
			return nil
		})
		return err
	}
}

func group(id func(w *world) string, change func(g *store.Group)) func(ctx context.Context, w *world, by m.By) error {
	return func(ctx context.Context, w *world, by m.By) error {
		_, err := w.ChangeGroup(ctx, by, id(w), func(g *store.Group) error { change(g); return nil })
		return err
	}
}

func ordinary(w *world) string { return w.group.ID }
func jit(w *world) string      { return w.jit.ID }

var checks = []check{
	{"user without a name", changing(func(u *store.User) { u.Username = "" }), fault.Username, fault.Missing, 0, 0},
	{"user of a taken name", changing(func(u *store.User) { u.Username = "BOB" }), fault.Username, fault.Taken, 0, 0},
	{"user of no population", changing(func(u *store.User) { u.PopulationID = "none" }), fault.Population, fault.Invalid, 0, 0},
	{"new user of a taken name", func(ctx context.Context, w *world, by m.By) error {
		return w.CreateUser(ctx, by, &store.User{Username: "Ada"})
	}, fault.Username, fault.Taken, 0, 0},
	{"new user of no population", func(ctx context.Context, w *world, by m.By) error {
		return w.CreateUser(ctx, by, &store.User{Username: "eve", PopulationID: "none"})
	}, fault.Population, fault.Invalid, 0, 0},
	{"link to no gateway", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.LinkUser(ctx, by, w.user.ID, func(store.User) (m.Link, error) { return m.Link{}, nil })
		return err
	}, fault.Gateway, fault.Missing, 0, 0},
	{"link to no user type", func(ctx context.Context, w *world, by m.By) error {
		to := store.UserTypeRef{Gateway: w.gateway.ID, UserType: "none"}
		_, err := w.LinkUser(ctx, by, w.user.ID, func(store.User) (m.Link, error) { return m.Link{To: to}, nil })
		return err
	}, fault.UserType, fault.Invalid, 0, 0},
	{"link to the entry of another", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.LinkUser(ctx, by, w.second.ID, func(store.User) (m.Link, error) {
			return m.Link{To: w.other, Values: map[string]string{"ENTRYUUID": "1"}}, nil
		})
		return err
	}, fault.Entry, fault.Taken, 0, 0},
	{"relink to no user type", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.RelinkUsers(ctx, by, w.kind, store.UserTypeRef{Gateway: w.gateway.ID})
		return err
	}, fault.UserType, fault.Invalid, 0, 0},

	{"group without a name", group(ordinary, func(g *store.Group) { g.Name = "" }), fault.Name, fault.Missing, 0, 0},
	{"group of no population", group(ordinary, func(g *store.Group) { g.PopulationID = "none" }), fault.Population, fault.Invalid, 0, 0},
	{"name of a just-in-time group", group(jit, func(g *store.Group) { g.Name = "x" }), fault.Name, fault.ReadOnly, 0, 0},
	{"display name of such", group(jit, func(g *store.Group) { g.DisplayName = "x" }), fault.DisplayName, fault.ReadOnly, 0, 0},
	{"new group with a source", func(ctx context.Context, w *world, by m.By) error {
		return w.CreateGroup(ctx, by, &store.Group{Name: "x", SourceType: store.SourceIDP})
	}, fault.Source, fault.ReadOnly, 0, 0},
	{"new group of a taken name", func(ctx context.Context, w *world, by m.By) error {
		return w.CreateGroup(ctx, by, &store.Group{Name: "operators"})
	}, fault.Name, fault.Taken, 0, 0},
	{"member of a just-in-time group", func(ctx context.Context, w *world, by m.By) error {
		return w.AddMember(ctx, by, w.user.ID, w.jit.ID)
	}, fault.Group, fault.ReadOnly, 0, 0},
	{"member of no group", func(ctx context.Context, w *world, by m.By) error {
		return w.AddMember(ctx, by, w.user.ID, "none")
	}, fault.Group, fault.Invalid, 0, 0},

	{"population without a name", func(ctx context.Context, w *world, by m.By) error {
		return w.CreatePopulation(ctx, by, &store.Population{})
	}, fault.Name, fault.Missing, 0, 0},
	{"population of a taken name", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.ChangePopulation(ctx, by, w.more.ID, func(p *store.Population) error {
			p.Name = "STAFF"
			return nil
		})
		return err
	}, fault.Name, fault.Taken, 0, 0},

	{"gateway without a name", gateway(func(_ *world, d *m.Draft) { d.Name = "" }), fault.Name, fault.Missing, 0, 0},
	{"gateway for no directory", gateway(func(_ *world, d *m.Draft) { d.Vendor = "Abacus" }), fault.Vendor, fault.Invalid, 0, 0},
	{"connection of no kind", gateway(func(_ *world, d *m.Draft) { d.Declared.ConnectionSecurity = "SSL" }), fault.Security, fault.Invalid, 0, 0},
	{"server without a port", gateway(func(_ *world, d *m.Draft) {
		d.Declared.ServersHostAndPort = []string{"a:636", "b"}
	}), fault.Servers, fault.Invalid, 2, 0},
	{"server of port 0", gateway(func(_ *world, d *m.Draft) { d.Declared.ServersHostAndPort = []string{"a:0"} }), fault.Servers, fault.Invalid, 1, 0},
	{"user type of another gateway", gateway(func(_ *world, d *m.Draft) { d.UserTypes[1].ID = "none" }), fault.UserTypeID, fault.Invalid, 0, 2},
	{"user type of no population", gateway(func(_ *world, d *m.Draft) {
		d.UserTypes[1].PopulationID = "none"
	}), fault.TypeTarget, fault.Invalid, 0, 2},
	{"user types of one name", gateway(func(_ *world, d *m.Draft) { d.UserTypes[1].Name = "PEOPLE" }), fault.TypeName, fault.Taken, 0, 2},
	{"mapping of a second user type", gateway(func(_ *world, d *m.Draft) {
		d.UserTypes[1].Mappings[2].Value = "sn"
	}), fault.MappingValue, fault.Invalid, 3, 2},
	{"user type with users left out", gateway(func(_ *world, d *m.Draft) {
		d.UserTypes = d.UserTypes[1:]
	}), fault.UserTypes, fault.Depended, 0, 0},
	{"new user type of a taken name", func(ctx context.Context, w *world, by m.By) error {
		_, _, err := w.AddUserType(ctx, by, w.gateway.ID, w.people("guests"))
		return err
	}, fault.TypeName, fault.Taken, 0, 0},
	{"new gateway of a taken name", func(ctx context.Context, w *world, by m.By) error {
		return w.CreateGateway(ctx, by, &m.Draft{Gateway: store.Gateway{Name: "HEADQUARTERS", Vendor: "OpenLDAP"}})
	}, fault.Name, fault.Taken, 0, 0},

	{"keys kept for too long", gateway(func(_ *world, d *m.Draft) { d.Kerberos.RetainMinutes = 10_081 }), fault.Retain, fault.Invalid, 0, 0},
	{"keys kept for less than nothing", gateway(func(_ *world, d *m.Draft) { d.Kerberos.RetainMinutes = -1 }), fault.Retain, fault.Invalid, 0, 0},
	{"everybody is one person", gateway(func(_ *world, d *m.Draft) {
		d.Kerberos.Attribute, d.Kerberos.Value = "uid", "${realm}"
	}), fault.PrincipalValue, fault.Invalid, 0, 0},
	{"no network", gateway(func(_ *world, d *m.Draft) { d.Kerberos.Networks = []string{"10.0.0.1"} }), fault.Networks, fault.Invalid, 1, 0},
	{"realm in small letters", gateway(func(_ *world, d *m.Draft) { d.Kerberos.Realms = []string{"A", "b"} }), fault.Realms, fault.Invalid, 2, 0},
	{"account without a realm", gateway(func(_ *world, d *m.Draft) {
		d.Kerberos.ServiceAccount, d.ServicePassword = "svc", "x"
	}), fault.ServiceAccount, fault.Invalid, 0, 0},
	{"account without a password", gateway(func(_ *world, d *m.Draft) {
		d.Kerberos.ServiceAccount = "svc@corp.example.com"
	}), fault.ServicePassword, fault.Missing, 0, 0},
	{"keytab that is none", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.UseKeys(ctx, by, w.gateway.ID, kerberos.NewKeys{Keytab: []byte("x")})
		return err
	}, fault.Keys, fault.Invalid, 0, 0},

	{"code that nobody shows", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.ApprovePairing(ctx, by, w.gateway.ID, "NONE-NONE")
		return err
	}, fault.PairingCode, fault.Invalid, 0, 0},
	{"code that nobody shows, denied", func(ctx context.Context, w *world, by m.By) error {
		return w.DenyPairing(ctx, by, w.gateway.ID, "NONE-NONE")
	}, fault.PairingCode, fault.Invalid, 0, 0},

	{"application without a name", application(func(a *store.Application) { a.Name = "" }), fault.Name, fault.Missing, 0, 0},
	{"application of no type", application(func(a *store.Application) { a.Type = "WORKER" }), fault.ApplicationType, fault.Invalid, 0, 0},
	{"application without a redirect", application(func(a *store.Application) { a.RedirectURIs = nil }), fault.Redirects, fault.Missing, 0, 0},
	{"redirect without TLS", application(func(a *store.Application) {
		a.RedirectURIs = append(a.RedirectURIs, "http://wiki.example.com/")
	}), fault.Redirects, fault.Invalid, 2, 0},
	{"redirect to a script", application(func(a *store.Application) {
		a.Type, a.RedirectURIs = store.NativeApplication, []string{"javascript:alert(1)"}
	}), fault.Redirects, fault.Invalid, 1, 0},
	{"sign-off to a scheme of a program", application(func(a *store.Application) {
		a.SignOffURIs = []string{"https://x/", "app:/x"}
	}), fault.SignOffs, fault.Invalid, 2, 0},
	{"claim of nothing", application(func(a *store.Application) { a.Groups.Value = "DNS" }), fault.GroupsClaim, fault.Invalid, 0, 0},
	{"claim of nobody's groups", application(func(a *store.Application) {
		a.Groups.Sources = []string{a.ID}
	}), fault.GroupsClaim, fault.Invalid, 1, 0},
	{"back channel without TLS", application(func(a *store.Application) {
		a.OpenID.BackChannel = "http://x.example/bye"
	}), fault.BackChannel, fault.Invalid, 0, 0},
	{"back channel at this machine", application(func(a *store.Application) {
		a.OpenID.BackChannel = "https://localhost/bye"
	}), fault.BackChannel, fault.Invalid, 0, 0},
	{"keys at an address of ours", application(func(a *store.Application) {
		a.OpenID.JWKSURL = "https://10.0.0.1/keys"
	}), fault.ClientKeysURL, fault.Invalid, 0, 0},
	{"resource that is no address", application(func(a *store.Application) {
		a.OpenID.Resources = []string{"https://x", "api"}
	}), fault.Resources, fault.Invalid, 2, 0},
	{"audience with a fragment", application(func(a *store.Application) {
		a.OpenID.Audiences = []string{"https://x#y"}
	}), fault.Audiences, fault.Invalid, 1, 0},
	{"too many audiences", application(func(a *store.Application) {
		a.OpenID.Audiences = make([]string, 51)
	}), fault.Audiences, fault.Invalid, 0, 0},
	{"too many bytes of groups", application(func(a *store.Application) {
		a.Groups.Bytes = store.MostGroupBytes + 1
	}), fault.GroupBytes, fault.Invalid, 0, 0},
	{"fewer than no bytes of groups", application(func(a *store.Application) {
		a.Groups.Bytes = store.NoGroupBytes - 1
	}), fault.GroupBytes, fault.Invalid, 0, 0},
	{"way of PKCE that is none", application(func(a *store.Application) {
		a.OpenID.PKCE = "NONE"
	}), fault.Enforcement, fault.Invalid, 0, 0},
	{"single page without PKCE", application(func(a *store.Application) {
		a.Type, a.OpenID.PKCE = store.SinglePage, store.PKCEOptional
	}), fault.Enforcement, fault.Invalid, 0, 0},
	{"program without PKCE", application(func(a *store.Application) {
		a.Type, a.OpenID.PKCE = store.NativeApplication, store.PKCEOptional
	}), fault.Enforcement, fault.Invalid, 0, 0},
	{"new application of a taken name", func(ctx context.Context, w *world, by m.By) error {
		a := w.application
		return w.CreateApplication(ctx, by, &a)
	}, fault.Name, fault.Taken, 0, 0},

	{"administrator without a name", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.CreateAdministrator(ctx, by, &store.Administrator{Role: store.RoleOwner})
		return err
	}, fault.Name, fault.Missing, 0, 0},
	{"administrator of a long name", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.CreateAdministrator(
			ctx,
			by,
			&store.Administrator{Name: strings.Repeat("x", 201), Role: store.RoleOwner},
		)
		return err
	}, fault.Name, fault.Invalid, 0, 0},
	{"administrator of a taken name, elsewhere", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.CreateAdministrator(ctx, by, &store.Administrator{
			Name: w.house.world().admin.Name,
			Role: store.RoleOwner,
		})
		return err
	}, fault.Name, fault.Taken, 0, 0},
	{"administrator who only signs on", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.CreateAdministrator(ctx, by, &store.Administrator{Name: "x of " + w.env, Role: store.RoleSignOn})
		return err
	}, fault.Role, fault.Invalid, 0, 0},
	{"another role that is none", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.ChangeAdministrator(ctx, by, w.admin.ID, func(a *store.Administrator) error {
			a.Role = "x"
			return nil
		})
		return err
	}, fault.Role, fault.Invalid, 0, 0},
	{"group that gives no role", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.SetRoleGroup(ctx, by, w.group.ID, store.RoleSignOn, nil)
		return err
	}, fault.Role, fault.Invalid, 0, 0},
	{"client of no role", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.CreateClient(ctx, by, &store.Client{Name: "x"})
		return err
	}, fault.Role, fault.Invalid, 0, 0},
	{"client without a name", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.CreateClient(ctx, by, &store.Client{Role: store.RoleReadOnly})
		return err
	}, fault.Name, fault.Missing, 0, 0},

	{"environment without a name", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.ChangeSettings(ctx, by, func(e *store.Environment) error { e.Name = ""; return nil })
		return err
	}, fault.Name, fault.Missing, 0, 0},
	{"environment of a long name", func(ctx context.Context, w *world, by m.By) error {
		_, err := w.RenameEnvironment(ctx, by, func(e *store.Environment) error {
			e.Name = strings.Repeat("x", 201)
			return nil
		})
		return err
	}, fault.Name, fault.Invalid, 0, 0},
	{"short name of capitals", shortNamed("Acme"), fault.ShortName, fault.Invalid, 0, 0},
	{"short name with a slash", shortNamed("a/b"), fault.ShortName, fault.Invalid, 0, 0},
	{"short name with a dot", shortNamed(".well-known"), fault.ShortName, fault.Invalid, 0, 0},
	{"short name that begins with a hyphen", shortNamed("-a"), fault.ShortName, fault.Invalid, 0, 0},
	{"short name that ends with a hyphen", shortNamed("a-"), fault.ShortName, fault.Invalid, 0, 0},
	{"short name of other letters", shortNamed("größe"), fault.ShortName, fault.Invalid, 0, 0},
	{"short name with a blank", shortNamed("a b"), fault.ShortName, fault.Invalid, 0, 0},
	{"short name with a line's end", shortNamed("a\n"), fault.ShortName, fault.Invalid, 0, 0},
	{"short name that is too long", shortNamed(strings.Repeat("x", 33)), fault.ShortName, fault.Invalid, 0, 0},
	{"short name that looks like an ID", shortNamed(uuid.NewString()), fault.ShortName, fault.Invalid, 0, 0},
	{"short name that leads elsewhere", shortNamed("console"), fault.ShortName, fault.Invalid, 0, 0},
	{"short name like the cloud's own", shortNamed("login"), fault.ShortName, fault.Invalid, 0, 0},
	{"short name of a new environment", func(ctx context.Context, w *world, by m.By) error {
		return w.CreateEnvironment(ctx, by, &store.Environment{Name: "x", ShortName: "v1"})
	}, fault.ShortName, fault.Invalid, 0, 0},

	{"channel that is told already", func(ctx context.Context, w *world, by m.By) error {
		_, _, err := w.AddChannel(ctx, by, w.channel.Kind, w.channel.Target)
		return err
	}, fault.Channel, fault.Taken, 0, 0},
	{"channel that cannot be", func(ctx context.Context, w *world, by m.By) error {
		_, _, err := w.AddChannel(ctx, by, "webhook", "http://example.com")
		return err
	}, fault.Channel, fault.Invalid, 0, 0},
}

// shortNamed gives the environment a short name.
func shortNamed(name string) func(context.Context, *world, m.By) error {
	return func(ctx context.Context, w *world, by m.By) error {
		_, err := w.RenameEnvironment(ctx, by, func(e *store.Environment) error { e.ShortName = name; return nil })
		return err
	}
}

// A short name is of one environment in the whole cloud, and free again when it is given up.
func TestShortNames(t *testing.T) {
	h := open(t)
	one, other := h.world(), h.world()
	set := func(w *world, name string) error { return shortNamed(name)(t.Context(), w, w.as(store.RoleOwner)) }
	for _, name := range []string{"a", "0", "acme", "acme-2", strings.Repeat("x", 32)} {
		if err := set(one, name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var l fault.List
		if err := set(other, name); !errors.As(err, &l) || l[0].Field != fault.ShortName || l[0].Kind != fault.Taken {
			t.Errorf("%s twice: %v", name, err)
		}
	}
	if err := errors.Join(set(one, strings.Repeat("x", 32)), set(one, ""), set(other, "acme"), set(one, "")); err != nil {
		t.Error(err)
	}
}

// What may not be kept is not, and the fault says which value it is, in which way,
// and one sentence for people.
func TestChecks(t *testing.T) {
	h := open(t)
	for _, c := range slices.Concat(checks, lengths) {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			w := h.world()
			by := w.as(store.RoleOwner)
			before, notes := w.rows(), len(w.activities())
			err := c.do(t.Context(), w, by)
			var l fault.List
			if !errors.As(err, &l) || len(l) != 1 {
				t.Fatalf("%v", err)
			}
			f := l[0]
			if f.Field != c.field || f.Kind != c.kind || f.Item != c.item || f.Type != c.typ {
				t.Errorf("%+v", f)
			}
			if !strings.HasSuffix(f.Message, ".") && !strings.HasSuffix(f.Message, "].") {
				t.Errorf("%q is no sentence", f.Message)
			}
			if w.rows() != before || len(w.activities()) != notes {
				t.Error("something changed")
			}
		})
	}
}

// Everything that is wrong is told at once.
func TestAllFaultsTogether(t *testing.T) {
	h := open(t)
	w := h.world()
	d := m.Draft{Gateway: store.Gateway{UserTypes: []store.UserType{{}}, Kerberos: &store.Kerberos{RetainMinutes: -1}}}
	var l fault.List
	if err := w.CreateGateway(t.Context(), w.as(store.RoleOwner), &d); !errors.As(err, &l) {
		t.Fatal(err)
	}
	for _, field := range []fault.Field{
		fault.Name,
		fault.Vendor,
		fault.TypeName,
		fault.Correlation,
		fault.Filter,
		fault.Mappings,
		fault.Retain,
	} {
		found := false
		for _, f := range l {
			found = found || f.Field == field
		}
		if !found {
			t.Errorf("%s is not among %v", field, l)
		}
	}
}

// What depends on something is told by name, and goes on when it goes by force.
func TestDependents(t *testing.T) {
	h := open(t)
	for name, remove := range map[string]func(ctx context.Context, w *world, by m.By, force bool) error{
		"gateway": func(ctx context.Context, w *world, by m.By, force bool) error {
			return w.DeleteGateway(ctx, by, w.gateway.ID, force, nil)
		},
		"user type": func(ctx context.Context, w *world, by m.By, force bool) error {
			return w.RemoveUserType(ctx, by, w.kind, force, nil)
		},
	} {
		w, ctx := h.world(), t.Context()
		by := w.as(store.RoleIdentityAdmin)
		var e *m.DependentsError
		err := remove(ctx, w, by, false)
		if !errors.As(err, &e) || e.Users != 1 || len(e.Some) != 1 || e.Some[0].Username != "ada" ||
			!errors.Is(err, store.ErrDependents) {
			t.Errorf("%s: %v", name, err)
		}
		must(t, remove(ctx, w, by, true))
		if u, err := w.Store.User(ctx, w.env, w.user.ID); err != nil || u.GatewayID != "" {
			t.Errorf("%s: %+v, %v", name, u, err)
		}
	}
	w := h.world()
	if err := w.DeletePopulation(
		t.Context(),
		w.as(store.RoleOwner),
		w.population.ID,
		nil,
	); !errors.Is(err, store.ErrDependents) {
		t.Error(err)
	}
}

func TestRules(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by := w.as(store.RoleOwner)
	_, err := w.ChangeApplication(ctx, by, w.application.ID, func(a *store.Application) error {
		a.Type = store.SinglePage
		return nil
	})
	must(t, err)
	if _, _, err := w.RenewApplication(ctx, by, w.application.ID, time.Time{}); !errors.Is(err, m.ErrNoSecret) {
		t.Error(err)
	}
	_, err = w.RevokeInstance(ctx, by, w.gateway.ID, w.instance.ID, nil)
	must(t, err)
	if _, err := w.RotateInstance(ctx, by, w.gateway.ID, w.instance.ID); !errors.Is(err, m.ErrRevoked) {
		t.Error(err)
	}
	notes := len(w.activities())
	_, err = w.RevokeInstance(ctx, by, w.gateway.ID, w.instance.ID, nil)
	must(t, err)
	if len(w.activities()) != notes {
		t.Error("revoking again is an activity")
	}
	for name, own := range map[string]func(m.By) error{
		"password": func(by m.By) error { return w.ChangeOwnPassword(ctx, by, "hash") },
		"passkey":  func(by m.By) error { return w.AddOwnPasskey(ctx, by, &store.Passkey{ID: "x"}) },
		"no key":   func(by m.By) error { return w.DropOwnPasskey(ctx, by, "x") },
	} {
		if err := own(w.asPersonOnce(store.RoleOwner)); !errors.Is(err, m.ErrNotOwn) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
