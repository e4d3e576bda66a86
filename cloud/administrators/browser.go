package administrators

import "ldap-gateway/cloud/throttle"

func (d *Authenticator) browsers() throttle.Known {
	return throttle.Known{Seals: d.Vault, Purpose: "known browsers of administrators"}
}

// KnownBrowser returns what a browser is to keep by which somebody has signed in.
func (d *Authenticator) KnownBrowser(account string) string {
	return d.browsers().Mark(account, d.now())
}

// Knows tells whether a browser keeps that it has signed somebody in.
func (d *Authenticator) Knows(account, kept string) bool {
	return d.browsers().Knows(account, kept, d.now())
}
