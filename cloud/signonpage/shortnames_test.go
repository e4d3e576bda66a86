package signonpage

import (
	"net/http"
	"strings"
	"testing"
)

// By the short name people come to their pages by the ID, and nobody comes to anything else.
func TestShortNames(t *testing.T) {
	s := start(t)
	env, err := s.db.Environment(t.Context(), s.env)
	check(t, err)
	env.ShortName = "acme"
	check(t, s.db.UpdateEnvironment(t.Context(), &env))
	id := "/" + s.env
	for path, to := range map[string]string{
		"/acme":                              id + "/signon",
		"/acme/":                             id + "/signon",
		"/ACME":                              id + "/signon",
		id:                                   id + "/signon",
		"/acme/signon":                       id + "/signon",
		"/acme/signon?flow=x&then=%2F%2Fe.x": id + "/signon?flow=x&then=%2F%2Fe.x",
		"/acme/signon/password":              id + "/signon/password",
		"/acme" + ChangePath:                 id + ChangePath,
		"/%61cme/signon":                     "/",
		"/acme/signon/logo.png":              "",
		"/acme/signon/off":                   "",
		"/acme/signon/idp/x":                 "",
		"/other":                             "",
		"/other/signon":                      "",
		"/" + strings.Repeat("x", 36):        "",
	} {
		a := s.do(s.visitor(), "GET", path, nil)
		if to == "/" { // written in another way: it leads to a page of the environment or nowhere
			if a.to != "" && !strings.HasPrefix(a.to, id+"/") {
				t.Errorf("%s leads to %q", path, a.to)
			}
			continue
		}
		if a.to != to {
			t.Errorf("%s: %d %q, not %q", path, a.status, a.to, to)
		}
		if to != "" && (a.status != http.StatusFound || a.header.Get("Cache-Control") != "no-store") {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
	}
	if a := s.do(s.visitor(), "POST", "/acme/signon", nil); a.status != http.StatusNotFound {
		t.Errorf("a form: %d", a.status)
	}
	env.ShortName = "new"
	check(t, s.db.UpdateEnvironment(t.Context(), &env))
	before, now := s.do(s.visitor(), "GET", "/acme", nil), s.do(s.visitor(), "GET", "/new", nil)
	if before.status != http.StatusNotFound || now.to != id+"/signon" {
		t.Errorf("%d, %q", before.status, now.to)
	}
}
