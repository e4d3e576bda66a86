package management

import (
	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/idp/relying"
	"ldap-gateway/cloud/store"
)

// checkReach tells which addresses of an application, which was before, are told to us in vain:
// we do not go there. One by a name that leads there is found out when it is used.
func (s *Service) checkReach(a, before store.Application) (l fault.List) {
	for _, one := range []struct {
		field   fault.Field
		is, was string
	}{
		{fault.ClientKeysURL, a.OpenID.JWKSURL, before.OpenID.JWKSURL},
		{fault.BackChannel, a.OpenID.BackChannel, before.OpenID.BackChannel},
	} {
		if err := s.Reach.Names(one.is); err != nil && one.is != one.was {
			l = append(l, wrong(one.field, 0, "%q: %v.", one.is, err)...)
		}
	}
	return l
}

// checkClientKeys tells what is wrong with the keys that an application proves itself by.
func checkClientKeys(a store.Application) (l fault.List) {
	keys, at := a.OpenID.JWKS, a.OpenID.JWKSURL
	switch {
	case keys == "" && at == "":
		return nil
	case a.Public():
		return wrong(fault.ClientKeys, 0, "An application of this type can keep no key: PKCE is all that proves it.")
	case keys != "" && at != "":
		return wrong(fault.ClientKeysURL, 0, "There are keys already: state either those or their address.")
	case at != "":
		return checkRedirect(fault.ClientKeysURL, 0, at, store.WebApplication)
	}
	if _, err := relying.ParseKeys(keys); err != nil {
		return wrong(fault.ClientKeys, 0, "These keys cannot be used: %v.", err)
	}
	return nil
}
