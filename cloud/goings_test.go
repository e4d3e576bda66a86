package cloud

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// far is one of the things that very much hangs on, what has it go, and what is true once it has begun to and once it
// has gone, however often somebody asks.
type far struct {
	name  string
	goes  func(m *much) error
	kind  store.GoingKind
	of    func(m *much) []string
	begun func(m *much) error // at once, and from then on
	gone  func(m *much) error
	tells string // in the one activity of it
}

// isGone tells what is wrong with what somebody looked for and is not to be there.
func isGone(_ any, err error) error {
	if !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("it is there: %v", err)
	}
	return nil
}

// rows tells what is wrong with the rows of memberships in a group, seen or not, when there are any.
func (m *much) rows(group string) error {
	return m.counts(`SELECT count(*) FROM membership_rows WHERE group_id = ?`, group)
}

// none tells what is wrong when a table has that row.
func (m *much) none(table, id string) error {
	return m.counts(`SELECT count(*) FROM `+table+` WHERE id = ?`, id)
}

// counts tells what is wrong when a query of one value counts any.
func (m *much) counts(query, of string) error {
	db, err := sql.Open("sqlite", "file:"+m.file+"?mode=ro")
	must(m.t, err)
	defer db.Close()
	var n int
	err = db.QueryRowContext(m.t.Context(), query, of).Scan(&n)
	return counted(n, 0, err)
}

// fars are all of it.
func fars() []far {
	ctx := context.Background()
	linked := func(m *much, kind store.UserTypeRef) error {
		n, err := m.db.GatewayUsers(ctx, m.env(), kind.Gateway, kind.UserType)
		return counted(n, 0, err)
	}
	nothing := func(*much) error { return nil }
	return []far{
		{"group",
			func(m *much) error { return m.service.DeleteGroup(ctx, m.by, m.everyone.ID, nil) },
			store.GroupGoes,
			func(m *much) []string { return []string{m.everyone.ID} },
			func(m *much) error { return isGone(m.db.Group(ctx, m.env(), m.everyone.ID)) },
			func(m *much) error { return m.rows(m.everyone.ID) },
			"group.deleted"},
		{"gateway",
			func(m *much) error { return m.service.DeleteGateway(ctx, m.by, m.gateway.ID, true, nil) },
			store.GatewayGoes,
			func(m *much) []string { return []string{m.gateway.ID} },
			func(m *much) error { return isGone(m.db.Gateway(ctx, m.env(), m.gateway.ID)) },
			func(m *much) error {
				return errors.Join(m.none("gateways", m.gateway.ID), isGone(m.db.Group(ctx, m.env(), m.everyone.ID)),
					linked(m, store.UserTypeRef{Gateway: m.gateway.ID}))
			},
			"gateway.deleted"},
		{"user type",
			func(m *much) error {
				return m.service.RemoveUserType(ctx, m.by, m.kind(m.gateway, 0), true, nil)
			},
			store.UserTypeGoes,
			func(m *much) []string { return []string{m.gateway.ID, m.gateway.UserTypes[0].ID} },
			nothing,
			func(m *much) error { return linked(m, m.kind(m.gateway, 0)) },
			"gateway.updated"},
		{"provider",
			func(m *much) error { return m.service.DeleteProvider(ctx, m.by, m.provider.ID, true, nil) },
			store.ProviderGoes,
			func(m *much) []string { return []string{m.provider.ID} },
			func(m *much) error { return isGone(m.db.IdentityProvider(ctx, m.env(), m.provider.ID)) },
			func(m *much) error {
				n, err := m.db.LinkedUsers(ctx, m.env(), m.provider.ID)
				return errors.Join(counted(n, 0, err), m.none("identity_providers", m.provider.ID))
			},
			"identityProvider.deleted"},
		{"application",
			func(m *much) error {
				_, err := m.service.DeleteApplication(ctx, m.by, m.app.ID, nil)
				return err
			},
			store.ApplicationGoes,
			func(m *much) []string { return []string{m.app.ID} },
			func(m *much) error { return isGone(m.db.Application(ctx, m.env(), m.app.ID)) },
			func(m *much) error { return m.none("applications", m.app.ID) },
			"application.deleted"},
		{"users who move",
			func(m *much) error {
				_, err := m.service.RelinkUsers(ctx, m.by, m.kind(m.gateway, 0), m.kind(m.other, 1))
				return err
			},
			store.UsersMove,
			func(m *much) []string {
				return []string{m.gateway.ID, m.gateway.UserTypes[0].ID, m.other.ID, m.other.UserTypes[1].ID}
			},
			nothing,
			func(m *much) error {
				n, err := m.db.GatewayUsers(ctx, m.env(), m.other.ID, m.other.UserTypes[1].ID)
				return errors.Join(linked(m, m.kind(m.gateway, 0)), counted(n, howMuch, err))
			},
			"users.relinked"},
	}
}

// What is decided is done, and told once, while one waits.
func TestWhatGoesIsGone(t *testing.T) {
	for _, f := range fars() {
		t.Run(f.name, func(t *testing.T) {
			m := makeMuch(t)
			must(t, f.goes(m))
			must(t, errors.Join(f.begun(m), f.gone(m)))
			left, err := m.db.Goings(t.Context())
			must(t, counted(len(left), 0, err))
			if n := m.told(f.tells); n != 1 {
				t.Errorf("told %d times", n)
			}
		})
	}
}

// What a node had begun that is no more, another one finishes; two of them at once as well.
func TestWhatGoesIsFinishedByAnother(t *testing.T) {
	for _, f := range fars() {
		t.Run(f.name, func(t *testing.T) {
			m := makeMuch(t)
			g := store.Going{EnvironmentID: m.env(), Kind: f.kind, Of: f.of(m)}
			done, err := m.db.LetGo(t.Context(), &g)
			must(t, err)
			if done {
				t.Fatal("it was little")
			}
			must(t, f.begun(m))
			if f.gone(m) == nil {
				t.Fatal("all of it was gone at once")
			}
			another := &management.Service{Store: m.db, Links: nobodyLinked{}}
			var both sync.WaitGroup
			for range 2 {
				both.Go(func() {
					if err := another.Finish(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			both.Wait()
			must(t, errors.Join(f.begun(m), f.gone(m)))
			left, err := m.db.Goings(t.Context())
			must(t, counted(len(left), 0, err))
		})
	}
}

// told counts the activities of an action.
func (m *much) told(action string) (n int) {
	all, _, err := m.db.Activities(m.t.Context(), m.env(), store.ActivityFilter{Action: action}, store.Page{})
	must(m.t, err)
	for _, a := range all {
		if strings.Contains(a.Actor, m.by.ID) {
			n++
		}
	}
	return n
}

// While users are moved, nothing else decides what becomes of them; when they have been, everything may.
func TestNothingMovesWhoIsMoved(t *testing.T) {
	ctx := t.Context()
	others := map[string]func(m *much) error{
		"the source goes": func(m *much) error { return m.service.DeleteGateway(ctx, m.by, m.gateway.ID, true, nil) },
		"the target goes": func(m *much) error { return m.service.DeleteGateway(ctx, m.by, m.other.ID, true, nil) },
		"the source's user type goes": func(m *much) error {
			return m.service.RemoveUserType(ctx, m.by, m.kind(m.gateway, 0), true, nil)
		},
		"the target's user type goes": func(m *much) error {
			return m.service.RemoveUserType(ctx, m.by, m.kind(m.other, 1), true, nil)
		},
		"they move elsewhere": func(m *much) error {
			_, err := m.service.RelinkUsers(ctx, m.by, m.kind(m.gateway, 0), m.kind(m.gateway, 1))
			return err
		},
		"they move back": func(m *much) error {
			_, err := m.service.RelinkUsers(ctx, m.by, m.kind(m.other, 1), m.kind(m.gateway, 0))
			return err
		},
	}
	for name, do := range others {
		t.Run(name, func(t *testing.T) {
			m := makeMuch(t)
			from, to := m.kind(m.gateway, 0), m.kind(m.other, 1)
			g := store.Going{
				EnvironmentID: m.env(),
				Kind:          store.UsersMove,
				Of:            []string{from.Gateway, from.UserType, to.Gateway, to.UserType},
			}
			done, err := m.db.LetGo(ctx, &g)
			must(t, err)
			if err := do(m); done || !errors.Is(err, management.ErrMoving) {
				t.Fatalf("done %v, error %v", done, err)
			}
			must(t, m.service.Finish(ctx))
			n, err := m.db.GatewayUsers(ctx, m.env(), to.Gateway, to.UserType)
			must(t, counted(n, howMuch, err))
			must(t, do(m))
		})
	}
}

// Into what is on its way out nobody is moved, and nothing of it is changed.
func TestNothingJoinsWhatGoes(t *testing.T) {
	ctx := t.Context()
	m := makeMuch(t)
	g := store.Going{EnvironmentID: m.env(), Kind: store.GatewayGoes, Of: []string{m.gateway.ID}}
	done, err := m.db.LetGo(ctx, &g)
	must(t, err)
	if done {
		t.Fatal("it was little")
	}
	for name, do := range map[string]func() error{
		"users are moved to it": func() error {
			_, err := m.service.RelinkUsers(ctx, m.by, m.kind(m.other, 0), m.kind(m.gateway, 0))
			return err
		},
		"it is changed": func() error {
			_, err := m.service.ChangeGateway(ctx, m.by, m.gateway.ID, func(d *management.Draft) error { d.Enabled = true; return nil })
			return err
		},
		"it goes again": func() error { return m.service.DeleteGateway(ctx, m.by, m.gateway.ID, true, nil) },
	} {
		if do() == nil {
			t.Errorf("%s", name)
		}
	}
	must(t, m.service.Finish(ctx))
	must(t, m.none("gateways", m.gateway.ID))
}
