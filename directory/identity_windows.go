package directory

import "github.com/go-ldap/ldap/v3/gssapi"

// ownIdentityBind binds as the account that this program runs as. The connection is
// bound to the server's certificate, which a domain controller may insist on (RFC 5929).
func (l *link) ownIdentityBind() error {
	c, err := l.sspiClient()
	if err != nil {
		return &KerberosError{
			Text:   "the identity of this service: " + err.Error(),
			Remedy: "run the service as an account of the domain, such as a group managed service account",
		}
	}
	defer func() { _ = c.Close() }()
	return l.saslBind(c, "ldap/"+l.server.host)
}

func (l *link) sspiClient() (*gssapi.SSPIClient, error) {
	if l.certificate != nil {
		return gssapi.NewSSPIClientWithChannelBinding(l.certificate)
	}
	return gssapi.NewSSPIClient()
}
