package oidc_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"
)

// TestLanguageOfTheApplication: pages are in the language that an application wishes for,
// at each step, in the browser's when there is none of the wish, and discovery tells which
// there are.
func TestLanguageOfTheApplication(t *testing.T) {
	s := start(t)
	c, _ := s.relying()
	for wish, want := range map[string]string{
		"":                         `lang="en"`,
		"de":                       `lang="de"`,
		"ja fr-CA en":              `lang="fr"`,
		"xx " + "es":               `lang="es"`,
		`"><script>alert(1)`:       `lang="en"`,
		strings.Repeat("ja ", 500): `lang="en"`,
	} {
		b := s.browser()
		ask := c.AuthCodeURL("state", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()), oauth2.SetAuthURLParam("ui_locales", wish))
		p := b.get(ask)
		if !strings.Contains(p.page, want) {
			t.Errorf("%.20q: the form is not %s:\n%s", wish, want, p.page)
		}
		if p = b.signOn(p, "alice", "wrong"); !strings.Contains(p.page, want) {
			t.Errorf("%.20q: after a wrong password it is not %s", wish, want)
		}
	}
	resp, err := http.Get(s.url + "/" + s.env + "/as/.well-known/openid-configuration")
	check(t, err)
	defer resp.Body.Close()
	if b := string(must(io.ReadAll(resp.Body))); !strings.Contains(b, `"ui_locales_supported":["en","de","fr","es"]`) {
		t.Error(b)
	}
}

// TestThePageThatPostsSpeaks: who has no scripts reads where its button leads in their language.
func TestThePageThatPostsSpeaks(t *testing.T) {
	s := start(t)
	q := url.Values{
		"client_id": {s.app.ID}, "redirect_uri": {redirect}, "response_type": {"code"}, "scope": {"openid"}, "max_age": {"a"},
		"response_mode": {"form_post"}, "code_challenge": {strings.Repeat("v", 43)}, "code_challenge_method": {"S256"},
	}
	for lang, says := range map[string]string{
		"en": "Go on to the application", "de": "Weiter zur Anwendung", "fr": "Continuer vers l’application", "es": "Ir a la aplicación",
	} {
		_, page := s.ask("/authorize?"+q.Encode(), nil, "Accept-Language", lang)
		if !strings.Contains(page, `<html lang="`+lang+`">`) || !strings.Contains(page, "<button>"+says+"</button>") ||
			!strings.Contains(page, "<title>"+says+"</title>") {
			t.Errorf("%s: %s", lang, page)
		}
	}
}
