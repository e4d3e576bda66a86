package signon

import "ldap-gateway/cloudlink/wire"

// The sentences that a person may see.
const (
	messageOK      = "You are signed on."
	messageWrong   = "The username or the password is not right."
	messageLater   = "Signing on is not possible right now. Please try again in a moment."
	messageUnsure  = "The sign-on could not be finished. Please try again."
	messageExpired = "Your password has expired. Change it where your organisation has you do that, then sign on again."
	messageChange  = "You have to change your password before you can sign on. Change it where your organisation has you do that."
	messageAccount = "Your account has expired. Please ask your administrator."
	messageHours   = "You cannot sign on at this time of day. Please ask your administrator."
	messagePlace   = "You cannot sign on from here. Please ask your administrator."
)

// messages has a sentence for each outcome. Those that tell something about an
// account are given by directories only when the password was right. A locked
// or disabled account is not among them: some say so to any password.
var messages = map[wire.Outcome]string{
	wire.OutcomeOK:                   messageOK,
	wire.OutcomeInvalidCredentials:   messageWrong,
	wire.OutcomeNoSuchUser:           messageWrong,
	wire.OutcomeAmbiguousUser:        messageWrong,
	wire.OutcomeAccountDisabled:      messageWrong,
	wire.OutcomeAccountLocked:        messageWrong,
	wire.OutcomeNotAllowed:           messageWrong,
	wire.OutcomeAccountExpired:       messageAccount,
	wire.OutcomePasswordExpired:      messageExpired,
	wire.OutcomePasswordMustChange:   messageChange,
	wire.OutcomeLogonHours:           messageHours,
	wire.OutcomeLogonWorkstation:     messagePlace,
	wire.OutcomeDirectoryUnavailable: messageLater,
	wire.OutcomeBusy:                 messageLater,
	wire.OutcomeTimeout:              messageLater,
	wire.OutcomeUnknown:              messageUnsure,
}

// Message returns the sentence that a person may see for an outcome.
func Message(o wire.Outcome) string {
	if m, ok := messages[o]; ok {
		return m
	}
	return messageUnsure
}
