package store_test

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// Every read is answered from an index: no scan of a table, no sorting. What
// SQLite says of it always holds; PostgreSQL decides anew as tables grow.
func TestPlans(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "cloud.db"))
	w := build(t, s, "one")
	r, explained := s.Explain()
	a := asked{ctx: t.Context(), r: r, world: w}
	must(t, s.CreateUser(a.ctx, &store.User{
		EnvironmentID: w.env.ID,
		PopulationID:  w.population.ID,
		Username:      "another",
	}))
	for range 2 {
		must(t, s.RecordSignOn(a.ctx, &store.SignOn{EnvironmentID: w.env.ID}))
	}
	var err error
	_, a.afterUser, err = s.Users(a.ctx, w.env.ID, store.UserFilter{}, store.Page{Limit: 1})
	must(t, err)
	_, a.afterSignOn, err = s.SignOns(a.ctx, w.env.ID, store.SignOnFilter{}, store.Page{Limit: 1})
	must(t, err)
	reads := a.people()
	maps.Copy(reads, a.groups())
	maps.Copy(reads, a.others())
	for name, read := range reads {
		t.Run(name, func(t *testing.T) {
			clear(explained.Plans)
			if err := read(); err != nil && !errors.Is(err, store.ErrNotFound) {
				t.Fatal(err)
			}
			for query, steps := range explained.Plans {
				checkPlan(t, query, steps)
			}
		})
	}
}

// Who is disabled or locked is found without a look at all others: by the index that has them alone.
func TestStatesHaveTheirIndex(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "cloud.db"))
	w := build(t, s, "one")
	r, explained := s.Explain()
	for state, index := range map[store.UserState]string{
		store.UserDisabled: "USING INDEX users_disabled",
		store.UserLocked:   "USING INDEX users_locked",
	} {
		for _, f := range []store.UserFilter{
			{State: state},
			{State: state, PopulationID: w.population.ID},
			{State: state, GatewayID: w.gateway.ID},
			{State: state, Never: true},
		} {
			clear(explained.Plans)
			_, _, err := r.Users(t.Context(), w.env.ID, f, store.Page{})
			must(t, err)
			for query, steps := range explained.Plans {
				if !strings.Contains(strings.Join(steps, "\n"), index) {
					t.Errorf("%+v: %s\n%s", f, query, strings.Join(steps, "\n"))
				}
			}
		}
	}
}

// Every order is read from the index that has it, onward and back, whatever else is asked for: nobody is put in
// order by the database.
func TestOrdersHaveTheirIndex(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "cloud.db"))
	w := build(t, s, "one")
	r, explained := s.Explain()
	has := func(what any, read func(p store.Page) (string, error), order, index string) {
		t.Helper()
		clear(explained.Plans)
		next, err := read(store.Page{Limit: 1})
		must(t, err)
		if next != "" {
			_, err = read(store.Page{Cursor: next})
			must(t, err)
			_, err = read(store.Page{Before: next})
			must(t, err)
		}
		seen := 0
		for query, steps := range explained.Plans {
			if !strings.Contains(query, "ORDER BY "+order) {
				continue
			}
			seen++
			if !strings.Contains(strings.Join(steps, "\n"), "USING INDEX "+index+" (environment_id=?") {
				t.Errorf("%+v: %s\n%s", what, query, strings.Join(steps, "\n"))
			}
		}
		if seen == 0 {
			t.Errorf("%+v: no statement in the order", what)
		}
	}
	somePeople(t, s, w, 1300)
	for order, by := range map[store.UserOrder][2]string{
		store.ByName:       {"u.name_folded", "users_name"},
		store.ByEmail:      {"u.email_folded", "users_email"},
		store.ByLastSignOn: {"s.at DESC, s.id", "sign_ons_at"},
	} {
		for _, narrow := range narrowed(w) {
			for _, descending := range []bool{false, true} {
				f := store.UserFilter{Order: order, Descending: descending}
				narrow(&f)
				if f.State == store.UserDisabled || f.State == store.UserLocked { // few, whom no walk through all looks for
					clear(explained.Plans)
					_, _, err := r.Users(t.Context(), w.env.ID, f, store.Page{})
					must(t, err)
					for query := range explained.Plans {
						if strings.Contains(query, "ORDER BY "+by[0]) {
							t.Errorf("%+v: %s", f, query)
						}
					}
					continue
				}
				if f.Never || f.Search == "x" || f.Search == "émi" {
					continue // they are few, or have no time
				}
				has(f, func(p store.Page) (string, error) {
					_, next, err := r.Users(t.Context(), w.env.ID, f, p)
					return next, err
				}, by[0], by[1])
			}
		}
	}
	for order, by := range map[store.GroupOrder][2]string{
		store.BySource: {"g.source_type", "groups_source"},
		store.ByChange: {"g.updated_at", "groups_changed"},
	} {
		for _, f := range narrowedGroups(w) {
			if f.SourceID != "" {
				continue // they are in the order of their names
			}
			f.Order = order
			has(f, func(p store.Page) (string, error) {
				_, next, err := r.Groups(t.Context(), w.env.ID, f, p)
				return next, err
			}, by[0], by[1])
		}
	}
}

// narrowedGroups are filters of each kind.
func narrowedGroups(w world) []store.GroupFilter {
	return []store.GroupFilter{
		{}, {Search: "D"}, {JustInTime: new(true)}, {JustInTime: new(false)}, {SourceID: w.gateway.ID}, {SourceType: store.SourceGateway},
		{SourceType: store.SourceGateway, SourceID: w.gateway.ID}, {Where: isX("name", store.Present)},
	}
}

// asked is what is read of a world.
type asked struct {
	world
	ctx                    context.Context
	r                      store.Reader
	afterUser, afterSignOn string // cursors
}

// isX is the condition that a field compares so with "x".
func isX(field string, op store.Op) store.Where {
	return store.Where{Condition: store.Condition{Field: field, Op: op, Value: "x"}}
}

// people reads users and sign-ons.
func (a asked) people() map[string]func() error {
	ctx, r, e, g, page := a.ctx, a.r, a.env.ID, a.gateway.ID, store.Page{Limit: 1}
	return map[string]func() error{
		"Users": func() error { _, _, err := r.Users(ctx, e, store.UserFilter{}, page); return err },
		"UsersNext": func() error {
			_, _, err := r.Users(ctx, e, store.UserFilter{}, store.Page{Cursor: a.afterUser})
			return err
		},
		"SignOnsNext": func() error {
			_, _, err := r.SignOns(ctx, e, store.SignOnFilter{}, store.Page{Cursor: a.afterSignOn})
			return err
		},
		"UsersOfGateway": func() error { _, _, err := r.Users(ctx, e, store.UserFilter{GatewayID: g}, page); return err },
		"UsersOfType": func() error {
			_, _, err := r.Users(ctx, e, store.UserFilter{GatewayID: g, UserTypeID: "t"}, page)
			return err
		},
		"UsersOfPop": func() error { _, _, err := r.Users(ctx, e, store.UserFilter{PopulationID: "p"}, page); return err },
		"UserOfMail": func() error {
			_, _, err := r.Users(ctx, e, store.UserFilter{Where: isX("email", store.Equal)}, page)
			return err
		},
		"UsersPrefix": func() error {
			_, _, err := r.Users(ctx, e, store.UserFilter{Where: isX("username", store.StartsWith)}, page)
			return err
		},
		"UsersSearched": func() error { _, _, err := r.Users(ctx, e, store.UserFilter{Search: "oth er"}, page); return err },
		"UsersOfIdP":    func() error { _, _, err := r.Users(ctx, e, store.UserFilter{ProviderID: "p"}, page); return err },
		"UsersDisabled": func() error {
			_, _, err := r.Users(ctx, e, store.UserFilter{State: store.UserDisabled}, page)
			return err
		},
		"UsersLocked": func() error {
			_, _, err := r.Users(ctx, e, store.UserFilter{State: store.UserLocked}, page)
			return err
		},
		"UsersSilent": func() error {
			_, _, err := r.Users(ctx, e, store.UserFilter{Silent: time.Now()}, page)
			return err
		},
		"UsersLatest": func() error {
			_, _, err := r.Users(ctx, e, store.UserFilter{Order: store.ByLastSignOn}, page)
			return err
		},
		"UsersByName": func() error { _, _, err := r.Users(ctx, e, store.UserFilter{Order: store.ByName}, page); return err },
		"UsersFromTheLastName": func() error {
			_, _, err := r.Users(ctx, e, store.UserFilter{Order: store.ByName, Descending: true, PopulationID: "p"}, page)
			return err
		},
		"UsersByEmail": func() error {
			_, _, err := r.Users(ctx, e, store.UserFilter{Order: store.ByEmail, GatewayID: g, State: store.UserLocked}, page)
			return err
		},
		"UsersCounted": func() error { _, _, err := r.CountUsers(ctx, e, store.UserFilter{PopulationID: "p"}); return err },
		"DisabledCounted": func() error {
			_, _, err := r.CountUsers(ctx, e, store.UserFilter{State: store.UserDisabled})
			return err
		},
		"LockedCounted": func() error {
			_, _, err := r.CountUsers(ctx, e, store.UserFilter{State: store.UserLocked})
			return err
		},
		"UsersOfGroup": func() error {
			_, _, err := r.Users(ctx, e, store.UserFilter{Where: isX("memberOfGroups.id", store.Equal)}, page)
			return err
		},
		"UsersOfGroupNamed": func() error {
			_, _, err := r.Users(ctx, e, store.UserFilter{Where: isX("memberOfGroups.name", store.Equal)}, page)
			return err
		},
		"UsersOfGroupShown": func() error {
			_, _, err := r.Users(ctx, e, store.UserFilter{Where: isX("memberOfGroups.displayName", store.Equal)}, page)
			return err
		},
		"ByUsername":    func() error { _, err := r.UserByUsername(ctx, e, "José"); return err },
		"Person":        func() error { _, err := r.PersonByUsername(ctx, e, "José"); return err },
		"ByCorrelation": func() error { _, err := r.UsersByCorrelation(ctx, e, g, "uid", "jose"); return err },
		"SignOns":       func() error { _, _, err := r.SignOns(ctx, e, store.SignOnFilter{}, page); return err },
		"SignOnsOfUser": func() error { _, _, err := r.SignOns(ctx, e, store.SignOnFilter{UserID: "u"}, page); return err },
	}
}

// groups reads groups and their members.
func (a asked) groups() map[string]func() error {
	ctx, r, e, g, page := a.ctx, a.r, a.env.ID, a.gateway.ID, store.Page{Limit: 1}
	return map[string]func() error{
		"GroupOfName": func() error {
			_, _, err := r.Groups(ctx, e, store.GroupFilter{Where: isX("name", store.Equal)}, page)
			return err
		},
		"GroupOfMany": func() error {
			_, err := r.LastSeen(ctx, store.Group{EnvironmentID: e, ID: a.jit.ID, MemberCount: store.Many})
			return err
		},
		"Groups": func() error { _, _, err := r.Groups(ctx, e, store.GroupFilter{}, page); return err },
		"GroupsBySource": func() error {
			_, _, err := r.Groups(ctx, e, store.GroupFilter{Order: store.BySource, Search: "x"}, page)
			return err
		},
		"GroupsByChange": func() error {
			f := store.GroupFilter{Order: store.ByChange, Descending: true, SourceType: store.SourceGateway, SourceID: g}
			_, _, err := r.Groups(ctx, e, f, page)
			return err
		},
		"GroupsJustInTime": func() error {
			_, _, err := r.Groups(ctx, e, store.GroupFilter{JustInTime: new(true)}, page)
			return err
		},
		"GroupsOfSource": func() error {
			_, _, err := r.Groups(ctx, e, store.GroupFilter{SourceType: store.SourceGateway, SourceID: g}, page)
			return err
		},
		"SharedNames": func() error {
			_, err := r.SharedGroups(ctx, e, store.SourceGateway, g, []string{"", "x"}, false, store.Group{})
			return err
		},
		"SharedDisplayNames": func() error {
			_, err := r.SharedGroups(ctx, e, store.SourceGateway, g, []string{"", "x"}, true, store.Group{})
			return err
		},
		"GroupsOf":      func() error { _, err := r.GroupsOf(ctx, e, a.user.ID); return err },
		"UserGroups":    func() error { _, err := r.UserGroups(ctx, e, a.user.ID); return err },
		"UserGroup":     func() error { _, err := r.UserGroup(ctx, e, a.user.ID, a.jit.ID); return err },
		"UserGroupPage": func() error { _, _, err := r.UserGroupsPage(ctx, e, a.user.ID, page); return err },
		"GroupMembers":  func() error { _, _, err := r.GroupMembers(ctx, e, a.jit.ID, page); return err },
		"Group":         func() error { _, err := r.Group(ctx, e, a.jit.ID); return err },
		"GroupDoubts":   func() error { _, err := r.GroupDoubts(ctx, e, a.jit.ID); return err },
		"DoubtedGroups": func() error { _, err := r.DoubtedGroups(ctx, e); return err },
		"GroupsProven":  func() error { _, err := r.GroupsProven(ctx, e, a.user.ID, a.gateway.ID); return err },
	}
}

// others reads all else.
func (a asked) others() map[string]func() error {
	ctx, r, e, g, page := a.ctx, a.r, a.env.ID, a.gateway.ID, store.Page{Limit: 1}
	return map[string]func() error{
		"Environments":   func() error { _, err := r.Environments(ctx); return err },
		"Populations":    func() error { _, _, err := r.Populations(ctx, e, page); return err },
		"Default":        func() error { _, err := r.DefaultPopulation(ctx, e); return err },
		"Gateways":       func() error { _, _, err := r.Gateways(ctx, e, page); return err },
		"UserTypeUsers":  func() error { _, err := r.UserTypeUsers(ctx, e, g, "t"); return err },
		"GatewayUsers":   func() error { _, err := r.GatewayUsers(ctx, e, g, "t"); return err },
		"Pairings":       func() error { _, err := r.Pairings(ctx, e, g, time.Now()); return err },
		"Paired":         func() error { _, _, err := r.Paired(ctx, e, g, "p"); return err },
		"Instances":      func() error { _, err := r.Instances(ctx, e, g); return err },
		"Activities":     func() error { _, _, err := r.Activities(ctx, e, store.ActivityFilter{}, page); return err },
		"ActivitiesOf":   func() error { _, _, err := r.Activities(ctx, e, store.ActivityFilter{Subject: "s"}, page); return err },
		"ActivitiesBy":   func() error { _, _, err := r.Activities(ctx, e, store.ActivityFilter{Actor: "a"}, page); return err },
		"ActivitiesDone": func() error { _, _, err := r.Activities(ctx, e, store.ActivityFilter{Action: "a"}, page); return err },
		"ActivitiesIn":   func() error { _, _, err := r.Activities(ctx, e, store.ActivityFilter{SignOnID: "s"}, page); return err },
		"Administrators": func() error { _, err := r.Administrators(ctx, e); return err },
		"Applications":   func() error { _, _, err := r.Applications(ctx, e, page); return err },
		"Application":    func() error { _, err := r.Application(ctx, e, "a"); return err },
		"AppToken":       func() error { _, err := r.Token(ctx, e, "t", time.Now()); return err },
		"RefreshToken":   func() error { _, err := r.TokenByRefresh(ctx, e, []byte("h"), time.Now()); return err },
		"SigningKeys":    func() error { _, err := r.SigningKeys(ctx, e, store.RS256); return err },
		"SigningKeysEC":  func() error { _, err := r.SigningKeys(ctx, e, store.ES256); return err },
		"TokenUsers":     func() error { _, _, err := r.TokenUsers(ctx, e, "a"); return err },
		"KerberosKeys":   func() error { _, err := r.KerberosKeys(ctx, e, g, time.Now()); return err },
		"Token":          func() error { _, err := r.TokenClient(ctx, []byte("h"), time.Now()); return err },
		"Session":        func() error { _, _, err := r.FindSession(ctx, "t"); return err },
		"Counts":         func() error { _, err := r.Counts(ctx, e); return err },
		"Hours":          func() error { _, _, err := r.HourCounts(ctx, e, time.Time{}, time.Now()); return err },
	}
}

// checkPlan lets only two things be sorted: a user's groups, which are all read anyway,
// and what is wrong now, which is little.
// And one may scan: what it has read of an index before, which is bounded. Every
// statement that a test of this room makes comes here, too: see openAt.
func checkPlan(t testing.TB, query string, steps []string) {
	t.Helper()
	query = strings.Join(strings.Fields(query), " ") // however it is laid out
	for _, step := range steps {
		bounded := strings.HasSuffix(step, "VALUES CLAUSE") || strings.HasSuffix(step, "CONSTANT ROW") ||
			strings.HasPrefix(step, "SCAN value VIRTUAL TABLE") // a list that the caller gave
		scan := strings.HasPrefix(step, "SCAN") && !bounded && !strings.Contains(step, "USING INDEX") &&
			!strings.Contains(step, "USING COVERING INDEX") && !strings.Contains(step, "VIRTUAL TABLE INDEX 0:M") // MATCH
		sorted := strings.Contains(step, "TEMP B-TREE FOR ORDER BY") || strings.Contains(step, "TEMP B-TREE FOR LAST")
		if scan && slices.Contains(steps, "CO-ROUTINE "+strings.TrimPrefix(step, "SCAN ")) &&
			slices.ContainsFunc([]string{"LIMIT 1000", "LIMIT 3 ) found", "LIMIT 100) AS expired"}, // or more zeros
				func(bound string) bool { return strings.Contains(query, bound) }) {
			continue
		}
		small := strings.Contains(query, "ORDER BY g.display_folded, g.id") || strings.Contains(query, " FROM alerts ")
		if scan || sorted && !small || broad(query, step) {
			t.Errorf("%s\n%s", query, strings.Join(steps, "\n"))
		}
	}
}

// manyHave are columns by which alone a statement would look at everybody of an
// environment, a gateway or a source.
var manyHave = []string{
	"environment_id", "gateway_id", "source_type", "source_id", "population_id", "user_type_id", "attribute_key", "action", "outcome", "verdict",
	"application_id", "client_id", "provider_id",
}

// few are tables and indexes that do not grow with people.
var few = []string{
	"populations", "gateways", "instances", "pairings", "administrators", "applications", "signing_keys", "ec_signing_keys", "kerberos_keys", "clients",
	"role_groups", "memberships_doubt", "alerts", "alert_channels",
	"identity_providers", "certificates", "passkeys", "lists_coming", "lists_gone", "goings", "recovery_codes", "sign_on_policies", "arrivals", "sign_on_hours", "counted_hours",
}

// wholes are the statements by which an environment goes with all that is in it.
var wholes = []string{
	"DELETE FROM cloud_groups WHERE environment_id = $1",
	"DELETE FROM users WHERE environment_id = $1",
	"DELETE FROM sign_ons WHERE environment_id = $1",
	"DELETE FROM activities WHERE environment_id = $1",
	"DELETE FROM environments WHERE id = $1",
	"DELETE FROM sign_ons WHERE id IN (SELECT id FROM sign_ons WHERE environment_id = $1 LIMIT $2)",
	"DELETE FROM activities WHERE id IN (SELECT id FROM activities WHERE environment_id = $1 LIMIT $2)",
	"DELETE FROM users WHERE id IN (SELECT id FROM users WHERE environment_id = $1 LIMIT $2)",
	"DELETE FROM cloud_groups WHERE id IN (SELECT id FROM cloud_groups WHERE environment_id = $1 LIMIT $2)",
}

// takeAll are the statements that look at all of a gateway or a population: what an
// administrator asks for once, and a count that says what it would do.
var takeAll = []string{
	"SELECT count(*) FROM (SELECT 1 FROM",               // some, see CountedTo
	"SELECT at - (at - $2) % 3600000000, outcome, CASE", // of three hours at most
	"SELECT count(*) FROM users WHERE environment_id = $1 AND gateway_id = $2",
	"SELECT count(*) FROM cloud_groups WHERE environment_id = $1 AND population_id = $2",
	"SELECT p.id, p.environment_id, p.name, p.description, p.is_default, p.kept, p.created_at, p.updated_at, (SELECT count(*)",
	"SELECT count(*) FROM cloud_groups WHERE environment_id = $1 AND source_type = $2 AND source_id = $3",
	"DELETE FROM applications ",
	"SELECT count(DISTINCT user_id) FROM linked_accounts WHERE environment_id = $1 AND provider_id = $2",
	"DELETE FROM identity_providers ",
	"DELETE FROM clients ",
	"DELETE FROM tokens WHERE hash IN ( SELECT hash FROM tokens WHERE environment_id = $1 AND client_id = $2 LIMIT $3)", // some
	"DELETE FROM application_tokens WHERE id IN ( SELECT id FROM application_tokens WHERE environment_id = $1 AND application_id = $2 LIMIT $3)",
	"DELETE FROM authorizations WHERE id IN ( SELECT id FROM authorizations WHERE environment_id = $1 AND application_id = $2 LIMIT $3)",
	"DELETE FROM gateways ",
	"DELETE FROM populations ",
}

// broad tells whether a step looks at as many rows as there are people, for a
// statement that is no page of a list.
func broad(query, step string) bool {
	_, key, searches := strings.Cut(step, " (")
	page := strings.Contains(query, "LIMIT") && strings.Contains(query, "ORDER BY")
	if !strings.HasPrefix(step, "SEARCH") || !searches || page {
		return false
	}
	for _, column := range strings.Split(strings.TrimSuffix(key, ")"), " AND ") {
		name, _, equal := strings.Cut(column, "=?")
		if equal && !slices.Contains(manyHave, name) || column == "expires_at<?" || column == "created_at<?" {
			return false
		}
	}
	return !slices.Contains(wholes, query) && !slices.ContainsFunc(few, func(table string) bool { return strings.Contains(step, table) }) &&
		!slices.ContainsFunc(takeAll, func(known string) bool { return strings.HasPrefix(query, known) })
}
