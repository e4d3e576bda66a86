package console_test

import (
	"html"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"testing"

	"ldap-gateway/cloud/store"
)

// TestFilesAreOfWhatIsShown: each link of a list that saves it, or goes on with it, asks for what the page was asked
// for, whatever that is.
func TestFilesAreOfWhatIsShown(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	s.others(f)
	link := regexp.MustCompile(`(?:href|data-from)="(/console/[a-z]+/(?:export|live)\?[^"]*)"`)
	words := []string{"rch", "a b", "a&b=c", "100%", "é+ü", `"><script>`, "#x", "%3d", "?"}
	for _, word := range words {
		u := store.User{EnvironmentID: s.env.ID, PopulationID: f.population.ID, Username: word + " rch", Locked: true}
		s.must(s.store.CreateUser(t.Context(), &u))
		s.must(s.store.CreateGroup(t.Context(), &store.Group{EnvironmentID: s.env.ID, Name: word + " group"}))
	}
	seen := map[string]int{}
	for list, of := range map[string]struct {
		links  int
		others []string
	}{
		"users":    {1, []string{"state=locked", "source=gateway:" + f.gateway.ID, "last=never", "sort=last"}},
		"groups":   {1, []string{"type=jit", "source=gateway:" + f.gateway.ID}},
		"activity": {3, []string{"action=sign-on", "subject=user:1", "from=2026-01-02"}},
	} {
		for _, word := range words {
			for _, other := range append(of.others, "") {
				asked, err := url.ParseQuery(other)
				s.must(err)
				asked.Set("q", word)
				all := link.FindAllStringSubmatch(v.get("/console/"+list+"?"+asked.Encode()).is(http.StatusOK).body, -1)
				seen[list] += len(all)
				if len(all) != of.links && len(all) > 0 { // a list without anybody is nothing to save
					t.Errorf("%s: %d links of %v", list, len(all), asked)
				}
				for _, found := range all {
					to, err := url.Parse(html.UnescapeString(found[1]))
					s.must(err)
					got := to.Query()
					got.Del("as")
					got.Del("after")
					if !reflect.DeepEqual(got, asked) {
						t.Errorf("%s: of %v a link to %v", list, asked, got)
					}
				}
			}
		}
	}
	for _, list := range []string{"users", "groups", "activity"} {
		if seen[list] < len(words) {
			t.Errorf("%s: %d links in all", list, seen[list])
		}
	}
}
