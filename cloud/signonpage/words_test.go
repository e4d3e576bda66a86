package signonpage

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
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
	for _, s := range refusals(t) {
		all[s] = "a refusal"
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

// inCode returns the sentences that stand in this room and in idp for people:
// titles, errors and failures.
func inCode(t *testing.T) (all []string) {
	t.Helper()
	calls := regexp.MustCompile(`(?s)(?:k\.render\(|k\.showForm\(|s\.failure\(|k\.fail\(|nothingHere = |notSignedOn = |aStep = |beginAgain = |beginAgain\) |failed\{|Pages\.Failure\(|say\(|k\.renderFactor\(|k\.renderNewFactor\(|k\.renderCodes\(|wrong :?= |tooManyTries = |f\.Error = |Why:|r\.Text = )[^\n]*(?:\n\t[^\n]*){0,3}`)
	for _, pattern := range []string{"*.go", "../idp/provision.go"} {
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

// personal are the functions of the rooms of protocols that have a sentence for people, with which argument it is.
var personal = map[string]int{"forPeople": 1, "signedOff": 0, "refuse": 1, "late": 2, "lacking": 2, "Failure": 3}

// refusals returns the sentences that those rooms have for people. One that is put together otherwise than by its
// values is an error: it would be read in English by everybody.
func refusals(t *testing.T) (all []string) {
	t.Helper()
	for _, pattern := range []string{"../oidc/*.go", "../samlidp/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, sentence := range saidIn(parsed) {
				text, fixed := literal(sentence)
				if !fixed {
					t.Errorf("%s: a sentence for people is put together: %v", file, sentence)
				}
				all = append(all, text)
			}
		}
	}
	if len(all) < 40 {
		t.Fatalf("only %d sentences: %q", len(all), all)
	}
	return all
}

// saidIn returns the expressions of a file that are sentences for people. What hands on the sentence of another
// ("text", "Text") has none of its own.
func saidIn(f *ast.File) (all []ast.Expr) {
	ast.Inspect(f, func(n ast.Node) bool {
		var e ast.Expr
		switch n := n.(type) {
		case *ast.CallExpr:
			name := ""
			switch of := n.Fun.(type) {
			case *ast.Ident:
				name = of.Name
			case *ast.SelectorExpr:
				name = of.Sel.Name
			}
			if i, ok := personal[name]; ok && i < len(n.Args) {
				e = n.Args[i]
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Text" {
				e = n.Value
			}
		}
		switch of := e.(type) {
		case nil:
		case *ast.Ident:
			if of.Name != "text" {
				all = append(all, e)
			}
		case *ast.SelectorExpr:
			if of.Sel.Name != "Text" {
				all = append(all, e)
			}
		default:
			all = append(all, e)
		}
		return true
	})
	return all
}

// literal returns a text that stands in the code as it is.
func literal(e ast.Expr) (text string, fixed bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	case *ast.BinaryExpr:
		one, fixed := literal(e.X)
		other, too := literal(e.Y)
		return one + other, fixed && too
	}
	return "", false
}
