package signon

import (
	"fmt"

	"ldap-gateway/cloudlink/wire"
)

// The sentences that a person may see.
const (
	messageOK      = "You are signed on."
	messageWrong   = "The user name or the password is not right."
	messageLater   = "Signing on is not possible right now. Please try again in a moment."
	messageUnsure  = "The sign-on could not be finished. Please try again."
	messageExpired = "Your password has expired. Change it where your organisation has you do that, then sign on again."
	messageChange  = "You have to change your password before you can sign on." +
		" Change it where your organisation has you do that."
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

// The sentences about a password change.
const (
	messageChanged    = "Your password was changed."
	messageNotChanged = "Your password was not changed: the user name or the current password is not right," +
		" or it cannot be changed here."
	messageChangeLater  = "Changing the password is not possible right now. Please try again in a moment."
	messageChangeUnsure = "It is not certain whether your password was changed. Try to sign on with the new one first."
	messageNotHere      = "Your password cannot be changed here. Please ask your administrator."
)

// changeMessages has those outcomes that are said otherwise of a change than of a
// sign-on. What is a wrong password there is not told apart here either.
var changeMessages = map[wire.Outcome]string{
	wire.OutcomeOK:                   messageChanged,
	wire.OutcomePasswordExpired:      messageNotHere,
	wire.OutcomePasswordMustChange:   messageNotHere,
	wire.OutcomeDirectoryUnavailable: messageChangeLater,
	wire.OutcomeBusy:                 messageChangeLater,
	wire.OutcomeTimeout:              messageChangeLater,
	wire.OutcomeUnknown:              messageChangeUnsure,
}

// refusalMessages has a sentence for each reason of a directory that does not
// take the new password. It was given the old one first, and that was right.
var refusalMessages = map[wire.PasswordRefusal]string{
	wire.RefusalOther:    "The new password was not accepted. Choose another one, or ask your administrator.",
	wire.RefusalTooShort: "The new password is too short. Choose a longer one.",
	wire.RefusalTooSimple: "The new password is too simple." +
		" Use capital and small letters, digits and other characters, and no part of your name.",
	wire.RefusalInHistory:    "You had the new password before. Choose one that you did not have yet.",
	wire.RefusalTooYoung:     "Your password was changed too recently to be changed again now. Please try again later.",
	wire.RefusalNotPermitted: "You may not change your password yourself. Please ask your administrator.",
	wire.RefusalSomeRule: "The new password is against the rules of your organisation:" +
		" it is too short or too simple, or you had it before, or the last change was too recent.",
}

// ChangeMessage returns the sentence that a person may see for how a password
// change ended.
func ChangeMessage(o wire.Outcome, r wire.PasswordRefusal) string {
	if o == wire.OutcomeNewPasswordRefused {
		if m, ok := refusalMessages[r]; ok {
			return m
		}
		return refusalMessages[wire.RefusalOther]
	}
	if m, ok := changeMessages[o]; ok {
		return m
	}
	if m := Message(o); m != messageWrong {
		return m
	}
	return messageNotChanged
}

// failed says how a sign-on ended that did not succeed.
func failed(username string, o wire.Outcome, reason string) string {
	text := fmt.Sprintf("Sign-on of %q by password: %s.", username, o)
	if more := wire.MoreThan(o.String(), reason); more != "" {
		text += " " + more
	}
	return text
}
