package administrators

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// KnownLife is how long a browser is known by which somebody has signed in.
const KnownLife = 90 * 24 * time.Hour

// browsers is the purpose of what a known browser has.
const browsers = "known browsers of administrators"

// KnownBrowser returns what a browser is to keep by which somebody has signed in. It
// opens nothing: it only has the tries of that browser be counted apart from those of
// strangers, so that nobody is locked out by them.
func (d *Authenticator) KnownBrowser(account string) string {
	until := binary.BigEndian.AppendUint64(nil, uint64(d.now().Add(KnownLife).Unix()))
	return base64.RawURLEncoding.EncodeToString(d.Vault.Seal(browsers, account, until))
}

// Knows returns the name under which tries of a browser are counted that has signed
// somebody in; empty when what it keeps is none of KnownBrowser, another's, or too old.
func (d *Authenticator) Knows(account, kept string) (name string) {
	sealed, err := base64.RawURLEncoding.DecodeString(kept)
	if err != nil {
		return ""
	}
	until, err := d.Vault.Open(browsers, account, sealed)
	if err != nil || len(until) != 8 || int64(binary.BigEndian.Uint64(until)) < d.now().Unix() {
		return ""
	}
	return hex.EncodeToString(sealed[:min(len(sealed), 16)]) // it begins with a nonce
}
