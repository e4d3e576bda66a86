package management

import (
	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/idp/relying"
	"ldap-gateway/cloud/store"
)

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
