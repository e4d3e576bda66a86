package console

import "ldap-gateway/cloudlink/wire"

// outcomes says how sign-ons end, for administrators. It has all that agents say.
var outcomes = map[string]string{
	wire.OutcomeOK.String():                   "signed on",
	wire.OutcomeInvalidCredentials.String():   "wrong password",
	wire.OutcomeNoSuchUser.String():           "nobody of that name",
	wire.OutcomeAmbiguousUser.String():        "several people of that name",
	wire.OutcomeAccountDisabled.String():      "account disabled",
	wire.OutcomeAccountLocked.String():        "account locked",
	wire.OutcomeAccountExpired.String():       "account expired",
	wire.OutcomePasswordExpired.String():      "password expired",
	wire.OutcomePasswordMustChange.String():   "password has to be changed",
	wire.OutcomeLogonHours.String():           "not at this time of day",
	wire.OutcomeLogonWorkstation.String():     "not from this machine",
	wire.OutcomeDirectoryUnavailable.String(): "directory not reached",
	wire.OutcomeNotAllowed.String():           "not allowed by a rule",
	wire.OutcomeBusy.String():                 "too many at once",
	wire.OutcomeTimeout.String():              "no answer in time",
	wire.OutcomeUnknown.String():              "answer lost",
	wire.OutcomeNewPasswordRefused.String():   "new password refused",
}

// outcomeWords returns an outcome in words; itself when there are none.
func outcomeWords(outcome string) string {
	if words, ok := outcomes[outcome]; ok {
		return words
	}
	return outcome
}
