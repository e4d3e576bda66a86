package signonpage

import (
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/text/language"

	"ldap-gateway/cloud/evidence"
	"ldap-gateway/cloud/kerberos"
	"ldap-gateway/cloud/signon"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// forAdministrators are pages that people do not see: a test of tickets and a trial.
var forAdministrators = map[string]bool{"ticket.html": true, "tried.html": true}

var (
	said    = regexp.MustCompile(`\{\{-?(?:[^}]*\()?tb? "([^"]*)"`)
	actions = regexp.MustCompile(`\{\{[^}]*\}\}`)
	markup  = regexp.MustCompile(`<[^>]*>`)
)

// sentences returns every sentence that a page can have.
func sentences(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	entries, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil || len(entries) < 10 {
		t.Fatal(err, entries)
	}
	for _, file := range entries {
		b, err := templateFiles.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range said.FindAllStringSubmatch(string(b), -1) {
			all[m[1]] = file
		}
	}
	for o := wire.OutcomeOK; o.Known(); o++ {
		all[signon.Message(o)] = "an outcome"
		all[why(o.String())] = "a change that is asked for"
		for r := range wire.PasswordRefusal(20) {
			all[signon.ChangeMessage(o, r)] = "a change of password"
		}
	}
	for _, r := range []kerberos.Reason{kerberos.ReasonUnknown, kerberos.ReasonSkew, kerberos.ReasonOff} {
		all[r.Told()] = "a ticket"
	}
	for _, k := range evidence.Kinds() {
		all[(&evidence.Refusal{Kind: k}).Sentence()] = "a provider"
	}
	for _, s := range learns([]string{"openid", "profile", "email", "groups", "offline_access"}) {
		all[s] = "a scope"
	}
	all[busy] = "too much under way"
	for _, m := range []string{"password", "kerberos", "idp"} {
		all[method(store.Method(m))] = "a method"
	}
	return all
}

// TestEverySentenceIsInEveryLanguage has whatever a page says be known in each language,
// with as many places to fill in, and nothing else be known.
func TestEverySentenceIsInEveryLanguage(t *testing.T) {
	all := sentences(t)
	for _, s := range inCode(t) {
		all[s] = "the code"
	}
	for _, tag := range languages[1:] {
		for s, from := range all {
			other, ok := words[tag][s]
			if !ok || other == "" {
				t.Errorf("%s: %q (%s) has no words", tag, s, from)
			}
			if strings.Count(s, "%s") != strings.Count(other, "%s") || strings.Count(other, "%") != strings.Count(other, "%s") {
				t.Errorf("%s: %q is filled in otherwise than %q", tag, other, s)
			}
		}
		for s := range words[tag] {
			if all[s] == "" {
				t.Errorf("%s: nobody says %q", tag, s)
			}
		}
	}
}

// TestNoTextIsFixed has no word stand in a page for people but by the catalogue.
func TestNoTextIsFixed(t *testing.T) {
	entries, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range entries {
		if forAdministrators[strings.TrimPrefix(file, "templates/")] {
			continue
		}
		b, err := templateFiles.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text := markup.ReplaceAllString(actions.ReplaceAllString(string(b), ""), "")
		if left := regexp.MustCompile(`[A-Za-z]{2,}`).FindString(text); left != "" {
			t.Errorf("%s says %q in English alone", file, left)
		}
	}
}

// TestLanguageOfAPage is what the application wishes, else what the browser does.
func TestLanguageOfAPage(t *testing.T) {
	for _, c := range []struct {
		wished []string
		header string
		want   language.Tag
	}{
		{nil, "", language.English},
		{nil, "de", language.German},
		{nil, "de-AT, en;q=0.5", language.German},
		{nil, "nl, fr;q=0.8, de;q=0.5", language.French},
		{nil, "es-MX", language.Spanish},
		{nil, "ja", language.English},
		{nil, "*", language.English},
		{nil, "a string, that is none; q=x", language.English},
		{nil, strings.Repeat("de,", 5000) + "de", language.English},
		{[]string{"fr-CA"}, "de", language.French},
		{[]string{"ja", "es"}, "de", language.Spanish},
		{[]string{"ja"}, "de", language.German},
		{[]string{"<script>", "de"}, "fr", language.German},
		{[]string{"en"}, "de", language.English},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Language", c.header)
		if got := spoken(r, c.wished); got != c.want {
			t.Errorf("%v, %.40q: %s, want %s", c.wished, c.header, got, c.want)
		}
	}
}

// TestNamesStayText whatever is in them, and a percent sign of a name is no place to fill in.
func TestNamesStayText(t *testing.T) {
	got := string(sayBold(language.German, "to go on to %s", "<b>100%s</b>"))
	if got != "und weiter zu <strong>&lt;b&gt;100%s&lt;/b&gt;</strong>" {
		t.Error(got)
	}
	if got := say(language.French, "a name %s of somebody"); got != "a name %s of somebody" {
		t.Error(got)
	}
}

// inCode returns the sentences that stand in this room, in oidc and in idp for people:
// titles, errors and failures.
func inCode(t *testing.T) (all []string) {
	t.Helper()
	calls := regexp.MustCompile(`(?s)(?:k\.render\(|k\.showForm\(|s\.failure\(|s\.fail\(|nothingHere = |Pages\.Failure\(|say\(|k\.renderFactor\(|k\.renderNewFactor\(|k\.renderCodes\(|wrong :?= |tooManyTries = |f\.Error = |Why:|r\.Text = )[^\n]*(?:\n\t[^\n]*){0,3}`)
	for _, pattern := range []string{"*.go", "../oidc/answer.go", "../oidc/authorize.go", "../idp/provision.go", "../samlidp/server.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			joined := strings.ReplaceAll(regexp.MustCompile(`" *\+\n\t*"`).ReplaceAllString(string(b), ""), "\" + \"", "")
			for _, c := range calls.FindAllString(joined, -1) {
				for _, m := range regexp.MustCompile(`"((?:[A-Z%][^"]* [^"]*|Sign on))"`).FindAllStringSubmatch(c, -1) {
					if !strings.Contains(m[1], "Remedy") && m[1] != "Kerberos test" && m[1] != "What this sign-on would do" && !strings.HasPrefix(m[1], "Refused as") {
						all = append(all, m[1])
					}
				}
			}
		}
	}
	if len(all) < 20 {
		t.Fatalf("only %d sentences: %q", len(all), all)
	}
	return all
}
