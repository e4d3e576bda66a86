//go:build !windows

package directory

// ownIdentityBind is for Windows, where a service has an account of the domain.
func (l *link) ownIdentityBind() error {
	return &KerberosError{
		Text:   "this system gives a service no identity in a domain",
		Remedy: "on Linux bind with a key table: bind { gssapi { … } }",
	}
}
