package directory

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/go-ldap/ldap/v3"
)

// ErrClearText: a password is changed only over a connection with TLS.
var ErrClearText = errors.New("a password is not changed over a connection without TLS")

// PasswordReason says why a directory does not take a new password.
type PasswordReason uint8

// The reasons.
const (
	Unacceptable PasswordReason = iota + 1 // none of the others, or the directory does not say
	TooShort
	TooSimple
	InHistory // the person had it before
	TooYoung  // the old one was set too recently
	NotPermitted
	SomeRule // one of TooShort to TooYoung; Active Directory does not say which
)

// String returns the reason as a few plain words.
func (r PasswordReason) String() string {
	switch r {
	case Unacceptable:
		return "not acceptable"
	case TooShort:
		return "too short"
	case TooSimple:
		return "too simple"
	case InHistory:
		return "used before"
	case TooYoung:
		return "the old one was set too recently"
	case NotPermitted:
		return "the person may not change it"
	case SomeRule:
		return "against the rules for length, complexity, history or age"
	}
	return fmt.Sprintf("PasswordReason(%d)", uint8(r))
}

// PasswordError is a new password that the directory does not take. The old one was right.
type PasswordError struct {
	Reason PasswordReason
	Server string // URL; empty: it was not sent
	Text   string // what the server said, may be empty
}

// Error returns the reason, and the server's text if there is one.
func (e *PasswordError) Error() string {
	return withText("new password refused: "+e.Reason.String(), e.Text)
}

// OpChange is what ResultError.Op says of a password change.
const OpChange = "password change"

// changeOutcome reads why a password was not changed: from the password policy control,
// the Windows error code of Active Directory, or the result code, in this order.
func changeOutcome(server string, e *ldap.Error) error {
	text := ""
	if e.Err != nil {
		text = e.Err.Error()
	}
	if reason, ok := reasonByPolicy(e); ok {
		return &PasswordError{Reason: reason, Server: server, Text: text}
	}
	if code, ok := windowsCode(text); ok {
		if err := changeByWindows(server, code, text); err != nil {
			return err
		}
	}
	switch e.ResultCode {
	case ldap.LDAPResultInvalidCredentials:
		return ErrInvalidCredentials
	case ldap.LDAPResultInsufficientAccessRights,
		ldap.LDAPResultUnwillingToPerform: // OpenLDAP: 53 when the access rules do not allow it
		return &PasswordError{Reason: NotPermitted, Server: server, Text: text}
	case ldap.LDAPResultConstraintViolation:
		return &PasswordError{Reason: Unacceptable, Server: server, Text: text}
	}
	out := resultError(server, OpChange, e)
	if e.ResultCode == ldap.LDAPResultProtocolError {
		out.Remedy = "the server does not know the password modify operation (RFC 3062): people have to change their " +
			"passwords elsewhere"
	}
	return out
}

// reasonByPolicy reads draft-behera-ldap-password-policy-10, 6.2.
func reasonByPolicy(e *ldap.Error) (PasswordReason, bool) {
	if e.Packet == nil || len(e.Packet.Children) < 3 || e.Packet.Children[2] == nil {
		return 0, false
	}
	for _, child := range e.Packet.Children[2].Children {
		control, err := ldap.DecodeControl(child)
		policy, ok := control.(*ldap.ControlBeheraPasswordPolicy)
		if err != nil || !ok {
			continue
		}
		reasons := map[int8]PasswordReason{3: NotPermitted, 5: TooSimple, 6: TooShort, 7: TooYoung, 8: InHistory}
		reason, ok := reasons[policy.Error]
		return reason, ok
	}
	return 0, false
}

// windowsCode reads the Win32 error that Active Directory puts in front of its text:
//
//	0000052D: AtrErr: DSID-03190FD6, #1: …
func windowsCode(text string) (code uint32, ok bool) {
	if len(text) < 9 || text[8] != ':' {
		return 0, false
	}
	n, err := strconv.ParseUint(text[:8], 16, 32)
	return uint32(n), err == nil
}

// changeByWindows maps the Win32 errors of a change; nil when the code says nothing.
func changeByWindows(server string, code uint32, text string) error {
	switch code {
	case 0x5: // ERROR_ACCESS_DENIED
		return &PasswordError{Reason: NotPermitted, Server: server, Text: text}
	case 0x56: // ERROR_INVALID_PASSWORD: the old one
		return ErrInvalidCredentials
	case 0x52d: // ERROR_PASSWORD_RESTRICTION
		return &PasswordError{Reason: SomeRule, Server: server, Text: text}
	}
	if kind, ok := accountBySubCode(code); ok {
		return &AccountError{Kind: kind, Server: server, Text: text}
	}
	return nil
}
