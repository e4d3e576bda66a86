package directory

import (
	"context"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// withoutDomain returns what to search for: of DOMAIN\name in Active Directory the
// name, when the domain is the directory's own, and else what was typed. For a domain
// that is another's, or cannot be found out, it returns ErrNoSuchUser.
func (c *Client) withoutDomain(ctx context.Context, identifier string) (string, error) {
	domain, name, found := strings.Cut(identifier, `\`)
	if !found {
		return identifier, nil
	}
	l, err := c.eachServer(ctx, "", func(s *server) (*link, error) { return s.service(ctx) })
	if err != nil {
		return "", err
	}
	dse := l.server.dse.Load()
	l.leave()
	switch {
	case !dse.activeDirectory():
		return identifier, nil
	case domain == "" || name == "" || strings.Contains(name, `\`):
		return "", ErrNoSuchUser
	case strings.EqualFold(domain, dnsName(dse.domain)):
		return name, nil
	}
	own, err := c.netBIOSName(ctx)
	if err != nil {
		return "", err
	}
	if own == "" || !strings.EqualFold(domain, own) {
		return "", ErrNoSuchUser
	}
	return name, nil
}

// netBIOSName reads the domain's short name from its crossRef ([MS-ADTS] 6.1.1.2.1.1);
// empty when it cannot be read. It is asked for once.
func (c *Client) netBIOSName(ctx context.Context) (string, error) {
	if name := c.netBIOS.Load(); name != nil {
		return *name, nil
	}
	found := c.search(ctx, "", func(dse *rootDSE) *ldap.SearchRequest {
		return ldap.NewSearchRequest(
			"CN=Partitions,"+dse.configuration,
			ldap.ScopeSingleLevel,
			ldap.NeverDerefAliases,
			1,
			0,
			false,
			"(&(objectClass=crossRef)(nCName="+ldap.EscapeFilter(dse.domain)+"))",
			[]string{"nETBIOSName"},
			nil,
		)
	})
	if err := found.typed("read the domain's short name"); err != nil || len(found.result.Entries) == 0 {
		return "", err
	}
	name := found.result.Entries[0].GetEqualFoldAttributeValue("nETBIOSName")
	c.netBIOS.Store(&name)
	return name, nil
}

// dnsName returns "ad.example.test" for DC=ad,DC=example,DC=test, and "" for other DNs.
func dnsName(domain string) string {
	parsed, err := ldap.ParseDN(domain)
	if err != nil {
		return ""
	}
	var labels []string
	for _, rdn := range parsed.RDNs {
		if len(rdn.Attributes) != 1 || !strings.EqualFold(rdn.Attributes[0].Type, "dc") {
			return ""
		}
		labels = append(labels, rdn.Attributes[0].Value)
	}
	return strings.Join(labels, ".")
}
