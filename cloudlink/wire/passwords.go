package wire

import "fmt"

// ChangePassword asks an agent to change one person's password in the directory.
// Like SignOn it names no filter, no search base and no entry.
type ChangePassword struct {
	ID         string        `cbor:"1,keyasint"` // of the change, unique for ever
	UserType   string        `cbor:"2,keyasint"`
	Revision   uint64        `cbor:"3,keyasint"`           // of the UserTypes that the sender means
	Identifier string        `cbor:"4,keyasint"`           // what the person typed
	Old        Sealed        `cbor:"5,keyasint"`           // for OldPassword(ID)
	New        Sealed        `cbor:"6,keyasint"`           // for NewPassword(ID)
	Known      []Correlation `cbor:"7,keyasint,omitempty"` // as in SignOn
	Browser    Browser       `cbor:"8,keyasint,omitempty"` // as in SignOn
}

// OldPassword and NewPassword return what the two passwords of a change are sealed
// for. They differ, so that neither can be put in the place of the other.
func OldPassword(change string) string { return change + "\x00old" }

// NewPassword is like OldPassword, for the other one.
func NewPassword(change string) string { return change + "\x00new" }

// PasswordChanged answers ChangePassword.
type PasswordChanged struct {
	ID      string  `cbor:"1,keyasint"` // of the change
	Outcome Outcome `cbor:"2,keyasint"` // OutcomeOK: the password is the new one
	Reason  string  `cbor:"3,keyasint,omitempty"`
	// BindSent is true as soon as the old password may have reached a directory.
	// Nobody may try the change again then.
	BindSent    bool            `cbor:"4,keyasint,omitempty"`
	KeyUnknown  bool            `cbor:"5,keyasint,omitempty"` // seal again with Encap; nothing was sent
	RetryMillis uint32          `cbor:"6,keyasint,omitempty"` // with OutcomeBusy: when to come back
	Refusal     PasswordRefusal `cbor:"7,keyasint,omitempty"` // with OutcomeNewPasswordRefused
}

// PasswordRefusal is why a directory does not take a new password. The set is
// closed and its numbers are final.
type PasswordRefusal uint8

// The reasons.
const (
	RefusalOther        PasswordRefusal = 1 // none of the others, or the directory does not say
	RefusalTooShort     PasswordRefusal = 2
	RefusalTooSimple    PasswordRefusal = 3 // not enough kinds of characters, or a word that is easy to guess
	RefusalInHistory    PasswordRefusal = 4 // the person had it before
	RefusalTooYoung     PasswordRefusal = 5 // the old one was set too recently
	RefusalNotPermitted PasswordRefusal = 6 // this person may not change it
	RefusalSomeRule     PasswordRefusal = 7 // one of 2 to 5, and the directory does not say which
)

var refusalNames = [...]string{
	RefusalOther: "other", RefusalTooShort: "tooShort", RefusalTooSimple: "tooSimple",
	RefusalInHistory: "inHistory", RefusalTooYoung: "tooYoung", RefusalNotPermitted: "notPermitted",
	RefusalSomeRule: "someRule",
}

// Known tells whether r is one of the closed set.
func (r PasswordRefusal) Known() bool { return r >= RefusalOther && int(r) < len(refusalNames) }

// String returns the reason's name as the API writes it; "refusal 99" when it is not known.
func (r PasswordRefusal) String() string {
	if !r.Known() {
		return fmt.Sprintf("refusal %d", uint8(r))
	}
	return refusalNames[r]
}
