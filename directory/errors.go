package directory

import (
	"errors"
	"fmt"

	"github.com/go-ldap/ldap/v3"
)

// The closed set of plain failures; test for them with errors.Is.
var (
	// ErrNoSuchUser: the search was complete and found nobody.
	ErrNoSuchUser = errors.New("no such user in the directory")
	// ErrAmbiguousUser: the search found more than one entry.
	ErrAmbiguousUser = errors.New("more than one entry matches")
	// ErrInvalidCredentials: the directory refused the name or the password.
	ErrInvalidCredentials = errors.New("invalid credentials")
	// ErrEmptyPassword: refused here, nothing was sent.
	ErrEmptyPassword = errors.New("empty password")
	// ErrUnavailable: no server could be reached, or none answered a search; no user
	// bind was sent.
	ErrUnavailable = errors.New("directory unavailable")
	// ErrAnswerLost: a user bind or a password change was sent and no answer came. The
	// password may have been counted as wrong, or changed, so it must not be repeated.
	ErrAnswerLost = errors.New("the directory's answer was lost")
	// ErrClosed: the client was closed.
	ErrClosed = errors.New("directory client is closed")
)

// AmbiguousError is ErrAmbiguousUser with the entries that match, as far as they came.
type AmbiguousError struct{ DNs []string }

// Error names the entries.
func (e *AmbiguousError) Error() string { return fmt.Sprintf("%v: %q", ErrAmbiguousUser, e.DNs) }

// Unwrap returns ErrAmbiguousUser.
func (e *AmbiguousError) Unwrap() error { return ErrAmbiguousUser }

// AccountKind says what is wrong with an account.
type AccountKind uint8

// What a directory can say about an account instead of letting it in.
const (
	Disabled AccountKind = iota + 1
	Locked
	Expired
	PasswordExpired
	PasswordMustChange
	LogonHours
	LogonWorkstation
)

// String returns the kind as a few plain words.
func (k AccountKind) String() string {
	switch k {
	case Disabled:
		return "account disabled"
	case Locked:
		return "account locked"
	case Expired:
		return "account expired"
	case PasswordExpired:
		return "password expired"
	case PasswordMustChange:
		return "password must be changed"
	case LogonHours:
		return "outside the permitted hours"
	case LogonWorkstation:
		return "not permitted from this workstation"
	}
	return fmt.Sprintf("AccountKind(%d)", uint8(k))
}

// PasswordWasRight says whether the directory gives this answer only when the
// password was right. Active Directory checks the password first; a locked account
// says nothing about it, and 389 calls an account disabled either way.
func (k AccountKind) PasswordWasRight() bool { return k != Locked && k != Disabled }

// AccountError is a bind refused because of the state of the account.
type AccountError struct {
	Kind   AccountKind
	Server string // URL
	Text   string // what the server said, may be empty
}

// Error returns the kind, and the server's text if there is one.
func (e *AccountError) Error() string { return withText(e.Kind.String(), e.Text) }

// ResultError is any other LDAP result code (RFC 4511, appendix A) that is not success.
type ResultError struct {
	Code   uint16
	Op     string // "bind", "service bind", "search …", "StartTLS"
	Server string // URL
	Text   string // what the server said, may be empty
	Remedy string // what an administrator can do; may be empty
}

// Error returns everything, the remedy last.
func (e *ResultError) Error() string {
	text := fmt.Sprintf("%s: %s: result %d %s", e.Server, e.Op, e.Code, ldap.LDAPResultCodeMap[e.Code])
	return withText(withText(text, e.Text), e.Remedy)
}

func withText(head, text string) string {
	if text == "" {
		return head
	}
	return head + ": " + text
}

// remedies by result code; a code that is missing here speaks for itself.
func remedy(code uint16) string {
	switch code {
	case ldap.LDAPResultStrongAuthRequired, ldap.LDAPResultConfidentialityRequired:
		return "the server wants an encrypted or signed connection: use ldaps://, or ldap:// without clear text allowed"
	case ldap.LDAPResultInsufficientAccessRights:
		return "give the service account the right to read here"
	case ldap.LDAPResultOperationsError:
		return "Active Directory says this when nobody is bound: give a service account"
	case ldap.LDAPResultSizeLimitExceeded, ldap.LDAPResultTimeLimitExceeded, ldap.LDAPResultAdminLimitExceeded:
		return "raise the server's limit for the service account, or narrow the search base"
	case ldap.LDAPResultReferral:
		return "name the server that holds this base, or allow its host by follow_referrals and referral_hosts"
	case ldap.LDAPResultInvalidDNSyntax:
		return "correct the DN"
	}
	return ""
}

// answered returns the server's own result when err carries one. Codes from 200 on
// are go-ldap's: the network failed, or the answer could not be read.
func answered(err error) (*ldap.Error, bool) {
	var e *ldap.Error
	if errors.As(err, &e) && e.ResultCode < ldap.ErrorNetwork {
		return e, true
	}
	return nil, false
}

func resultError(server, op string, e *ldap.Error) *ResultError {
	out := &ResultError{Code: e.ResultCode, Op: op, Server: server, Remedy: remedy(e.ResultCode)}
	if e.Err != nil {
		out.Text = e.Err.Error()
	}
	return out
}
