package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// The groups of a user come in parts of any size, each of them once, as they come in one; each is answered for alone
// as well, and none of somebody who is not in it.
func TestGroupsOfAUserInParts(t *testing.T) {
	s := start(t)
	groups := "/users/" + s.user.ID + "/memberOfGroups"
	for i := range 6 {
		id := s.send("POST", "/groups", fmt.Sprintf(`{"name":"group %d"}`, 9-i)).want(http.StatusCreated).at("id")
		s.send("POST", groups, text(object{"id": id})).want(http.StatusCreated)
	}
	whole := s.send("GET", groups, "").want(http.StatusOK).has("size", "7")
	var all []string
	for i := range 7 {
		id := whole.at(fmt.Sprintf("_embedded.groupMemberships.%d.id", i))
		s.send("GET", groups+"/"+id, "").want(http.StatusOK).has("id", id, "type", "DIRECT")
		all = append(all, id)
	}
	slices.Sort(all)
	for _, way := range []string{"", "&filter=" + url.QueryEscape(`displayName pr`)} {
		for limit := 1; limit <= 8; limit++ {
			var got []string
			next := fmt.Sprintf("%s?limit=%d%s", groups, limit, way)
			for next != "" {
				part := s.send("GET", next, "").want(http.StatusOK)
				for i := range limit {
					if id := part.at(fmt.Sprintf("_embedded.groupMemberships.%d.id", i)); id != "<nothing>" {
						got = append(got, id)
					}
				}
				_, next, _ = strings.Cut(part.at("_links.next.href"), s.env)
			}
			if slices.Sort(got); !slices.Equal(got, all) {
				t.Errorf("parts of %d%s: %q, want %q", limit, way, got, all)
			}
		}
	}
	s.send("GET", groups+"?limit=0", "").want(http.StatusBadRequest)
	s.send("GET", groups+"?limit=1&cursor=3", "").want(http.StatusBadRequest)
	s.send("GET", "/users/none/memberOfGroups?limit=1", "").want(http.StatusNotFound)
	s.send("GET", groups+"/none", "").want(http.StatusNotFound)
}
