package console

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // what pages load
	"encoding/hex"
	"net/http"
	"path"
	"strings"
	"time"
)

const staticPath = "/console/static/"

var (
	//go:embed static/console.css
	stylesheet []byte
	//go:embed static/icon.svg
	icon []byte
	//go:embed static/passkey.js
	passkeyScript []byte
	//go:embed static/activity.js
	activityScript []byte
	//go:embed static/copy.js
	copyScript []byte
	//go:embed static/pairing.js
	pairingScript []byte
	//go:embed static/setup.js
	setupScript []byte
	//go:embed static/times.js
	timesScript []byte
)

// asset is a file that browsers may keep: its name changes with its content.
type asset struct {
	name    string // with the hash
	kind    string
	content []byte
}

// assets are the files by the name that templates use.
type assets map[string]asset

// embeddedAssets names each file by the SHA-256 of its content, of which the first
// eight bytes do.
func embeddedAssets() assets {
	all := assets{}
	for name, a := range map[string]asset{
		"console.css": {kind: "text/css; charset=utf-8", content: stylesheet},
		"passkey.js":  {kind: "text/javascript; charset=utf-8", content: passkeyScript},
		"activity.js": {kind: "text/javascript; charset=utf-8", content: activityScript},
		"copy.js":     {kind: "text/javascript; charset=utf-8", content: copyScript},
		"pairing.js":  {kind: "text/javascript; charset=utf-8", content: pairingScript},
		"setup.js":    {kind: "text/javascript; charset=utf-8", content: setupScript},
		"times.js":    {kind: "text/javascript; charset=utf-8", content: timesScript},
		"icon.svg":    {kind: "image/svg+xml", content: icon},
	} {
		sum := sha256.Sum256(a.content)
		ext := path.Ext(name)
		a.name = strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:8]) + ext
		all[name] = a
	}
	return all
}

// path returns where browsers find a file; empty when there is no such file.
func (a assets) path(name string) string {
	f, ok := a[name]
	if !ok {
		return ""
	}
	return staticPath + f.name
}

// static answers with a file. One of another version of this program is not found.
func (c *console) static(w http.ResponseWriter, r *http.Request) {
	for _, a := range c.assets {
		if a.name != r.PathValue("file") {
			continue
		}
		w.Header().Set("Content-Type", a.kind)
		// These are the seconds of a year. That it is immutable spares the question
		// whether it changed (RFC 8246).
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		w.Header().Set("ETag", `"`+a.name+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.content))
		return
	}
	http.NotFound(w, r)
}
