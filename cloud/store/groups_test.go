package store_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

func TestGroupOfADirectoryIsReadOnly(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	ctx, e := t.Context(), w.env.ID
	want(t, s.AddMember(ctx, e, w.user.ID, w.jit.ID, time.Now()), store.ErrReadOnly)
	want(t, s.CreateGroup(ctx, &store.Group{
		EnvironmentID: e,
		Name:          "x",
		SourceType:    store.SourceIDP,
	}), store.ErrReadOnly)
	for _, change := range []func(*store.Group){
		func(g *store.Group) { g.Name = "other" },
		func(g *store.Group) { g.DisplayName = "other" },
	} {
		g := w.jit
		change(&g)
		want(t, s.UpdateGroup(ctx, &g), store.ErrReadOnly)
	}
	g := w.jit
	g.Description, g.ExternalID, g.PopulationID, g.SourceType, g.DirectoryID = "d", "x", w.population.ID, "", "forged"
	must(t, s.UpdateGroup(ctx, &g))
	if got, err := s.Group(ctx, e, g.ID); err != nil || got.Description != "d" ||
		got.SourceType != store.SourceGateway || got.DirectoryID != "" {
		t.Errorf("%+v, %v", got, err)
	}
	must(t, s.RemoveMember(ctx, e, w.user.ID, w.jit.ID))
	want(t, s.RemoveMember(ctx, e, w.user.ID, w.jit.ID), store.ErrNotFound)
}

func TestOrdinaryGroup(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	ctx, e, since := t.Context(), w.env.ID, time.UnixMicro(7).UTC()
	must(t, s.AddMember(ctx, e, w.user.ID, w.group.ID, since))
	must(t, s.AddMember(ctx, e, w.user.ID, w.group.ID, time.Now())) // is in it
	in, err := s.UserGroups(ctx, e, w.user.ID)
	if err != nil || len(in) != 2 || in[0].Group.DisplayName != "Cooks" || in[1].Group.Name != "readers" ||
		!in[1].Since.Equal(since) {
		t.Errorf("%+v, %v", in, err)
	}
	members, _, err := s.GroupMembers(ctx, e, w.group.ID, store.Page{})
	if err != nil || len(members) != 1 || members[0].User.Username != "José" || !members[0].Since.Equal(since) {
		t.Errorf("%+v, %v", members, err)
	}
	w.group.Name, w.group.DisplayName = "writers", "Writers"
	must(t, s.UpdateGroup(ctx, &w.group))
	must(t, s.DeleteGroup(ctx, e, w.group.ID))
	want(t, s.DeleteGroup(ctx, e, w.group.ID), store.ErrNotFound)
	if in, _ := s.UserGroups(ctx, e, w.user.ID); len(in) != 1 {
		t.Errorf("%+v", in)
	}
}

// One name may stand for an ordinary group and for a group of each source, but
// not for two of one source.
func TestGroupNames(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	e, name := w.env.ID, "CN=Cooks, DC=example"
	add := func(sourceType store.Source, sourceID, directoryID string) error {
		return s.Provision(t.Context(), func(tx *store.Tx) error {
			return tx.CreateGroups(t.Context(), []*store.Group{{
				EnvironmentID: e,
				Name:          name,
				SourceType:    sourceType,
				SourceID:      sourceID,
				DirectoryID:   directoryID,
			}})
		})
	}
	must(t, s.CreateGroup(t.Context(), &store.Group{EnvironmentID: e, Name: name}))
	want(t, s.CreateGroup(t.Context(), &store.Group{EnvironmentID: e, Name: "cn=cooks,dc=example"}), store.ErrConflict)
	want(t, add(store.SourceGateway, w.gateway.ID, ""), store.ErrConflict)
	must(t, add(store.SourceIDP, w.gateway.ID, ""))
	must(t, add(store.SourceGateway, "other", ""))
	must(t, add(store.SourceGateway, w.gateway.ID, "1"))
	must(t, add(store.SourceGateway, w.gateway.ID, "2")) // made again in the directory under the old name
	want(t, add(store.SourceGateway, w.gateway.ID, "2"), store.ErrConflict)
}

func TestComputed(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	ctx, e := t.Context(), w.env.ID
	for i, so := range []store.SignOn{{
		Outcome: "ok",
		Verdict: "complete",
	}, {Outcome: "ok", Verdict: "partial"}, {Outcome: "ok"}, {Outcome: "invalidCredentials"}} {
		so.GatewayID = w.gateway.ID
		so.EnvironmentID, so.UserID, so.Added = e, w.user.ID, []string{"g"}
		so.At, so.Duration = time.UnixMicro(int64(i+1)*1000).UTC(), time.Millisecond
		must(t, s.RecordSignOn(ctx, &so, store.Activity{Action: "sign-on", Detail: map[string]any{"n": 1.5}}))
		got, err := s.SignOn(ctx, e, so.ID)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(so) {
			t.Errorf("read    %+v\nwritten %+v, %v", got, so, err)
		}
		want(t, s.RecordSignOn(ctx, &so), store.ErrConflict)
	}
	if u, err := s.User(ctx, e, w.user.ID); err != nil || u.LastSignOnAt.UnixMicro() != 3000 {
		t.Errorf("last sign-on %s, %v", u.LastSignOnAt, err)
	}
	if g, err := s.Group(ctx, e, w.jit.ID); err != nil || g.LastSeenAt.UnixMicro() != 1000 || g.MemberCount != 1 {
		t.Errorf("last seen %s, members %d, %v", g.LastSeenAt, g.MemberCount, err)
	}
	// And from the other end.
	if at, err := s.LastSeen(ctx, store.Group{
		EnvironmentID: e,
		ID:            w.jit.ID,
		SourceID:      w.gateway.ID,
		MemberCount:   store.Many,
	}); err != nil || at.UnixMicro() != 1000 {
		t.Errorf("last seen %s, %v", at, err)
	}
	if at, err := s.LastSeen(ctx, store.Group{
		EnvironmentID: e,
		ID:            w.group.ID,
		MemberCount:   store.Many,
	}); err != nil || !at.IsZero() && at.UnixMicro() != 1000 {
		t.Errorf("last seen %s, %v", at, err)
	}
	as, _, err := s.Activities(ctx, e, store.ActivityFilter{Action: "sign-on"}, store.Page{})
	if err != nil || len(as) != 4 || as[0].Detail["n"] != 1.5 || as[0].SignOnID == "" || as[0].At.UnixMicro() != 4000 {
		t.Errorf("%+v, %v", as, err)
	}
}

// A sign-on writes its own rows and no other.
func TestSignOnWritesItsOwnRows(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "cloud.db")) // SQLite counts for us
	w := build(t, s, "one")
	before, err := s.RowsWritten(t.Context())
	must(t, err)
	so := store.SignOn{EnvironmentID: w.env.ID, UserID: w.user.ID, Outcome: "ok", Verdict: "complete"}
	must(t, s.RecordSignOn(t.Context(), &so, store.Activity{Action: "sign-on"}))
	after, err := s.RowsWritten(t.Context())
	if err != nil || after-before != 2 {
		t.Errorf("%d rows written, want 2: %v", after-before, err)
	}
}

// Pages show each row once, in order, though rows come and go between them.
func TestPages(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	ctx, e := t.Context(), w.env.ID
	var ids []string
	for i := range 7 {
		so := store.SignOn{EnvironmentID: e, At: time.UnixMicro(int64(1 + i/2)), UserID: "u"}
		must(t, s.RecordSignOn(ctx, &so))
		ids = append(ids, so.ID)
	}
	var seen []string
	page := store.Page{Limit: 2}
	for {
		got, next, err := s.SignOns(ctx, e, store.SignOnFilter{UserID: "u"}, page)
		must(t, err)
		for _, so := range got {
			seen = append(seen, so.ID)
		}
		must(t, s.RecordSignOn(ctx, &store.SignOn{EnvironmentID: e, UserID: "u"})) // newer than all
		if next == "" {
			break
		}
		page.Cursor = next
	}
	slices.Reverse(seen)
	if !slices.Equal(seen, ids) {
		t.Errorf("seen %v\nwant %v", seen, ids)
	}
	for _, cursor := range []string{"!", "e30", "WyJ4IiwieSJd"} {
		_, _, err := s.SignOns(ctx, e, store.SignOnFilter{}, store.Page{Cursor: cursor})
		want(t, err, store.ErrCursor)
	}
}

func TestUserPages(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	ctx, e := t.Context(), w.env.ID
	for _, name := range []string{"bob", "Ada", "Zoë", "carl_1", "carlx1"} {
		must(t, s.CreateUser(ctx, &store.User{
			EnvironmentID: e,
			PopulationID:  w.population.ID,
			Username:      name,
			Email:         name + "@Example.com",
		}))
	}
	names := func(f store.UserFilter) (all []string) {
		t.Helper()
		for page := (store.Page{Limit: 2}); ; {
			got, next, err := s.Users(ctx, e, f, page)
			must(t, err)
			for _, u := range got {
				all = append(all, u.Username)
			}
			if page.Cursor = next; next == "" {
				return all
			}
		}
	}
	where := func(field string, op store.Op, value string) store.UserFilter {
		return store.UserFilter{Where: store.Where{Condition: store.Condition{Field: field, Op: op, Value: value}}}
	}
	for _, c := range []struct {
		filter store.UserFilter
		want   string
	}{
		{store.UserFilter{}, "[Ada bob carl_1 carlx1 José Zoë]"},
		{store.UserFilter{GatewayID: w.gateway.ID}, "[José]"},
		{store.UserFilter{GatewayID: w.gateway.ID, UserTypeID: "none"}, "[]"},
		{store.UserFilter{PopulationID: "none"}, "[]"},
		{where("username", store.Equal, "BOB"), "[bob]"},
		{where("username", store.StartsWith, "CARL"), "[carl_1 carlx1]"},
		{where("username", store.Contains, "l_"), "[carl_1]"},
		{where("username", store.Contains, "%"), "[]"},
		{where("email", store.Equal, "ZOË@example.com"), "[Zoë]"},
		{where("id", store.Equal, w.user.ID), "[José]"},
	} {
		if got := fmt.Sprint(names(c.filter)); got != c.want {
			t.Errorf("%+v: %s, want %s", c.filter, got, c.want)
		}
	}
	_, _, err := s.Users(ctx, e, where("password", store.Equal, "x"), store.Page{})
	want(t, err, store.ErrFilter)
}

func TestGroupFilters(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	yes, no := true, false
	for _, c := range []struct {
		filter store.GroupFilter
		want   string
	}{
		{store.GroupFilter{}, "[Cooks readers]"},
		{store.GroupFilter{JustInTime: &yes}, "[Cooks]"},
		{store.GroupFilter{JustInTime: &no}, "[readers]"},
		{store.GroupFilter{Search: "OOK"}, "[Cooks]"},
		{store.GroupFilter{Search: "dc=EXAMPLE"}, "[Cooks]"},
		{store.GroupFilter{Search: " example  COOK "}, "[Cooks]"},
		{store.GroupFilter{Search: "cn=cooks, dc"}, "[Cooks]"},
		{store.GroupFilter{Search: "READ"}, "[readers]"},
		{store.GroupFilter{Search: "read example"}, "[]"},
		{store.GroupFilter{Search: "_"}, "[]"},
		{store.GroupFilter{Search: "example", JustInTime: &no}, "[]"},
		{store.GroupFilter{Search: strings.Repeat("o ", 5000)}, "[Cooks]"},
		{store.GroupFilter{Name: "CN=cooks, DC=example"}, "[Cooks]"},
		{store.GroupFilter{SourceType: store.SourceGateway, SourceID: w.gateway.ID}, "[Cooks]"},
		{store.GroupFilter{SourceType: store.SourceIDP}, "[]"},
	} {
		got, _, err := s.Groups(t.Context(), w.env.ID, c.filter, store.Page{})
		names := []string{}
		for _, g := range got {
			names = append(names, g.DisplayName)
		}
		if fmt.Sprint(names) != c.want || err != nil {
			t.Errorf("%+v: %v, want %s, %v", c.filter, names, c.want, err)
		}
	}
	long := store.UserFilter{Search: strings.Repeat("no ", 5000)}
	if got, _, err := s.Users(t.Context(), w.env.ID, long, store.Page{}); err != nil || len(got) > 0 {
		t.Errorf("%d users, %v", len(got), err)
	}
}

func TestCorrelation(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	ctx, e := t.Context(), w.env.ID
	find := func(gateway, attribute, value string) int {
		us, err := s.UsersByCorrelation(ctx, e, gateway, attribute, value)
		must(t, err)
		return len(us)
	}
	if find(w.gateway.ID, "ENTRYUUID", "1-2-3") != 1 || find("other", "entryUUID", "1-2-3") != 0 ||
		find(w.gateway.ID, "uid", "1-2-3") != 0 {
		t.Error("found wrongly")
	}
	u := w.user
	u.Correlation = []store.Correlation{{Attribute: "entryUUID", Value: "4"}}
	must(t, s.UpdateUser(ctx, &u))
	if find(w.gateway.ID, "entryUUID", "1-2-3") != 0 || find(w.gateway.ID, "entryUUID", "4") != 1 {
		t.Error("not replaced")
	}
}

// TestDoubtedMemberships are listed by group and reason, taken back, and let go.
func TestDoubtedMemberships(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	ctx, e, at := t.Context(), w.env.ID, time.UnixMicro(9).UTC()
	doubt := func(why string) {
		must(t, s.Provision(ctx, func(tx *store.Tx) error {
			return tx.DoubtMemberships(ctx, e, w.user.ID, []string{w.jit.ID, "another"}, why, at)
		}))
	}
	doubt("notVisible")
	in, err := s.UserGroups(ctx, e, w.user.ID)
	if err != nil || len(in) != 1 || in[0].Doubt != "notVisible" || !in[0].DoubtedAt.Equal(at) {
		t.Errorf("%+v, %v", in, err)
	}
	all, err := s.DoubtedGroups(ctx, e)
	want := store.DoubtedGroup{
		GroupID:     w.jit.ID,
		Name:        w.jit.Name,
		DisplayName: w.jit.DisplayName,
		SourceID:    w.jit.SourceID,
		Doubt:       "notVisible",
		Users:       1,
	}
	if err != nil || len(all) != 1 || all[0] != want {
		t.Errorf("%+v, %v", all, err)
	}
	if one, err := s.GroupDoubts(ctx, e, w.jit.ID); err != nil || len(one) != 1 || one[0] != want {
		t.Errorf("%+v, %v", one, err)
	}
	if none, err := s.GroupDoubts(ctx, e, w.group.ID); err != nil || len(none) != 0 {
		t.Errorf("%+v, %v", none, err)
	}
	doubt("")
	if all, err := s.DoubtedGroups(ctx, e); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
	if n, err := s.ReleaseDoubted(ctx, e, w.jit.ID); err != nil || n != 0 {
		t.Errorf("%d were let go: %v", n, err)
	}
	doubt("notVisible")
	if n, err := s.ReleaseDoubted(ctx, e, w.jit.ID); err != nil || n != 1 {
		t.Errorf("%d were let go: %v", n, err)
	}
	if in, _ := s.UserGroups(ctx, e, w.user.ID); len(in) != 0 {
		t.Errorf("%+v", in)
	}
}
