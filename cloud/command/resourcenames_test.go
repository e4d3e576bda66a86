package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/cloud/api/client"
)

// TestResourceNames: the lists that are named, and that a shell completes, are those of the API.
func TestResourceNames(t *testing.T) {
	text, err := os.ReadFile("../api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]struct{ Get, Post any }
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	var lists []string
	for path, has := range doc.Paths {
		parts := strings.Split(strings.Trim(path, "/"), "/")
		one := path + "/{" // of a list: things in it have paths
		more := func(p string) bool { return strings.HasPrefix(p, one) }
		inEnvironment := len(parts) == 4 && strings.HasPrefix(parts[2], "{")
		if inEnvironment && has.Get != nil && (parts[3] == "activities" || slices.ContainsFunc(slices.Collect(maps.Keys(doc.Paths)), more)) {
			lists = append(lists, parts[3])
		}
	}
	if slices.Sort(lists); !slices.Equal(lists, resources) {
		t.Errorf("the API has %q, the program names %q", lists, resources)
	}
	var out, problems bytes.Buffer
	if Main(t.Context(), []string{"__complete", "list", ""}, &out, &problems); !strings.HasPrefix(out.String(), strings.Join(resources, "\n")) {
		t.Errorf("completed is %q", &out)
	}
}

// TestUnknownResource: who asks for what there is not is told what there is; who asks for one thing
// that is gone is not, nor is who may not ask.
func TestUnknownResource(t *testing.T) {
	missing := &client.Error{Status: 404, Code: "NOT_FOUND"}
	for path, want := range map[string]bool{"nope": true, "/user/": true, "users/x": false, "users": false, "nope/users": true} {
		if got := strings.Contains(known(path, missing).Error(), "signOnPolicies"); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
	for _, err := range []error{nil, errors.ErrUnsupported, &client.Error{Status: 403}} {
		if got := known("nope", err); !errors.Is(got, err) || err != nil && got.Error() != err.Error() {
			t.Errorf("%v became %v", err, got)
		}
	}
}
