package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// What goes with very many rows goes in two steps: the turn that decides it does all that anybody sees of it
// at once, and notes that the rest goes; that follows in short turns, by whichever node, also after a crash.
// Nothing decides on it again, and nothing takes it back.

// Going is something that is decided and not all done yet.
type Going struct {
	ID, EnvironmentID string // ID: filled in by LetGo
	Kind              GoingKind
	Of                []string // see the kinds
}

// GoingKind is what goes.
type GoingKind string

// The kinds, each with what Of has.
const (
	GroupGoes       GoingKind = "group"       // group: it is deleted, and whoever was in it is not
	UserGoes        GoingKind = "user"        // user: it is deleted, with its memberships
	GatewayGoes     GoingKind = "gateway"     // gateway: it is deleted, with its groups and instances
	UserTypeGoes    GoingKind = "userType"    // gateway, user type: its users are taken off it
	ProviderGoes    GoingKind = "provider"    // identity provider: it is deleted, with groups and links
	ApplicationGoes GoingKind = "application" // application: it is deleted, with its tokens
	UsersMove       GoingKind = "users"       // gateway, user type, and those that its users move to
	DoubtsGo        GoingKind = "doubts"      // group: whoever is in it in doubt is not any more
	SelectionGoes   GoingKind = "selection"   // see management: it is done with all that a filter finds
)

// goes is how a kind goes.
type goes struct {
	first []string // statements that do at once what people see; of the environment and Of[0]
	parts []some   // what is much
	last  string   // the statement that ends it; empty: none
}

// how returns how something goes.
func (g Going) how() (goes, error) {
	env, of := g.EnvironmentID, append(g.Of, "", "", "", "")
	deleted := func(table string) string { return `DELETE FROM ` + table + ` WHERE environment_id = $1 AND id = $2` }
	hidden := func(table, more string) []string {
		return []string{`
			UPDATE ` + table + `
			SET going = TRUE, enabled = FALSE, name_folded = name_folded || ' ' || id` + more + `
			WHERE environment_id = $1 AND id = $2 AND NOT going`}
	}
	switch g.Kind {
	case GroupGoes:
		return goes{[]string{deleted("cloud_groups")}, []some{leftByAll(env, of[0])}, ""}, nil
	case UserGoes:
		return goes{[]string{deleted("users")}, []some{leavingAll(env, of[0])}, ""}, nil
	case GatewayGoes:
		parts := []some{unlinked(env, of[0], ""), groupsOf(env, SourceGateway, of[0])}
		return goes{hidden("gateways", ""), parts, deleted("gateways")}, nil
	case UserTypeGoes:
		return goes{nil, []some{unlinked(env, of[0], of[1])}, ""}, nil
	case ProviderGoes:
		parts := []some{unlinkedAccounts(env, of[0]), groupsOf(env, SourceIDP, of[0])}
		return goes{hidden("identity_providers", ""), parts, deleted("identity_providers")}, nil
	case ApplicationGoes:
		parts := []some{
			tokensIn("application_tokens", "application_id", env, of[0]),
			tokensIn("authorizations", "application_id", env, of[0]),
		}
		return goes{hidden("applications", ", entity_id = ''"), parts, deleted("applications")}, nil
	case UsersMove:
		from, to := UserTypeRef{of[0], of[1]}, UserTypeRef{of[2], of[3]}
		return goes{nil, []some{relinked(env, from, to)}, ""}, nil
	case SelectionGoes: // of an environment that goes itself
		return goes{}, nil
	case DoubtsGo:
		return goes{nil, []some{undoubted(env, of[0])}, ""}, nil
	}
	return goes{}, fmt.Errorf("what goes is of no known kind: %q", g.Kind)
}

// LetGo has something go: all of it in this turn where it is little, and otherwise as much as a turn does, with
// the rest for Finish. It tells whether all is done. ErrNotFound when there is no such thing.
func (s *Store) LetGo(ctx context.Context, g *Going) (done bool, err error) {
	how, err := g.how()
	if err != nil {
		return false, err
	}
	return done, s.ProvisionIn(ctx, g.EnvironmentID, func(tx *Tx) error {
		for _, first := range how.first {
			if err := tx.c.execOne(ctx, first, g.EnvironmentID, g.Of[0]); err != nil {
				return err
			}
		}
		for _, part := range how.parts {
			more, err := part(ctx, tx)
			if err != nil {
				return err
			}
			if more {
				return tx.addGoing(ctx, g)
			}
		}
		done = true
		return tx.ends(ctx, *g, how)
	})
}

// addGoing notes what is to be finished.
func (tx *Tx) addGoing(ctx context.Context, g *Going) error {
	if err := newID(&g.ID); err != nil {
		return err
	}
	_, err := tx.c.exec(ctx, `INSERT INTO goings (id, environment_id, kind, subjects) VALUES ($1, $2, $3, $4)`,
		g.ID, g.EnvironmentID, g.Kind, inJSON(g.Of))
	return err
}

// ends does what is last of something that goes.
func (tx *Tx) ends(ctx context.Context, g Going, how goes) error {
	if how.last == "" {
		return nil
	}
	err := tx.c.execOne(ctx, how.last, g.EnvironmentID, g.Of[0])
	if errors.Is(err, ErrNotFound) {
		return nil // another node was first
	}
	return err
}

// Finish does the rest of what goes, in short turns. It may be done by several at once.
func (s *Store) Finish(ctx context.Context, g Going) error {
	how, err := g.how()
	if err != nil {
		return err
	}
	for _, part := range how.parts {
		if err := s.inTurns(ctx, g.EnvironmentID, part); err != nil {
			return err
		}
	}
	return s.Provision(ctx, func(tx *Tx) error {
		for _, part := range how.parts { // what has come meanwhile
			if err := tx.all(ctx, part); err != nil {
				return err
			}
		}
		if err := tx.ends(ctx, g, how); err != nil {
			return err
		}
		_, err := tx.c.exec(ctx, `DELETE FROM goings WHERE id = $1`, g.ID)
		return err
	})
}

const goingColumns = `SELECT id, environment_id, kind, subjects FROM goings`

func scanGoing(r row) (g Going, err error) {
	err = r.Scan(&g.ID, &g.EnvironmentID, &g.Kind, fromJSON{&g.Of})
	return g, err
}

// Goings returns what goes, the oldest first, at most MaxLimit.
func (r reader) Goings(ctx context.Context) ([]Going, error) {
	return queryAll(ctx, r.c, scanGoing, goingColumns+` ORDER BY id LIMIT $1`, MaxLimit)
}

// Moving tells whether users are being moved from or to a gateway.
func (r reader) Moving(ctx context.Context, env, gateway string) (bool, error) {
	all, err := queryAll(ctx, r.c, func(r row) (of []string, err error) {
		err = r.Scan(fromJSON{&of})
		return of, err
	}, `SELECT subjects FROM goings WHERE environment_id = $1 AND kind = $2`, env, UsersMove)
	return slices.ContainsFunc(all, func(of []string) bool { return slices.Contains(of, gateway) }), err
}

// finishIn finishes what goes in an environment.
func (s *Store) finishIn(ctx context.Context, env string) error {
	all, err := s.Goings(ctx)
	for _, g := range all {
		if g.EnvironmentID == env && err == nil {
			err = s.Finish(ctx, g)
		}
	}
	return err
}
