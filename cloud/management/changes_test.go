package management_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	m "ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// detail is what the newest activity of an action tells.
func (w *world) detail(action string) map[string]any {
	w.t.Helper()
	for _, a := range w.activities() {
		if a.Action == action {
			return a.Detail
		}
	}
	w.t.Fatalf("no activity %s", action)
	return nil
}

// An activity has what there was and what there is, and nothing that did not change.
func TestActivitiesTellBeforeAndAfter(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by := w.as(store.RoleOwner)
	by.Request = "its ID in the log"
	_, err := w.ChangeUser(ctx, by, w.user.ID, func(u *store.User) error {
		u.Email, u.Attributes["phone"] = "ada@example.com", "2"
		return nil
	})
	must(t, err)
	want := map[string]any{
		"address": "192.0.2.1",
		"request": "its ID in the log",
		"before":  map[string]any{"email": "", "attributes": map[string]any{"phone": "1"}},
		"after":   map[string]any{"email": "ada@example.com", "attributes": map[string]any{"phone": "2"}},
	}
	if got := w.detail("user.updated"); !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
	must(t, w.DeleteUser(ctx, by, w.user.ID, nil))
	gone := w.detail("user.deleted")
	if before, _ := gone["before"].(map[string]any); before["username"] != "ada" || gone["after"] != nil {
		t.Errorf("%v", gone)
	}
	_, err = w.SetRoleGroup(ctx, by, w.group.ID, store.RoleReadOnly, nil)
	must(t, err)
	got := w.detail("role.changed")
	if !reflect.DeepEqual(got["before"], map[string]any{"role": ""}) ||
		!reflect.DeepEqual(got["after"], map[string]any{"role": "READ_ONLY"}) {
		t.Errorf("%v", got)
	}
	a, err := w.ChangeAdministrator(ctx, by, w.asAdmin(store.RoleReadOnly).ID, func(a *store.Administrator) error {
		a.Role = store.RoleOwner
		return nil
	})
	must(t, err)
	got = w.detail("administrator.updated")
	if a.Role != store.RoleOwner || !reflect.DeepEqual(got["before"], map[string]any{"role": "READ_ONLY"}) {
		t.Errorf("%v", got)
	}
}

// Nothing secret that an action makes, gets or finds is in what it notes.
func TestActivitiesTellNoSecrets(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by := w.as(store.RoleOwner)
	var secrets []string
	keep := func(secret string, err error) {
		t.Helper()
		must(t, err)
		if secret == "" {
			t.Fatal("no secret was made")
		}
		secrets = append(secrets, secret)
	}
	keep(w.CreateClient(ctx, by, &store.Client{Name: "x", Role: store.RoleReadOnly}))
	_, secret, err := w.RenewClient(ctx, by, w.client.ID, time.Time{})
	keep(secret, err)
	_, secret, err = w.RenewApplication(ctx, by, w.application.ID, time.Time{})
	keep(secret, err)
	made := w.application
	made.Name = "made with a secret"
	must(t, w.CreateApplication(ctx, by, &made))
	read, err := w.ApplicationSecret(ctx, by, made.ID)
	keep(read.Secret, err)
	keep(w.CreateAdministrator(ctx, by, &store.Administrator{Name: "x of " + w.env, Role: store.RoleReadOnly}))
	_, secret, err = w.ResetAdministrator(ctx, by, w.admin.ID)
	keep(secret, err)
	_, secret, err = w.OfferPairing(ctx, by, w.gateway.ID)
	keep(secret, err)
	_, secret, err = w.AddChannel(ctx, by, "webhook", "https://alerts.example.com/")
	keep(secret, err)
	_, err = w.ChangeGateway(ctx, by, w.gateway.ID, func(d *m.Draft) error {
		d.Kerberos.ServiceAccount, d.ServicePassword = newKeys().Account, newKeys().Password
		return nil
	})
	keep(newKeys().Password, err)
	own := w.asAdmin(store.RoleOwner)
	keep("known-hash", w.ChangeOwnPassword(ctx, own, "known-hash"))
	keep("known-seal", w.KeepOwnOneTime(ctx, own, []byte("known-seal"), 1))
	b, err := json.Marshal(w.activities())
	must(t, err)
	for _, secret := range append(secrets, "secret-hash") {
		if strings.Contains(string(b), secret) {
			t.Errorf("%q is in an activity", secret)
		}
	}
	if !strings.Contains(string(b), `"hasSecret":true`) {
		t.Error("that a secret was made is not told")
	}
}

// The instances hear of what was kept, and of nothing that was not.
func TestWhoIsTold(t *testing.T) {
	h := open(t)
	for _, c := range tries {
		w := h.world()
		h.links.told = nil
		must(t, c.do(t.Context(), w, w.asAdmin(store.RoleOwner)))
		var want []string
		switch c.action {
		case m.ChangeGateway, m.AddUserType, m.ChangeUserType, m.RemoveUserType, m.UseKeys:
			want = []string{"changed " + w.gateway.ID}
		case m.RotateInstance:
			want = []string{"rotate " + w.instance.ID}
		case m.RevokeInstance, m.DeleteGateway:
			want = []string{"revoked " + w.instance.ID}
		}
		if !slices.Equal(h.links.told, want) {
			t.Errorf("%s: told %v, want %v", c.action, h.links.told, want)
		}
		h.links.told = nil
		if err := c.do(t.Context(), h.world(), m.By{Environment: w.env, Role: store.RoleOwner}); err == nil {
			t.Errorf("%s: nobody did it", c.action)
		}
		if len(h.links.told) > 0 {
			t.Errorf("%s: told %v of what was refused", c.action, h.links.told)
		}
	}
}

// Of changes at once every one is kept, each made on top of the others; and each is
// an activity.
func TestChangesAtOnce(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by := w.as(store.RoleOwner)
	const many = 40
	var wg sync.WaitGroup
	failed := make(chan error, 4*many)
	for i := range many {
		name := fmt.Sprint("a", i)
		wg.Go(func() {
			_, err := w.ChangeUser(ctx, by, w.user.ID, func(u *store.User) error {
				u.Attributes[name] = "x"
				return nil
			})
			failed <- err
		})
		wg.Go(func() {
			_, err := w.ChangeApplication(ctx, by, w.application.ID, func(a *store.Application) error {
				a.RedirectURIs = append(slices.Clone(a.RedirectURIs), "https://wiki.example.com/"+name)
				return nil
			})
			failed <- err
		})
		wg.Go(func() {
			_, _, err := w.AddUserType(ctx, by, w.gateway.ID, w.people(name))
			failed <- err
		})
		wg.Go(func() {
			_, err := w.ChangeGroup(ctx, by, w.group.ID, func(g *store.Group) error {
				g.Description += "x"
				return nil
			})
			failed <- err
		})
	}
	wg.Wait()
	close(failed)
	for err := range failed {
		if err != nil {
			t.Error(err)
		}
	}
	u, err := w.Store.User(ctx, w.env, w.user.ID)
	if err != nil || len(u.Attributes) != many+1 {
		t.Errorf("%d attributes, %v", len(u.Attributes), err)
	}
	a, err := w.Store.Application(ctx, w.env, w.application.ID)
	if err != nil || len(a.RedirectURIs) != many+1 {
		t.Errorf("%d addresses, %v", len(a.RedirectURIs), err)
	}
	g, err := w.Store.Gateway(ctx, w.env, w.gateway.ID)
	if err != nil || len(g.UserTypes) != many+2 {
		t.Errorf("%d user types, %v", len(g.UserTypes), err)
	}
	c, err := w.Store.Group(ctx, w.env, w.group.ID)
	if err != nil || len(c.Description) != many {
		t.Errorf("%d changes, %v", len(c.Description), err)
	}
	counts := map[string]int{}
	for _, a := range w.activities() {
		counts[a.Action]++
	}
	if counts["user.updated"] != many || counts["gateway.updated"] != many {
		t.Errorf("%v", counts)
	}
}

// What the caller's function refuses is not done, and its error comes back as it is.
func TestTheCallerRefuses(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by := w.as(store.RoleOwner)
	no := errors.New("no")
	before, notes := w.rows(), len(w.activities())
	for name, err := range map[string]error{
		"user":        second(w.ChangeUser(ctx, by, w.user.ID, func(u *store.User) error { u.Username = "x"; return no })),
		"group":       second(w.ChangeGroup(ctx, by, w.group.ID, func(g *store.Group) error { g.Name = "x"; return no })),
		"population":  second(w.ChangePopulation(ctx, by, w.more.ID, func(p *store.Population) error { p.Name = "x"; return no })),
		"gateway":     second(w.ChangeGateway(ctx, by, w.gateway.ID, func(d *m.Draft) error { d.UserTypes[0].Name = "x"; return no })),
		"application": second(w.ChangeApplication(ctx, by, w.application.ID, func(a *store.Application) error { a.Name = "x"; return no })),
		"link":        second(w.LinkUser(ctx, by, w.user.ID, func(store.User) (m.Link, error) { return m.Link{To: w.other}, no })),
		"no user":     w.DeleteUser(ctx, by, w.user.ID, func(store.User) error { return no }),
		"no group":    w.DeleteGroup(ctx, by, w.group.ID, func(store.Group) error { return no }),
		"no gateway":  w.DeleteGateway(ctx, by, w.gateway.ID, true, func(store.Gateway) error { return no }),
		"no type":     w.RemoveUserType(ctx, by, w.kind, true, func(m.TypeState) error { return no }),
		"no member":   w.RemoveMember(ctx, by, w.user.ID, w.group.ID, func(store.GroupMembership) error { return no }),
		"no code":     w.WithdrawPairing(ctx, by, w.gateway.ID, w.pairing.ID, func(store.Pairing) error { return no }),
		"no place":    w.DeletePopulation(ctx, by, w.more.ID, func(store.Population) error { return no }),
		"no instance": second(w.RevokeInstance(ctx, by, w.gateway.ID, w.instance.ID, func(store.Instance) error { return no })),
	} {
		if !errors.Is(err, no) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if w.rows() != before || len(w.activities()) != notes || len(h.links.told) > 0 {
		t.Error("something was done")
	}
}

func second[T any](_ T, err error) error { return err }

// A link keeps what identifies the entry while the gateway stays, unless other values
// are given.
func TestLinks(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context()
	by := w.as(store.RoleOwner)
	link := func(to store.UserTypeRef, values map[string]string) store.User {
		t.Helper()
		u, err := w.LinkUser(ctx, by, w.user.ID, func(store.User) (m.Link, error) {
			return m.Link{
				To:     to,
				Values: values,
			}, nil
		})
		must(t, err)
		kept, err := w.Store.User(ctx, w.env, u.ID)
		must(t, err)
		return kept
	}
	if u := link(w.other, nil); u.UserTypeID != w.other.UserType || len(u.Correlation) != 1 || u.DN == "" {
		t.Errorf("%+v", u)
	}
	u := link(w.kind, map[string]string{"mail": "m", "entryuuid": "2", "uid": "a", "empty": ""})
	want := []store.Correlation{{
		Attribute: "entryuuid",
		Value:     "2",
	}, {Attribute: "mail", Value: "m"}, {Attribute: "uid", Value: "a"}}
	if !reflect.DeepEqual(u.Correlation, want) || u.DN != "" {
		t.Errorf("%+v", u.Correlation)
	}
	if u := link(w.kind, map[string]string{}); len(u.Correlation) != 0 {
		t.Errorf("%+v", u.Correlation)
	}
}

// What was opened and proven under one directory ends when another one says who a
// person is, alone or with all others; within one it stays with the entry.
func TestLinkEndsWhatTheOldOneOpened(t *testing.T) {
	h := open(t)
	for name, c := range map[string]struct {
		link func(ctx context.Context, w *world, by m.By, far store.UserTypeRef) error
		ends bool
	}{
		"to another gateway": {func(ctx context.Context, w *world, by m.By, far store.UserTypeRef) error {
			return second(w.LinkUser(ctx, by, w.user.ID, func(store.User) (m.Link, error) {
				return m.Link{To: far}, nil
			}))
		}, true},
		"with all others": {func(ctx context.Context, w *world, by m.By, far store.UserTypeRef) error {
			return second(w.RelinkUsers(ctx, by, w.kind, far))
		}, true},
		"to another entry": {func(ctx context.Context, w *world, by m.By, _ store.UserTypeRef) error {
			link := m.Link{To: w.kind, Values: map[string]string{"entryUUID": "2"}}
			return second(w.LinkUser(ctx, by, w.user.ID, func(store.User) (m.Link, error) { return link, nil }))
		}, true},
		"to another user type": {func(ctx context.Context, w *world, by m.By, _ store.UserTypeRef) error {
			return second(w.LinkUser(ctx, by, w.user.ID, func(store.User) (m.Link, error) {
				return m.Link{To: w.other}, nil
			}))
		}, false},
		"with all others to it": {func(ctx context.Context, w *world, by m.By, _ store.UserTypeRef) error {
			return second(w.RelinkUsers(ctx, by, w.kind, w.other))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w, ctx := h.world(), t.Context()
			by := w.as(store.RoleOwner)
			far := m.Draft{Gateway: store.Gateway{
				Name:      "Far",
				Vendor:    "OpenLDAP",
				UserTypes: []store.UserType{w.people("Far")},
			}}
			must(t, w.CreateGateway(ctx, by, &far))
			must(t, w.Store.SetPersonFactor(ctx, w.env, w.user.ID, []byte("x")))
			must(t, c.link(ctx, w, by, store.UserTypeRef{Gateway: far.ID, UserType: far.UserTypes[0].ID}))
			u, err := w.Store.User(ctx, w.env, w.user.ID)
			must(t, err)
			factor, err := w.Store.PersonFactor(ctx, w.env, w.user.ID)
			must(t, err)
			if ended := u.SignOffs == w.user.SignOffs+1; ended != c.ends || (factor == nil) != c.ends {
				t.Errorf("signed off %d times, second factor %q", u.SignOffs, factor)
			}
		})
	}
}
