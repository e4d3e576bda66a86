package signonpage

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"strconv"

	"golang.org/x/text/language"

	"ldap-gateway/cloud/store"
)

// StaticPath is where the stylesheet and the icon are, for all environments.
const StaticPath = "/signon/static/"

// What browsers and crawlers ask for that nobody told of them.
const (
	RobotsPath = "/robots.txt"
	IconPath   = "/favicon.ico"
)

//go:embed static
var staticFiles embed.FS

// script makes signing on easier where scripts run. It stands in pages themselves, so that their policy
// allows it and none else.
//
//go:embed static/signon.js
var script string

//go:embed templates
var templateFiles embed.FS

// view is what a page shows.
type view struct {
	Environment string // name; empty when it is not known
	EnvironID   string
	Logo        string // address of the environment's picture; empty: it has none
	Colours     string // address of the stylesheet of its own colours; empty: it has none
	Brand       store.Brand
	Title       string
	Body        any
}

// render answers with a page. A page that fails is not sent in part.
// The addresses of picture and colours change when the environment does, so that browsers
// may keep them.
func (k *call) render(status int, name, title string, body any) error {
	v := view{Environment: k.env.Name, EnvironID: k.env.ID, Title: say(k.lang, title), Body: body}
	v.Brand = k.env.Settings.Brand
	changed := "?" + strconv.FormatInt(k.env.UpdatedAt.UnixMicro(), 36)
	if k.env.HasLogo {
		v.Logo = "/" + k.env.ID + "/signon/logo.png" + changed
	}
	if v.Brand.Colour != "" || v.Brand.DarkColour != "" {
		v.Colours = "/" + k.env.ID + "/signon/colours.css" + changed
	}
	return write(k.w, k.lang, status, name, v)
}

// logo answers with the environment's picture.
// It is store.ErrNotFound, and 404, when there is none. The name of the environment and
// its picture are for everybody.
func (k *call) logo() error {
	picture, err := k.Store.Logo(k.Context(), k.env.ID)
	if err != nil {
		return err
	}
	k.w.Header().Set("Content-Type", "image/png")
	k.w.Header().Set("Cache-Control", "public, max-age=86400")
	_, _ = k.w.Write(picture) // the browser is gone: nobody to tell
	return nil
}

// write executes a page in memory first, so that one that fails is not sent in part.
// The browser is told in its own status, which is why none is sent before.
func write(w http.ResponseWriter, lang language.Tag, status int, name string, v view) error {
	var out bytes.Buffer
	if err := drawn[lang].ExecuteTemplate(&out, name, v); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", lang.String())
	w.Header().Add("Vary", "Accept-Language")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // the browser is gone: nobody to tell
	return nil
}

// asset returns where browsers find a file. Its address changes with its content.
func asset(name string) (string, error) {
	b, err := staticFiles.ReadFile("static/" + name)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return StaticPath + name + "?" + hex.EncodeToString(sum[:6]), nil
}

// serveStatic answers with a file, which browsers may keep.
func (s *Server) serveStatic(w http.ResponseWriter, r *http.Request) {
	name := "static/" + r.PathValue("file")
	if _, err := fs.Stat(staticFiles, name); err != nil {
		s.nowhere(w, r, http.StatusNotFound)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeFileFS(w, r, staticFiles, name)
}

// serveRobots has crawlers stay away (RFC 9309): there is nothing here for them.
func serveRobots(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=86400")
	_, _ = io.WriteString(w, "User-agent: *\nDisallow: /\n") // the client is gone: nobody to tell
}

// serveIcon leads to the icon.
func serveIcon(w http.ResponseWriter, r *http.Request) {
	to, err := asset("icon.svg")
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=86400")
	http.Redirect(w, r, to, http.StatusFound)
}
