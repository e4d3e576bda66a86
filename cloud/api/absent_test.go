package api

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// placeNamed is a path that a sentence sends people to.
var placeNamed = regexp.MustCompile(`…(/[A-Za-z/{}]+)`)

// What is said instead of a thing that is not here leads to what is: every path in it is
// one of the table, and no key of it is a thing that can be made here after all.
func TestWhatIsSaidOfWhatIsAbsent(t *testing.T) {
	routes := (&Server{}).Routes()
	there := func(path string) bool {
		return slices.ContainsFunc(routes, func(route string) bool {
			_, at, _ := strings.Cut(route, " ")
			return at == "/{e}"+path
		})
	}
	seen := map[string]bool{}
	for _, a := range slices.Concat(absences(), partAbsences()) {
		key, why := a.names, a.instead
		if !strings.HasSuffix(why, ".") || strings.ToUpper(why[:1]) != why[:1] {
			t.Errorf("%s: %q is no sentence", key, why)
		}
		for _, m := range placeNamed.FindAllStringSubmatch(why, -1) {
			if !there(m[1]) {
				t.Errorf("%s: %q leads to %s, which is no path", key, why, m[1])
			}
		}
		for name := range strings.FieldsSeq(key) {
			if slices.Contains(routes, "POST /{e}/"+name) || seen[name] {
				t.Errorf("%s is made here, or said of twice", name)
			}
			seen[name] = true
		}
	}
	for path, want := range map[string]string{
		"/v1/environments/e/languages":               absent("languages"),
		"/v1/environments/e/languages/l/status":      absent("languages"),
		"/v1/environments/e/users/u/devices/d":       absent("users/*/devices"),
		"/v1/environments/e/users/u/nonsense":        "",
		"/v1/environments/e/resources/r/scopes":      absent("resources"),
		"/v1/environments/e/gateways/g/instances":    "",
		"/v1/organizations/o/capabilities":           absent("capabilities"),
		"/v1/environments/e":                         "",
		"/v1/nonsense/e/languages":                   "",
		"/languages":                                 "",
		"/v1/environments/e/applications/a/keys/csr": "",
	} {
		if got := instead(path); got != want {
			t.Errorf("%s: %q", path, got)
		}
	}
}
