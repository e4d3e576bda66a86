package presets

import (
	"crypto/rand"
	"embed"
	"encoding/base64"
	"net/url"
	"strings"
	"text/template"

	"ldap-gateway/cloud/store"
)

//go:embed lines
var files embed.FS

// lines are parsed once. One that cannot be parsed is a defect of the program and panics.
var lines = template.Must(template.ParseFS(files, "lines/*"))

// Preset is what one kind of application needs.
type Preset struct {
	ID, Name  string
	Type      string   // of the application
	Redirects []string // what follows its address, where codes go
	SignOffs  []string // where browsers may go after signing off
	PKCE      string   // empty: the strictest
	Refresh   bool
	Bytes     int    // of groups in ID tokens; 0: as usual
	At        string // its usual address, for people to see what is meant
	Where     string // the lines go
	Note      string // what else there is to know; may be empty
}

// Of returns one by its ID; false when there is none.
func Of(id string) (Preset, bool) {
	for _, p := range All() {
		if p.ID == id {
			return p, true
		}
	}
	return Preset{}, false
}

// Fill makes an application what the preset needs, at an address of its own.
func (p Preset) Fill(a *store.Application, address string) {
	address = strings.TrimRight(strings.TrimSpace(address), "/")
	if address == "" {
		address = p.At
	}
	a.Type, a.Refresh = p.Type, p.Refresh
	a.OpenID.PKCE, a.OpenID.Preset = p.PKCE, p.ID
	if a.OpenID.PKCE == "" {
		a.OpenID.PKCE = store.PKCES256
	}
	a.Groups = store.GroupsClaim{Value: store.GroupNames, Bytes: p.Bytes}
	a.RedirectURIs, a.SignOffURIs = after(address, p.Redirects), after(address, p.SignOffs)
}

func after(address string, paths []string) (all []string) {
	for _, path := range paths {
		all = append(all, address+path)
	}
	return all
}

// Settings is what lines are written with.
type Settings struct {
	Issuer, ClientID, Secret string
	URL                      string // the application's own address
	Redirect, SignOff        string
	Algorithm                string // that tokens are signed by
	ByKey                    bool   // it proves itself by a key, and has no secret
	Random                   string // new each time, for what the application seals by itself
}

// Lines returns what goes into the application's own configuration. Without a secret they
// say where one goes.
func (p Preset) Lines(a store.Application, issuer, secret string) (string, error) {
	seal := make([]byte, 32)
	_, _ = rand.Read(seal) // never fails
	s := Settings{
		Issuer:    issuer,
		ClientID:  a.ID,
		Secret:    secret,
		Algorithm: a.Algorithm(),
		ByKey:     a.ProvesByKey(),
		Random:    base64.RawURLEncoding.EncodeToString(seal),
	}
	if s.Secret == "" {
		s.Secret = "SECRET"
	}
	if len(a.RedirectURIs) > 0 {
		s.Redirect = a.RedirectURIs[0]
		s.URL = p.address(s.Redirect)
	}
	if len(a.SignOffURIs) > 0 {
		s.SignOff = a.SignOffURIs[0]
	}
	var out strings.Builder
	err := lines.ExecuteTemplate(&out, p.ID, s)
	return out.String(), err
}

// address returns that of the application of a redirect address: what the preset put
// there is taken away, or everything behind the host.
func (p Preset) address(redirect string) string {
	if whole, ok := strings.CutSuffix(redirect, p.Redirects[0]); ok {
		return whole
	}
	u, err := url.Parse(redirect)
	if err != nil {
		return redirect
	}
	return u.Scheme + "://" + u.Host
}
