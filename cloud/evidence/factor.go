package evidence

import (
	"slices"
	"strings"
)

// kinds are what the methods of RFC 8176 prove: something that the person knows, has, or is. What is not here
// proves none of that, such as a place.
var kinds = map[string]string{
	"pwd": "knows", "pin": "knows", "kba": "knows",
	"otp": "has", "hwk": "has", "swk": "has", "pop": "has", "sc": "has", "sms": "has", "tel": "has",
	"face": "is", "fpt": "is", "iris": "is", "retina": "is", "vbm": "is",
}

// several are contexts that are not reached by one factor alone: those of REFEDS, of OpenID's PAPE, of
// saml-authn-context 3.4, of Microsoft, and the one that a cloud like this one tells.
var several = []string{
	"mfa",
	"https://refeds.org/profile/mfa",
	"http://schemas.openid.net/pape/policies/2007/06/multi-factor",
	"http://schemas.openid.net/pape/policies/2007/06/multi-factor-physical",
	"urn:oasis:names:tc:SAML:2.0:ac:classes:TimeSyncToken",
	"urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorContract",
	"urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorUnregistered",
	"urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI",
	"http://schemas.microsoft.com/claims/multipleauthn",
}

// SeveralFactors tells whether the provider says that more than one factor was used: "mfa", methods of two
// kinds, or a context that takes more than one. What it does not say is no.
func (e Evidence) SeveralFactors() bool {
	proven := map[string]bool{}
	for _, m := range e.Methods {
		if m == "mfa" {
			return true
		}
		if kind, ok := kinds[m]; ok {
			proven[kind] = true
		}
	}
	return len(proven) > 1 || slices.ContainsFunc(e.Contexts, func(c string) bool {
		return slices.Contains(several, strings.TrimSpace(c))
	})
}
