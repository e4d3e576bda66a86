package store_test

import (
	"testing"

	"ldap-gateway/cloud/store"
)

// TestSharedGroups: groups of a source that another of those asked for has by that name, or
// display name; of another environment none.
func TestSharedGroups(t *testing.T) {
	s := open(t)
	w, other := build(t, s, "one"), build(t, s, "two")
	e := w.env.ID
	must(t, s.CreateGroup(t.Context(), &store.Group{EnvironmentID: e, Name: "CN=Cooks, DC=x", DisplayName: "cooks"}))
	must(t, s.CreateGroup(t.Context(), &store.Group{EnvironmentID: other.env.ID, Name: "only there", DisplayName: "only there"}))
	for name, c := range map[string]struct {
		others    []string
		displayed bool
		n         int
	}{
		"none-asked-for": {nil, false, 0},
		"another-source": {[]string{"x"}, false, 0},
		"display-name":   {[]string{"", "x"}, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := s.SharedGroups(t.Context(), e, store.SourceGateway, w.gateway.ID, c.others, c.displayed, store.Group{})
			if err != nil || len(got) != c.n || c.n > 0 && got[0].ID != w.jit.ID {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	for _, displayed := range []bool{false, true} {
		got, err := s.SharedGroups(t.Context(), e, "", "", []string{other.gateway.ID}, displayed, store.Group{})
		if err != nil || len(got) > 0 {
			t.Errorf("%+v, %v", got, err)
		}
	}
	same := store.Group{EnvironmentID: e, Name: w.jit.Name, DisplayName: "another"}
	must(t, s.CreateGroup(t.Context(), &same))
	got, err := s.SharedGroups(t.Context(), e, store.SourceGateway, w.gateway.ID, []string{""}, false, store.Group{})
	if err != nil || len(got) != 1 || got[0].ID != w.jit.ID {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err = s.SharedGroups(t.Context(), e, store.SourceGateway, w.gateway.ID, []string{""}, false, got[0]); err != nil || len(got) > 0 {
		t.Errorf("after the last: %+v, %v", got, err)
	}
	for _, displayed := range []bool{false, true} {
		got, err := s.GroupsLike(t.Context(), e, w.jit.ID, displayed)
		if err != nil || len(got) != 1 || (got[0].ID == same.ID) == displayed {
			t.Errorf("displayed %t: %+v, %v", displayed, got, err)
		}
	}
}
