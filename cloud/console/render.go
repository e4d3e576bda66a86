package console

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/google/uuid"

	"ldap-gateway/cloud/idp"
	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloud/web"
)

//go:embed templates/*.html
var templateFiles embed.FS

// pages are the templates by name, each with the layout.
// They are parsed once, at the start.
type pages map[string]*template.Template

// parsePages reads the templates. One that cannot be parsed is a defect of the
// program and panics.
func parsePages(files assets) pages {
	functions := template.FuncMap{
		"asset":    files.path,
		"when":     when,
		"iso":      iso,
		"plural":   plural,
		"singular": singular,
		"int":      func(n uint32) int { return int(n) },
		"lines":    lines,
		"fault":    faultOf,
		"choice":   func(id, label, all, chosen string, of []property) choice { return choice{id, label, all, chosen, of} },
		"switch":   func(at string, on bool) toggle { return toggle{at, on} },
		"field":    fieldOf,
		"remedy":   idp.Remedy,
	}
	shared := template.Must(template.New("").Funcs(functions).ParseFS(
		templateFiles,
		"templates/layout.html",
		"templates/parts.html",
	))
	entries, err := templateFiles.ReadDir("templates")
	if err != nil {
		panic(err)
	}
	all := pages{}
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), path.Ext(e.Name()))
		if name != "layout" && name != "parts" {
			all[name] = template.Must(template.Must(shared.Clone()).ParseFS(templateFiles, "templates/"+e.Name()))
		}
	}
	return all
}

// view is what the layout shows.
type view struct {
	Title, Section     string
	Admin, Environment string // empty: nobody has signed in
	Notice, Warning    string
	Body               any
	HasSession         bool
	Role               store.Role
	Few                string // that few recovery codes are left; empty: enough are, or there never were
	Weak               bool   // signed in with a password alone, and nothing else is set up
	Shown              bool   // the page is one that everybody sees, whoever may send its forms
}

// Changes tells whether forms that change something are shown.
// It hides forms and keeps nobody out: management refuses who sends one all the same.
func (v view) Changes() bool { return v.Role.Covers(store.RoleIdentityAdmin) }

// Looks tells whether the forms of this page are not for who sees it.
func (v view) Looks() bool { return v.Shown && !v.Changes() }

// May tells whether somebody may do an action, so that a page shows no button that refuses.
func (v view) May(a management.Action) bool { return management.May(v.Role, a) }

// Owner tells whether settings are shown.
func (v view) Owner() bool { return v.Role.Covers(store.RoleOwner) }

// render answers with a page. A page that fails is not sent in part.
func (k *call) render(status int, page, title string, body any) error {
	v := view{Title: title, Body: body}
	v.Notice = k.console.sessions.PopString(k.Context(), noticeKey)
	v.Warning = k.console.sessions.PopString(k.Context(), warningKey)
	if k.admin != nil {
		env, err := k.console.Store.Environment(k.Context(), k.env())
		if err != nil {
			return err
		}
		v.HasSession, v.Admin, v.Role = true, k.admin.Name, k.admin.Role
		v.Environment, v.Section = env.Name, section(k.URL.Path)
		v.Shown = k.action == management.Read
		// On the page where it is mended it need not be said.
		if v.Section != "account" {
			v.Weak = k.console.sessions.GetBool(k.Context(), weakKey)
			v.Few = k.console.sessions.GetString(k.Context(), fewKey)
		}
	}
	return k.console.pages.write(k.w, status, page, v)
}

// section returns the part of the console that a path is in, as in "gateways".
func section(p string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(p, "/console/"), "/")
	return first
}

// write executes the template into memory first: when that fails nothing was sent yet,
// and the error gets a page and a status of its own.
func (p pages) write(w http.ResponseWriter, status int, page string, v view) error {
	var out bytes.Buffer
	t, ok := p[page]
	if !ok {
		return fmt.Errorf("no template %q", page)
	}
	if err := t.ExecuteTemplate(&out, "layout", v); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // the browser is gone: nobody to tell
	return nil
}

// fail answers with what a person should know of an error. What is nobody's
// fault but ours is logged under the ID that the page shows.
func (c *console) fail(w http.ResponseWriter, r *http.Request, admin *person, err error) {
	known := refusalOf(err)
	if errors.Is(err, store.ErrUnavailable) {
		c.log().Error("page failed", "method", r.Method, "path", r.URL.Path, "error", err)
		known = &refusal{web.Later(w), "Not now", "The database is away at this moment. Try again in a few seconds."}
	}
	if errors.Is(err, throttle.ErrFull) {
		known = &refusal{web.Later(w), "Not now", "Many people want the same at this moment. Try again in a few seconds."}
	}
	if known == nil {
		id := uuid.NewString()
		text := "The server could not do this. Its log has the reason under " + id + "."
		known = &refusal{http.StatusInternalServerError, "This did not work", text}
		// Who went away waits for no answer: that is no failure.
		if !errors.Is(err, context.Canceled) {
			c.log().Error("page failed", "id", id, "method", r.Method, "path", r.URL.Path, "error", err)
		}
	}
	v := view{Title: known.title, Body: known.text}
	if admin != nil {
		v.HasSession, v.Admin, v.Section, v.Role = true, admin.Name, section(r.URL.Path), admin.Role
	}
	// Not even the page of failures can be made: its words go without one.
	if err := c.pages.write(w, known.status, "failure", v); err != nil {
		c.log().Error("page failed", "path", r.URL.Path, "error", err)
		http.Error(w, known.text, known.status)
	}
}

// pager leads to the other parts of a list; an address is empty when there is no such part.
type pager struct{ First, Previous, Next string }

// pagerOf returns the links of a list whose next part has that cursor, and whose part before was told
// to part. The filter stays in them.
func (k *call) pagerOf(next string) (p pager) {
	link := func(name, cursor string) string {
		q := k.URL.Query()
		q.Del("cursor")
		q.Del("before")
		if cursor != "" {
			q.Set(name, cursor)
		}
		return (&url.URL{Path: k.URL.Path, RawQuery: q.Encode()}).String()
	}
	if next != "" {
		p.Next = link("cursor", next)
	}
	if k.previous != "" {
		p.Previous = link("before", k.previous)
	}
	if k.query("cursor")+k.query("before") != "" {
		p.First = link("", "")
	}
	return p
}

// rows is how many lines a list shows at once.
const rows = 50

// part is the part of a list that the address asks for. A cursor that is none is
// store.ErrCursor, by the list.
func (k *call) part() store.Page {
	return store.Page{Cursor: k.query("cursor"), Before: k.query("before"), Previous: &k.previous, Limit: rows}
}

// when writes a time for people.
// It is in UTC, since the server does not know where who reads it is.
func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// iso writes a time for programs.
func iso(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// plural returns a number with its word, as in "2 minutes".
func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// singular is what is said of many, said of one.
func singular(words string) string {
	for many, one := range map[string]string{"have their passwords": "has the password", "are ": "is "} {
		if rest, found := strings.CutPrefix(words, many); found {
			return one + rest
		}
	}
	return words
}

// lines joins values for a field that has one a line.
func lines(all []string) string { return strings.Join(all, "\n") }

// message is what is said beside a field.
type message struct{ Field, Text string }

// choice is a field of a filter with what there is to choose from.
type choice struct {
	ID, Label string
	All       string // what nothing chosen reads as; empty: one is always chosen
	Chosen    string
	Of        []property
}

// toggle is what enables something at once, and disables it after a question.
type toggle struct {
	At string // address of both
	On bool
}

// field is one line of a form.
type field struct {
	ID, Label, Value string
	Fault            message
}

// Wrong tells whether the value is.
func (f field) Wrong() bool { return f.Fault.Text != "" }

// fieldOf is for templates, which make no struct themselves.
func fieldOf(id, label, value string, wrong map[string]string) field {
	return field{id, label, value, faultOf(wrong, id)}
}

// faultOf returns the message of a field; an empty one when it has none.
func faultOf(all map[string]string, field string) message {
	return message{cmp.Or(field, "form"), all[field]}
}
