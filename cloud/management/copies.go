package management

import (
	"slices"

	"ldap-gateway/cloud/store"
)

// A caller's function may change lists in place. What it gets is therefore a copy
// through and through: else what an activity says that there was before would be what
// there is after, and the change be nowhere told.

// copyOf returns a gateway that can be changed without the other.
func copyOf(g store.Gateway) store.Gateway {
	g.Declared.ServersHostAndPort = slices.Clone(g.Declared.ServersHostAndPort)
	g.UserTypes = slices.Clone(g.UserTypes)
	for i, u := range g.UserTypes {
		g.UserTypes[i] = copyOfType(u)
	}
	if g.Kerberos != nil {
		kept := *g.Kerberos
		kept.Realms, kept.Networks = slices.Clone(kept.Realms), slices.Clone(kept.Networks)
		g.Kerberos = &kept
	}
	return g
}

// copyOfType is copyOf for one user type.
func copyOfType(u store.UserType) store.UserType {
	u.Correlation, u.Mappings = slices.Clone(u.Correlation), slices.Clone(u.Mappings)
	u.Usernames = slices.Clone(u.Usernames)
	u.Groups.Include, u.Groups.Exclude = slices.Clone(u.Groups.Include), slices.Clone(u.Groups.Exclude)
	return u
}

// copyOfApplication is copyOf for an application; the hash of its secret is never
// changed in place.
func copyOfApplication(a store.Application) store.Application {
	a.RedirectURIs, a.SignOffURIs = slices.Clone(a.RedirectURIs), slices.Clone(a.SignOffURIs)
	a.Kept.Attributes, a.Kept.Policies = slices.Clone(a.Kept.Attributes), slices.Clone(a.Kept.Policies)
	a.Kept.Scopes, a.Kept.Usual = slices.Clone(a.Kept.Scopes), slices.Clone(a.Kept.Usual)
	a.Groups.Allow, a.Groups.Sources = slices.Clone(a.Groups.Allow), slices.Clone(a.Groups.Sources)
	a.SAML.ACS, a.SAML.ACSIndexes = slices.Clone(a.SAML.ACS), slices.Clone(a.SAML.ACSIndexes)
	a.OpenID.Resources, a.OpenID.Audiences = slices.Clone(a.OpenID.Resources), slices.Clone(a.OpenID.Audiences)
	a.SAML.CertificateIDs, a.SAML.Access = slices.Clone(a.SAML.CertificateIDs), slices.Clone(a.SAML.Access)
	a.OpenID.Access = slices.Clone(a.OpenID.Access)
	return a
}

// copyOfEnvironment is copyOf for an environment.
func copyOfEnvironment(e store.Environment) store.Environment {
	e.Settings.SignOnOrder = slices.Clone(e.Settings.SignOnOrder)
	return e
}
