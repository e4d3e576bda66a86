package signonpage

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"golang.org/x/text/language"

	"ldap-gateway/cloud/store"
)

//go:embed words/*.json
var wordFiles embed.FS

// languages are those that people are spoken to in; the first is of who asks for none of
// them.
var languages = [...]language.Tag{language.English, language.German, language.French, language.Spanish}

// Sentences are known by their English, which is what stands in templates and in what
// other rooms say.
var (
	words   = readWords()
	drawn   = draw()
	matcher = language.NewMatcher(languages[:])
)

// readWords returns the sentences of each language but English. A file that cannot be
// read is a defect of the program and panics.
func readWords() map[language.Tag]map[string]string {
	all := map[language.Tag]map[string]string{}
	for _, tag := range languages[1:] {
		b, err := wordFiles.ReadFile("words/" + tag.String() + ".json")
		if err != nil {
			panic(err)
		}
		of := map[string]string{}
		if err := json.Unmarshal(b, &of); err != nil {
			panic(fmt.Errorf("words of %s: %w", tag, err))
		}
		all[tag] = of
	}
	return all
}

// draw parses the templates for each language, once.
func draw() map[language.Tag]*template.Template {
	all := map[language.Tag]*template.Template{}
	for _, tag := range languages {
		all[tag] = template.Must(template.New("").Funcs(template.FuncMap{
			"asset":  asset,
			"lang":   tag.String,
			"iso":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
			"script": func() template.JS { return template.JS(script) },
			"method": method,
			"t":      func(sentence string, args ...any) string { return say(tag, sentence, args...) },
			"tb":     func(sentence string, names ...any) template.HTML { return sayBold(tag, sentence, names...) },
			"when":   func(t time.Time) string { return when(tag, t) },
		}).ParseFS(templateFiles, "templates/*.html"))
	}
	return all
}

// say returns a sentence in a language; in English when there is no other. Without
// arguments a sentence may be one that somebody else has put together.
func say(tag language.Tag, sentence string, args ...any) string {
	if other, ok := words[tag][sentence]; ok {
		sentence = other
	}
	if len(args) == 0 {
		return sentence
	}
	return fmt.Sprintf(sentence, args...)
}

// sayBold is say with names that stand out.
func sayBold(tag language.Tag, sentence string, names ...any) template.HTML {
	args := make([]any, len(names))
	for i, n := range names {
		args[i] = "<strong>" + template.HTMLEscaper(n) + "</strong>"
	}
	return template.HTML(fmt.Sprintf(template.HTMLEscapeString(say(tag, sentence)), args...))
}

// mostAccepted is how long a browser's list of languages may be, in bytes; no list is longer.
const mostAccepted = 1000

// spoken returns the language for a request: the first that an application wished for and
// there is, else the browser's (RFC 9110 section 12.5.4).
func spoken(r *http.Request, wished []string) language.Tag {
	for _, w := range wished {
		if tag, err := language.Parse(w); err == nil {
			if _, i, sure := matcher.Match(tag); sure >= language.High {
				return languages[i]
			}
		}
	}
	header := r.Header.Get("Accept-Language")
	tags, _, err := language.ParseAcceptLanguage(header[:min(len(header), mostAccepted)])
	if err != nil || len(header) > mostAccepted {
		return languages[0]
	}
	_, i, _ := matcher.Match(tags...)
	return languages[i]
}

// when writes a time for people.
// It is in UTC: where who reads it is is not known.
func when(tag language.Tag, t time.Time) string {
	if tag == language.English {
		return t.UTC().Format("2 January 2006, 15:04 UTC")
	}
	return t.UTC().Format("2006-01-02, 15:04 UTC")
}

// method says by what somebody has signed on; empty when there are no words for it.
func method(m store.Method) string {
	switch m {
	case store.ByPassword:
		return "by password"
	case store.ByKerberos:
		return "by ticket"
	case store.ByIDP:
		return "by an identity provider"
	}
	return ""
}
