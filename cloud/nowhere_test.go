package cloud

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"
	"testing"
)

// unknown are addresses that nothing is at. ENV stands for an environment that there is, GONE for an ID that none
// has, and SHORT for a short name.
var unknown = []string{
	"/nothing", "/nothing/", "/nothing/more", "/index.html", "/wp-login.php", "/.well-known/security.txt", "/.env",
	"/nosuchenv/signon", "/nosuchenv/signon/password", "/nosuchenv/as/authorize", "/nosuchenv/saml20/idp/sso",
	"/GONE", "/GONE/", "/GONE/signon", "/GONE/signon/", "/GONE/signon?flow=x", "/GONE/signon/logo.png", "/GONE/nothing",
	"/GONE/as/authorize", "/GONE/as/nothing", "/GONE/saml20/idp/sso", "/GONE/saml20/metadata", "/GONE/rp/callback/openid",
	"/GONE/.well-known/change-password",
	"/ENV/nothing", "/ENV/kerberos", "/ENV/signon/nothing", "/ENV/signon/factor/nothing", "/ENV/signon/idp/nothing",
	"/ENV/signon/logo.png", "/ENV/signon/decline", "/ENV/as", "/ENV/as/", "/ENV/as/nothing", "/ENV/as/.well-known/nothing",
	"/ENV/saml20/", "/ENV/saml20/nothing", "/ENV/saml20/idp/", "/ENV/saml20/idp/nothing", "/ENV/saml20/sp/nothing", "/ENV/saml20/metadata/nothing",
	"/ENV/rp/", "/ENV/rp/nothing", "/ENV/%00", "/ENV/%C3%A4", "/signon", "/signon/static/nothing.css",
	"/SHORT/nothing", "/SHORT/as/authorize", "/SHORT/signon/nothing",
}

// notRead are addresses that take no reading.
var notRead = []string{
	"/ENV/signon/off/", "/ENV/signon/confirm", "/ENV/signon/sessions", "/ENV/signon/next", "/ENV/as/token", "/ENV/as/revoke",
}

// nothingAt is what people read there, by what their browser speaks.
var nothingAt = map[string]string{
	"en": "There is nothing at this address.", "de": "Unter dieser Adresse gibt es nichts.",
	"fr": "Il n’y a rien à cette adresse.", "es": "No hay nada en esta dirección.",
}

// stepAt is what they read where something is that a page sends to.
var stepAt = map[string]string{
	"en": "This address is a step of a sign-on", "de": "Diese Adresse ist ein Schritt einer Anmeldung",
	"fr": "Cette adresse est une étape d’une connexion", "es": "Esta dirección es un paso de un inicio de sesión",
}

// TestNothingIsToldInAPage opens addresses that nothing is at: people get a page of ours in their language, which leads
// to where they begin and never speaks of a sign-on that took too long, and programs JSON.
func TestNothingIsToldInAPage(t *testing.T) {
	s := startSiege(t)
	short := "acme-of-this-test"
	must(t, s.api.Do(t.Context(), "PUT", "", map[string]any{"name": "E", "shortName": short}, nil))
	fill := strings.NewReplacer("ENV", s.api.Environment, "GONE", "0192f1de-0000-7000-8000-000000000000", "SHORT", short)
	for _, path := range append(append([]string{}, unknown...), notRead...) {
		for lang, sentence := range nothingAt {
			page := s.opened(t, fill.Replace(path), "text/html,application/xhtml+xml,*/*;q=0.8", lang)
			if page.status == http.StatusMethodNotAllowed {
				sentence = stepAt[lang]
			}
			begin := `href="/"`
			if strings.HasPrefix(path, "/ENV") {
				begin = `href="/` + s.api.Environment + `/signon"`
			}
			switch {
			case page.kind != "text/html", page.status != 404 && page.status != 405:
				t.Errorf("%s in %s: %d %s %.200s", path, lang, page.status, page.kind, page.body)
			case !strings.Contains(page.body, sentence), !strings.Contains(page.body, begin),
				!strings.Contains(page.body, `<html lang="`+lang+`">`):
				t.Errorf("%s in %s: %s", path, lang, page.body)
			}
		}
		program := s.opened(t, fill.Replace(path), "*/*", "fr")
		if program.kind != "application/json" || program.status < 400 || !json.Valid([]byte(program.body)) {
			t.Errorf("%s by a program: %d %s %.200s", path, program.status, program.kind, program.body)
		}
		if takes := strings.Contains(program.body, " takes "); takes != (program.status == 405) {
			t.Errorf("%s by a program: %d %.200s", path, program.status, program.body)
		}
	}
	over := s.opened(t, fill.Replace("/ENV/signon?flow=over"), "text/html", "en")
	if over.status != 404 || !strings.Contains(over.body, "taken too long") {
		t.Errorf("a sign-on that is over: %d %s", over.status, over.body)
	}
}

// answered is what came of an address.
type answered struct {
	status     int
	kind, body string
}

func (s *siege) opened(t *testing.T, path, accept, lang string) answered {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.url+path, nil)
	must(t, err)
	r.Header.Set("Accept", accept)
	r.Header.Set("Accept-Language", lang)
	resp, err := http.DefaultClient.Do(r)
	must(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(t, err)
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return answered{resp.StatusCode, kind, string(b)}
}

// TestBrowsersFindTheIconAndCrawlersNothing at the addresses that they ask for unasked.
func TestBrowsersFindTheIconAndCrawlersNothing(t *testing.T) {
	s := startSiege(t)
	if a := s.opened(t, "/robots.txt", "*/*", "en"); a.status != 200 || a.kind != "text/plain" ||
		a.body != "User-agent: *\nDisallow: /\n" {
		t.Errorf("%+v", a)
	}
	if a := s.opened(t, "/favicon.ico", "image/avif,image/webp,*/*", "en"); a.status != 200 || a.kind != "image/svg+xml" {
		t.Errorf("%+v", a)
	}
}
