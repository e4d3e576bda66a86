package administrators

import (
	"encoding/base64"
	"encoding/binary"
	"time"
)

// KnownLife is how long a browser is known by which somebody has signed in.
const KnownLife = 90 * 24 * time.Hour

// browsers is the purpose of what a known browser has.
const browsers = "known browsers of administrators"

// KnownBrowser returns what a browser is to keep by which somebody has signed in. It
// opens nothing: it only has the tries of such browsers be counted apart from those of
// strangers, so that nobody is locked out by them.
func (d *Authenticator) KnownBrowser(account string) string {
	until := binary.BigEndian.AppendUint64(nil, uint64(d.now().Add(KnownLife).Unix()))
	return base64.RawURLEncoding.EncodeToString(d.Vault.Seal(browsers, account, until))
}

// Knows tells whether a browser keeps that it has signed somebody in; not when that is none of
// KnownBrowser, another's, or too old.
func (d *Authenticator) Knows(account, kept string) bool {
	sealed, err := base64.RawURLEncoding.DecodeString(kept)
	if err != nil {
		return false
	}
	until, err := d.Vault.Open(browsers, account, sealed)
	return err == nil && len(until) == 8 && int64(binary.BigEndian.Uint64(until)) >= d.now().Unix()
}
