package applications

import (
	"html/template"
	"net/http"
	"net/url"
)

// posting is a page that posts itself (OAuth 2.0 Form Post Response Mode, saml-bindings
// 3.5.4).
var posting = template.Must(template.New("form_post").Parse(`<!doctype html>
<html lang="{{.Lang}}"><head><meta charset="utf-8"><title>{{.Says}}</title></head>
<body><form method="post" action="{{.To}}">{{range $name, $values := .Values}}{{range $values}}
<input type="hidden" name="{{$name}}" value="{{.}}">{{end}}{{end}}
<noscript><button>{{.Says}}</button></noscript></form>
<script>document.forms[0].submit()</script></body></html>
`))

// postingPolicy names its script by the hash. Where its form may go is not said, since
// browsers would hold the application's own redirects to that.
const postingPolicy = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; " +
	"script-src 'sha256-ePniVEkSivX/c7XWBGafqh8tSpiRrKiqYeqbG7N1TOE='"

// Post has a browser post values to an application's address, which is one that was
// registered: it is not looked at here. Without scripts a button does, which says where it leads in the reader's
// language; name is the application's, and may be empty.
func Post(w http.ResponseWriter, r *http.Request, pages Pages, name, to string, values url.Values) {
	lang, says := pages.Onward(r, name)
	h := w.Header()
	h.Set("Content-Security-Policy", postingPolicy)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	_ = posting.Execute(w, map[string]any{ // the browser is gone: nobody to tell
		"Lang": lang, "Says": says, "To": template.URL(to), "Values": values, // #nosec G203 -- registered
	})
}
