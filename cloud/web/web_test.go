package web

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAddress(t *testing.T) {
	for from, want := range map[string]string{
		"192.0.2.1:4711":     "192.0.2.1",
		"[2001:db8::1]:4711": "2001:db8::1",
		"192.0.2.1":          "192.0.2.1",
		"@":                  "@", // of a socket in the file system
		"":                   "",
	} {
		if got := Address(&http.Request{RemoteAddr: from}); got != want {
			t.Errorf("%q: %q, want %q", from, got, want)
		}
	}
}

var nothing = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})

// A page has no script, no frame, no plug-in and no form that goes elsewhere, unless
// its policy says so.
func TestPages(t *testing.T) {
	for policy, scripts := range map[string]bool{Plain: false, Scripted: true} {
		w := httptest.NewRecorder()
		Pages(policy, nothing).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		got := w.Header().Get("Content-Security-Policy")
		for _, word := range []string{
			"default-src 'none'",
			"frame-ancestors 'none'",
			"base-uri 'none'",
			"form-action 'self'",
		} {
			if !strings.Contains(got, word) {
				t.Errorf("%q lacks %q", got, word)
			}
		}
		if strings.Contains(got, "script-src") != scripts || strings.Contains(got, "unsafe") ||
			strings.Contains(got, "*") {
			t.Errorf("%q", got)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options":       "nosniff",
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin",
			"Referrer-Policy":              "same-origin",
			"Cache-Control":                "no-store",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %q", name, got)
			}
		}
	}
}

func TestLimited(t *testing.T) {
	for body, fits := range map[string]bool{"": true, "1234": true, "12345": false} {
		Limited(4, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			var tooLarge *http.MaxBytesError
			if errors.As(err, &tooLarge) == fits {
				t.Errorf("%q: %v", body, err)
			}
		})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/", strings.NewReader(body)))
	}
}

func TestSameSite(t *testing.T) {
	refuse := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }
	h := SameSite(refuse, nothing)
	for _, c := range []struct {
		method, site string
		refused      bool
	}{
		{"POST", "same-origin", false}, {"POST", "none", false}, {"POST", "", false},
		{"POST", "cross-site", true}, {"POST", "same-site", true}, {"GET", "cross-site", false},
	} {
		r, w := httptest.NewRequest(c.method, "/", nil), httptest.NewRecorder()
		r.Header.Set("Sec-Fetch-Site", c.site)
		h.ServeHTTP(w, r)
		if (w.Code == http.StatusTeapot) != c.refused {
			t.Errorf("%s from %q: %d", c.method, c.site, w.Code)
		}
	}
}

func TestCookie(t *testing.T) {
	plain, secure := Cookie("session", "/console/", false), Cookie("session", "/console/", true)
	if plain.Name != "session" || plain.Path != "/console/" || plain.Secure || !plain.HttpOnly ||
		plain.SameSite != http.SameSiteLaxMode {
		t.Errorf("%+v", plain)
	}
	if secure.Name != "__Host-session" || secure.Path != "/" || !secure.Secure || !secure.HttpOnly ||
		secure.Domain != "" {
		t.Errorf("%+v", secure)
	}
}

// TestTakes: an address has the methods of its endpoints, and none where nothing is.
func TestTakes(t *testing.T) {
	mux := http.NewServeMux()
	for _, pattern := range []string{"GET /a", "POST /a", "POST /b/{x}", "GET /c/", "/"} {
		mux.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) {})
	}
	for path, want := range map[string]string{"/a": "GET POST", "/b/1": "POST", "/b": "", "/c/d/e": "GET", "/": "", "/none": ""} {
		got := strings.Join(Takes(mux, httptest.NewRequest(http.MethodDelete, path, nil)), " ")
		if got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
