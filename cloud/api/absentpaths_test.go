package api_test

import (
	"net/http"
	"strings"
	"testing"
)

// What compatible clients look for and is not here is refused with what to do instead, by
// whichever method, and what nobody knows without.
func TestAbsentPathsSayWhatToDo(t *testing.T) {
	s := start(t)
	for _, c := range []struct {
		method, path string
		status       int
		says         string
	}{
		{"POST", "/passwordPolicies", 404, "the directory's own policy"},
		{"GET", "/languages?limit=3", 404, "the browser asks for"},
		{"PUT", "/brandingSettings", 404, "…/brand"},
		{"POST", "/resources", 405, "its property resources"},
		{"DELETE", "/resources/x/scopes/y", 405, "There is one resource"},
		{"POST", "/schemas/x/attributes", 405, "can only be read"},
		{"POST", "/themes", 405, "…/brand"},
		{"DELETE", "/users/" + s.user.ID + "/sessions/x", 404, "…/users/{u}/off"},
		{"GET", "/capabilities", 404, "openapi.json"},
		{"GET", "/nonsense", 404, "There is nothing at this path."},
		{"DELETE", "/users", 405, "This resource has no DELETE."},
	} {
		a := s.send(c.method, c.path, "").want(c.status)
		if says := a.at("message"); !strings.Contains(says, c.says) {
			t.Errorf("%s %s: %q", c.method, c.path, says)
		}
	}
	s.send("DELETE", "/populations", "").want(http.StatusMethodNotAllowed)
}
