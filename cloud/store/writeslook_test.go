package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/pgtest"
)

// much is how much there is of what is written.
const much = 2000

// TestPostgresWritesOfAllLookAtFew is TestPostgresWritesLookAtFew of whatever else people, applications and
// administrators have written, in a store that has much of it.
func TestPostgresWritesOfAllLookAtFew(t *testing.T) {
	where := pgtest.Start(t).Database()
	s := openAt(t, where)
	w := build(t, s, "one")
	fill(t, s, w)
	app := &store.Application{EnvironmentID: w.env.ID, Name: "app", Type: store.WebApplication, Enabled: true}
	must(t, s.CreateApplication(t.Context(), app))
	d := deeds{ctx: t.Context(), w: w, app: app.ID}
	all := make([]int, much)
	for n := range all {
		all[n] = n
	}
	for some := range slices.Chunk(all, 100) {
		must(t, s.ProvisionIn(t.Context(), w.env.ID, func(tx *store.Tx) (err error) {
			for _, n := range some {
				err = errors.Join(err, d.all(tx.Store(), n, func(_ string, do func() error) error { return do() }))
			}
			return err
		}))
	}
	_, looked, err := s.Look(t.Context())
	must(t, err)
	defer looked.Close()
	for n := range plannedFor {
		must(t, d.all(looked.Writes(s).Store(), much+n, func(name string, do func() error) error {
			clear(looked.Rows)
			err := do()
			if len(looked.Rows) == 0 {
				t.Errorf("%s asks nothing", name)
			}
			for query, rows := range looked.Rows {
				if rows > mayLook {
					t.Errorf("%s, time %d, looks at %d rows: %s", name, n, rows, query)
				}
			}
			return err
		}))
	}
}

// deeds are what is written.
type deeds struct {
	ctx context.Context
	w   world
	app string
}

// all does each in its own name with something of number n, and what that hangs on is there.
func (d deeds) all(s *store.Store, n int, each func(name string, do func() error) error) error {
	env, now := d.w.env.ID, time.Now()
	key := []byte(fmt.Sprint("key", n))
	person, err := s.UserByUsername(d.ctx, env, fmt.Sprint("u", n))
	if err != nil {
		return err
	}
	on := store.SignedOn{UserID: person.ID, Method: store.ByPassword, At: now}
	authorization := &store.Authorization{EnvironmentID: env, ApplicationID: d.app, Request: []byte(`{}`), SignedOn: on, ExpiresAt: now.Add(time.Hour)}
	token := &store.Token{EnvironmentID: env, ApplicationID: d.app, SignedOn: on, RefreshHash: key, AccessUntil: now, ExpiresAt: now.Add(time.Hour)}
	session := &store.PersonSession{EnvironmentID: env, SignedOn: on, BeganAt: now, ExpiresAt: now.Add(time.Hour)}
	group := &store.Group{EnvironmentID: env, Name: fmt.Sprint("own", n)}
	made := &store.User{EnvironmentID: env, PopulationID: d.w.population.ID, Username: fmt.Sprint("made", n)}
	try := store.Tries{Key: fmt.Sprint("try", n), Most: 5, Window: time.Hour}
	for _, one := range []struct {
		name string
		do   func() error
	}{
		{"CommitSession", func() error { return s.CommitSession(d.ctx, string(key), key, now.Add(time.Hour)) }},
		{"AddPersonSession", func() error { return s.AddPersonSession(d.ctx, session, "") }},
		{"CreateAuthorization", func() error { return s.CreateAuthorization(d.ctx, authorization, key) }},
		{"UseCode", func() error { _, err := s.UseCode(d.ctx, env, key, now, now.Add(time.Hour)); return err }},
		{"AddToken", func() error { token.AuthorizationID = authorization.ID; return s.AddToken(d.ctx, token, nil, now) }},
		{"UseProof", func() error { return s.UseProof(d.ctx, env, key, now.Add(time.Hour)) }},
		{"BeginTry", func() error { _, err := s.BeginTry(d.ctx, try, now); return err }},
		{"UndoTry", func() error { return s.UndoTry(d.ctx, try, now) }},
		{"CreateGroup", func() error { return s.CreateGroup(d.ctx, group) }},
		{"AddMember", func() error { return s.AddMember(d.ctx, env, person.ID, group.ID, now) }},
		{"UpdateGroup", func() error { group.Description = "x"; return s.UpdateGroup(d.ctx, group) }},
		{"CreateUser", func() error { return s.CreateUser(d.ctx, made) }},
		{"UpdateUser", func() error { made.Email = "x@y"; return s.UpdateUser(d.ctx, made) }},
		{"SetPersonFactor", func() error { return s.SetPersonFactor(d.ctx, env, made.ID, key) }},
		{"KeepArrival", func() error { return s.KeepArrival(d.ctx, env, string(key), key, now.Add(time.Hour)) }},
		{"AddActivity", func() error {
			return s.AddActivity(d.ctx, store.Activity{EnvironmentID: env, Action: "a", Subject: "user:" + made.ID, Text: "x"})
		}},
	} {
		if err := each(one.name, one.do); err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
	}
	if n < much { // that stays
		return nil
	}
	for _, one := range []struct {
		name string
		do   func() error
	}{
		{"RemoveMember", func() error { return s.RemoveMember(d.ctx, env, person.ID, group.ID) }},
		{"SignOffUser", func() error { return s.SignOffUser(d.ctx, env, person.ID) }},
		{"RevokeUserTokens", func() error { return s.RevokeUserTokens(d.ctx, env, person.ID, d.app) }},
		{"RevokeAuthorization", func() error { return s.RevokeAuthorization(d.ctx, env, authorization.ID) }},
		{"EndPersonSession", func() error { return s.EndPersonSession(d.ctx, env, person.ID, session.ID) }},
		{"DeleteSession", func() error { return s.DeleteSession(d.ctx, string(key)) }},
		{"TakeArrival", func() error { _, err := s.TakeArrival(d.ctx, env, string(key), now); return err }},
		{"ForgetPersonFactors", func() error { return s.ForgetPersonFactors(d.ctx, env, made.ID) }},
		{"UserGoes", func() error {
			_, err := s.LetGo(d.ctx, &store.Going{EnvironmentID: env, Kind: store.UserGoes, Of: []string{made.ID}})
			return err
		}},
		{"GroupGoes", func() error {
			_, err := s.LetGo(d.ctx, &store.Going{EnvironmentID: env, Kind: store.GroupGoes, Of: []string{group.ID}})
			return err
		}},
	} {
		if err := each(one.name, one.do); err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("%s: %w", one.name, err)
		}
	}
	return nil
}
