package wire

import (
	"fmt"
	"strings"
)

// Outcome is how a sign-on or a password change ended. The set is closed and its numbers are final.
type Outcome uint8

// The outcomes.
const (
	OutcomeOK                   Outcome = 1
	OutcomeInvalidCredentials   Outcome = 2
	OutcomeNoSuchUser           Outcome = 3
	OutcomeAmbiguousUser        Outcome = 4
	OutcomeAccountDisabled      Outcome = 5
	OutcomeAccountLocked        Outcome = 6
	OutcomeAccountExpired       Outcome = 7
	OutcomePasswordExpired      Outcome = 8
	OutcomePasswordMustChange   Outcome = 9
	OutcomeLogonHours           Outcome = 10
	OutcomeLogonWorkstation     Outcome = 11
	OutcomeDirectoryUnavailable Outcome = 12
	OutcomeNotAllowed           Outcome = 13 // by policy, on premises or in the cloud
	OutcomeBusy                 Outcome = 14
	OutcomeTimeout              Outcome = 15 // the deadline passed before a bind was sent
	OutcomeUnknown              Outcome = 16 // a bind was sent and its answer was lost
	OutcomeNewPasswordRefused   Outcome = 17 // only of a password change: the old one was right
)

var outcomeNames = [...]string{
	OutcomeOK: "ok", OutcomeInvalidCredentials: "invalidCredentials", OutcomeNoSuchUser: "noSuchUser",
	OutcomeAmbiguousUser: "ambiguousUser", OutcomeAccountDisabled: "accountDisabled",
	OutcomeAccountLocked: "accountLocked", OutcomeAccountExpired: "accountExpired",
	OutcomePasswordExpired: "passwordExpired", OutcomePasswordMustChange: "passwordMustChange",
	OutcomeLogonHours: "logonHours", OutcomeLogonWorkstation: "logonWorkstation",
	OutcomeDirectoryUnavailable: "directoryUnavailable", OutcomeNotAllowed: "notAllowed",
	OutcomeBusy: "busy", OutcomeTimeout: "timeout", OutcomeUnknown: "unknown",
	OutcomeNewPasswordRefused: "newPasswordRefused",
}

// Known tells whether o is one of the closed set.
func (o Outcome) Known() bool { return o >= OutcomeOK && int(o) < len(outcomeNames) }

// MoreThan returns a reason; empty when it says no more than the outcome's name does, as "invalid credentials" is
// no more than invalidCredentials.
func MoreThan(outcome, reason string) string {
	if strings.EqualFold(strings.ReplaceAll(reason, " ", ""), outcome) {
		return ""
	}
	return reason
}

// String returns the outcome's name as the API writes it; "outcome 99" when it is not known.
func (o Outcome) String() string {
	if !o.Known() {
		return fmt.Sprintf("outcome %d", uint8(o))
	}
	return outcomeNames[o]
}
