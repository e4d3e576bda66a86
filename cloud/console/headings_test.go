package console_test

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/cloud/store"
)

// linkedTo are the names that a list has, in its order.
func linkedTo(a answer, kind string) (names []string) {
	for _, m := range regexp.MustCompile(`<a href="/console/`+kind+`/[0-9a-f-]{36}">([^<]+)</a>`).FindAllStringSubmatch(a.body, -1) {
		names = append(names, m[1])
	}
	return names
}

// headed returns where a heading leads, and which way the list is sorted by it.
func headed(t *testing.T, a answer, word string) (at, way string) {
	t.Helper()
	m := regexp.MustCompile(`<th class="by"(?: aria-sort="(\w+)")?><a href="([^"]+)">` + word + `</a>( <span aria-hidden="true">(.)</span>)?</th>`).
		FindStringSubmatch(a.body)
	if m == nil {
		t.Fatalf("there is no heading %q:\n%s", word, a.body)
	}
	if arrow := map[string]string{"": "", "ascending": "▲", "descending": "▼"}[m[1]]; m[4] != arrow {
		t.Errorf("%s: %s is shown as %q", word, m[1], m[4])
	}
	return html.UnescapeString(m[2]), m[1]
}

// paged goes through all pages of a list, onward and back, and returns what it has.
func (v *visitor) paged(at, kind string) (onward []string) {
	v.t.Helper()
	var pages [][]string
	var last answer
	for next := at; next != ""; next = pageBy(last, "next") {
		last = v.get(next).is(http.StatusOK)
		pages = append(pages, linkedTo(last, kind))
	}
	onward = slices.Concat(pages...)
	for i := len(pages) - 2; i >= 0; i-- {
		last = v.get(pageBy(last, "prev")).is(http.StatusOK)
		if !slices.Equal(linkedTo(last, kind), pages[i]) {
			v.t.Errorf("%s: page %d is another one on the way back", at, i)
		}
	}
	return onward
}

// pageBy is where a link of the pager leads.
func pageBy(a answer, rel string) string {
	m := regexp.MustCompile(`<a href="([^"]+)" rel="` + rel + `">`).FindStringSubmatch(a.body)
	if m == nil {
		return ""
	}
	return html.UnescapeString(m[1])
}

// saved is the column of names of the file of a list.
func (v *visitor) saved(a answer, column int) (names []string) {
	v.t.Helper()
	m := regexp.MustCompile(`<a href="([^"]+)" download>`).FindStringSubmatch(a.body)
	rows, err := csv.NewReader(strings.NewReader(v.get(html.UnescapeString(m[1])).is(http.StatusOK).body)).ReadAll()
	if err != nil {
		v.t.Fatal(err)
	}
	for _, row := range rows[1:] {
		names = append(names, row[column])
	}
	return names
}

// crowded makes a hundred users, and as many groups, in different orders by each column.
func (s *site) crowded(f filled) {
	s.t.Helper()
	s.must(s.store.Provision(s.t.Context(), func(tx *store.Tx) error {
		for i := range 100 {
			u := store.User{
				EnvironmentID: s.env.ID,
				PopulationID:  f.population.ID,
				Username:      fmt.Sprintf("crowd%02d", i),
				FamilyName:    []string{"", "Émile", "emil", "Zola"}[i%4],
				Email:         fmt.Sprintf("m%02d@corp.example", (i*37)%50),
				Enabled:       true,
			}
			if err := tx.CreateUser(s.t.Context(), &u); err != nil {
				return err
			}
			g := store.Group{EnvironmentID: s.env.ID, Name: fmt.Sprintf("crowd%02d", i), DisplayName: fmt.Sprintf("Crowd %02d", (i*37)%100)}
			if i%3 > 0 {
				g.SourceType, g.SourceID = store.SourceGateway, f.gateway.ID
			}
			if err := tx.CreateGroups(s.t.Context(), []*store.Group{&g}); err != nil {
				return err
			}
		}
		return nil
	}))
}

// A list is sorted by the heading that is followed, and the other way round by following it again. The filter stays,
// also when another is asked for; pages lead on and back in the order, and the file has it.
func TestListsAreSortedByTheirHeadings(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	s.others(f)
	s.crowded(f)
	for _, list := range []struct {
		kind, filter string
		column       int
		first        map[string]string // which way each heading sorts first
		one          string            // which sorts one way alone
	}{
		{"users", "", 1, map[string]string{"Username": "ascending", "Name": "ascending", "Email": "ascending", "Last sign-on": "descending"}, "Last sign-on"},
		{"users", "q=crowd", 1, map[string]string{"Name": "ascending", "Email": "ascending", "Last sign-on": "descending"}, "Last sign-on"},
		{"users", "population=" + f.population.ID + "&state=enabled", 1, map[string]string{"Name": "ascending", "Email": "ascending"}, ""},
		{"groups", "", 2, map[string]string{"Group": "ascending", "Where it comes from": "ascending", "Last changed": "descending"}, ""},
		{"groups", "q=crowd&type=jit", 2, map[string]string{"Where it comes from": "ascending", "Last changed": "descending"}, ""},
	} {
		for word, first := range list.first {
			t.Run(list.kind+"/"+list.filter+"/"+word, func(t *testing.T) {
				other := map[string]string{"Name": "email", "Where it comes from": "changed"}[word]
				from := "/console/" + list.kind + "?" + list.filter + "&sort=" + cmp.Or(other, map[string]string{"users": "name", "groups": "source"}[list.kind])
				at, _ := headed(t, v.get(pageBy(v.get(from).is(http.StatusOK), "next")).is(http.StatusOK), word)
				a := v.get(at).is(http.StatusOK)
				if strings.Contains(at, "cursor=") || strings.Count(a.body, "aria-sort=") != 1 {
					t.Errorf("%s: not the first page, or sorted by more than one column", at)
				}
				back, way := headed(t, a, word)
				kept, err := url.Parse(at)
				s.must(err)
				for name, values := range fields(list.filter) {
					if kept.Query().Get(name) != values[0] {
						t.Errorf("%s forgets %s", at, name)
					}
				}
				names := v.paged(at, list.kind)
				if way != first || !slices.Equal(v.saved(a, list.column), names) || len(names) < 60 {
					t.Errorf("%s, want %s, of %d:\n%q", way, first, len(names), names)
				}
				for _, kept := range []string{"sort", "order"} {
					has := strings.Contains(a.body, `<input type="hidden" name="`+kept+`" value="`+url.QueryEscape(valueOf(at, kept))+`">`)
					if has != (valueOf(at, kept) != "") {
						t.Errorf("%s: the form of the filter has %s: %v", at, kept, has)
					}
				}
				a = v.get(back).is(http.StatusOK)
				_, way = headed(t, a, word)
				turned := v.paged(back, list.kind)
				if word != list.one {
					slices.Reverse(turned)
				}
				if (way == first) != (word == list.one) || !slices.Equal(turned, names) {
					t.Errorf("turned round: %s, %q\n%q", way, turned, names)
				}
			})
		}
	}
}

// fields are those of an address.
func fields(query string) url.Values {
	q, _ := url.ParseQuery(query)
	return q
}

// valueOf is one field of an address.
func valueOf(at, name string) string {
	_, query, _ := strings.Cut(at, "?")
	return fields(query).Get(name)
}
