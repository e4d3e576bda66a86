package cloud

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// firstParts are the first parts of all that looks like an address in the source of the cloud.
func firstParts(t *testing.T) (all []string) {
	t.Helper()
	path := regexp.MustCompile(`"(?:[A-Z]+ )?/([a-z0-9-]+)[/"]`)
	for _, root := range []string{".", "../cloudlink"} {
		must(t, filepath.WalkDir(root, func(name string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
				return err
			}
			b, err := os.ReadFile(name)
			for _, m := range path.FindAllStringSubmatch(string(b), -1) {
				all = append(all, m[1])
			}
			return err
		}))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// TestShortNamesLeadNowhereElse calls an environment by every first part of an address that the
// source has: where something else answers the name is reserved, and every reserved name is one
// of them.
func TestShortNamesLeadNowhereElse(t *testing.T) {
	s := startSiege(t)
	db, err := store.Open(t.Context(), InFolder(s.data))
	must(t, err)
	defer db.Close()
	env, err := db.Environment(t.Context(), s.api.Environment)
	must(t, err)
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	parts, reserved := firstParts(t), 0
	for _, name := range append(parts, "acme", "e", "32-letters-and-no-more-than-those") {
		env.ShortName = name
		must(t, db.UpdateEnvironment(t.Context(), &env))
		free := true
		for _, more := range []string{"", "/", "/signon", "/signon/password"} {
			resp, err := client.Get(s.url + "/" + name + more)
			must(t, err)
			must(t, resp.Body.Close())
			free = free && strings.HasPrefix(resp.Header.Get("Location"), "/"+env.ID+"/signon")
		}
		is := slices.Contains(management.ReservedNames(), name)
		if is {
			reserved++
		}
		if !free && !is {
			t.Errorf("%s is not reserved, and something else answers", name)
		}
	}
	if len(parts) < 10 || reserved != len(management.ReservedNames()) {
		t.Errorf("of %q only %d are reserved", parts, reserved)
	}
}
