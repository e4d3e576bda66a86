package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// listed goes through all pages of a list, two at a time, and returns what one property of each is.
func (s *site) listed(kind, query, property string) (values []string) {
	for at := "/" + kind + "?limit=2&" + query; at != ""; {
		a := s.send("GET", at, "").want(http.StatusOK)
		for i := range 2 {
			if value := a.at(fmt.Sprintf("_embedded.%s.%d.%s", kind, i, property)); value != "<nothing>" {
				values = append(values, value)
			}
		}
		_, at, _ = strings.Cut(a.at("_links.next.href"), s.env)
	}
	return values
}

// Users are listed by username, name, e-mail address or who signed on last, part by part; another order is refused
// by name.
func TestUsersAreSorted(t *testing.T) {
	s := start(t)
	for i, name := range []string{"bo", "cy", "di", "never"} {
		u := store.User{
			EnvironmentID: s.env,
			PopulationID:  s.population.ID,
			Username:      name,
			FamilyName:    []string{"Zola", "Émile", "emil", ""}[i],
			Email:         []string{"x@corp.example", "", "X@corp.example", "a@corp.example"}[i],
			Enabled:       true,
		}
		s.must(s.store.CreateUser(t.Context(), &u))
		if name != "never" {
			s.must(s.store.RecordSignOn(t.Context(), &store.SignOn{
				EnvironmentID: s.env, UserID: u.ID, Outcome: "ok", At: time.Now().Add(time.Duration(i+1) * time.Hour),
			}))
		}
	}
	for query, want := range map[string]string{
		"":                                    "bo cy di never",
		"sortBy=username":                     "bo cy di never",
		"sortBy=username&sortOrder=ascending": "bo cy di never",
		"sortOrder=descending":                "never di cy bo",
		"sortBy=name.family":                  "never di cy bo",
		"sortBy=Name.Family&sortOrder=Descending": "bo cy di never",
		"sortBy=email":                              "cy never bo di",
		"sortBy=email&sortOrder=descending":         "di bo never cy",
		"sortBy=lastSignOn.at&sortOrder=descending": "di cy bo never",
		"sortBy=LASTSIGNON.AT&sortOrder=Descending": "di cy bo never",
		"sortBy=lastSignOn.at&sortOrder=descending&filter=" + url.QueryEscape(`username sw "c"`): "cy",
		"sortBy=email&filter=" + url.QueryEscape(`email ew "corp.example"`):                      "never bo di",
	} {
		got := slices.DeleteFunc(s.listed("users", query, "username"), func(name string) bool { return name == "ada" })
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	for query, target := range map[string]string{
		"sortBy=lastSignOn":                          "sortBy",
		"sortBy=name":                                "sortBy",
		"sortBy=displayName":                         "sortBy",
		"sortBy=lastSignOn.at":                       "sortOrder",
		"sortBy=lastSignOn.at&sortOrder=ascending":   "sortOrder",
		"sortOrder=down":                             "sortOrder",
		"sortBy=username%20desc&sortOrder=ascending": "sortBy",
	} {
		s.send("GET", "/users?"+query, "").refuses(target)
	}
	s.send("GET", "/users?sortBy=email&cursor="+s.nextOf("/users?limit=1&sortBy=username"), "").refuses("cursor")
}

// nextOf is the cursor of what follows a page.
func (s *site) nextOf(path string) string {
	next, err := url.Parse(s.send("GET", path, "").want(http.StatusOK).at("_links.next.href"))
	s.must(err)
	return next.Query().Get("cursor")
}

// Groups are listed by display name, where they come from, or when they were changed last.
func TestGroupsAreSorted(t *testing.T) {
	s := start(t)
	s.must(s.store.Provision(t.Context(), func(tx *store.Tx) error {
		for _, g := range []store.Group{
			{Name: "s1", DisplayName: "beta", SourceType: store.SourceGateway, SourceID: "g1"},
			{Name: "s2", DisplayName: "Alpha"},
			{Name: "s3", DisplayName: "delta", SourceType: store.SourceIDP, SourceID: "p1"},
			{Name: "s4", DisplayName: "Gamma", SourceType: store.SourceGateway, SourceID: "g1"},
			{Name: "s5", DisplayName: "epsilon"},
		} {
			g.EnvironmentID = s.env
			if err := tx.CreateGroups(t.Context(), []*store.Group{&g}); err != nil {
				return err
			}
		}
		return nil
	}))
	for query, want := range map[string]string{
		"": "s2 s1 s3 s5 s4",
		"sortBy=displayName&sortOrder=descending":                               "s4 s5 s3 s1 s2",
		"sortBy=sourceType":                                                     "s2 s5 s1 s4 s3",
		"sortBy=SOURCETYPE&sortOrder=descending":                                "s3 s4 s1 s5 s2",
		"sortBy=updatedAt":                                                      "s1 s2 s3 s4 s5",
		"sortBy=updatedAt&sortOrder=descending":                                 "s5 s4 s3 s2 s1",
		"sortBy=updatedAt&filter=" + url.QueryEscape(`sourceType eq "GATEWAY"`): "s1 s4",
	} {
		got := slices.DeleteFunc(s.listed("groups", query, "name"), func(name string) bool { return len(name) != 2 })
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	for query, target := range map[string]string{
		"sortBy=name":    "sortBy",
		"sortBy=members": "sortBy",
		"sortOrder=up":   "sortOrder",
	} {
		s.send("GET", "/groups?"+query, "").refuses(target)
	}
}
