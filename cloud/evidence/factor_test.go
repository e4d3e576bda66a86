package evidence

import (
	"strings"
	"testing"
)

// TestSeveralFactors by what a provider says, in any way that one says it, and in none that it does not.
func TestSeveralFactors(t *testing.T) {
	const classes = "urn:oasis:names:tc:SAML:2.0:ac:classes:"
	for _, c := range []struct {
		methods, contexts string
		want              bool
	}{
		{"", "", false},
		{"pwd", "", false},
		{"pwd pin kba", "", false},
		{"otp sms hwk", "", false},
		{"pwd geo rba wia user", "", false},
		{"PWD OTP", "", false},
		{"pwdotp", "", false},
		{"mfa", "", true},
		{"pwd mfa", "", true},
		{"pwd otp", "", true},
		{"otp pwd", "", true},
		{"pin fpt", "", true},
		{"hwk face", "", true},
		{"", "0", false},
		{"", "password", false},
		{"", classes + "PasswordProtectedTransport", false},
		{"", classes + "unspecified", false},
		{"", classes + "Kerberos", false},
		{"", classes + "SmartcardPKI2", false},
		{"", "mfa", true},
		{"", "https://refeds.org/profile/mfa", true},
		{"", "https://refeds.org/profile/sfa", false},
		{"", "https://refeds.org/profile/mfa/", false},
		{"", classes + "TimeSyncToken", true},
		{"", classes + "MobileTwoFactorUnregistered", true},
		{"", classes + "MobileOneFactorContract", false},
		{"", "password " + classes + "MobileTwoFactorContract", true},
		{"pwd", "http://schemas.microsoft.com/claims/multipleauthn", true},
		{"pwd", "password", false},
	} {
		e := Evidence{Methods: strings.Fields(c.methods), Contexts: strings.Fields(c.contexts)}
		if got := e.SeveralFactors(); got != c.want {
			t.Errorf("%q, %q: %v", c.methods, c.contexts, got)
		}
	}
}
