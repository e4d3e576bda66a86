package signon

import (
	"context"
	"errors"

	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/directory"
)

// accountOutcomes says which outcome each state of an account is.
var accountOutcomes = map[directory.AccountKind]wire.Outcome{
	directory.Disabled:           wire.OutcomeAccountDisabled,
	directory.Locked:             wire.OutcomeAccountLocked,
	directory.Expired:            wire.OutcomeAccountExpired,
	directory.PasswordExpired:    wire.OutcomePasswordExpired,
	directory.PasswordMustChange: wire.OutcomePasswordMustChange,
	directory.LogonHours:         wire.OutcomeLogonHours,
	directory.LogonWorkstation:   wire.OutcomeLogonWorkstation,
}

// Trace is what of a request is for this machine alone.
type Trace struct {
	DN    string // of the person's entry; empty when none was found
	Asked bool   // a directory was: what makes it is counted by the policy, all else costs a cloud nothing
}

// answered is an answer with what stays on this machine.
type answered struct {
	wire.SignOnResult
	Trace
	said error // what the directory said in full: it names entries and servers; nil: nothing more
}

// detail is what the log has besides the reason, under the ID of the request.
func (a answered) detail() []any { return detail(a.said) }

func detail(said error) []any {
	if said == nil || said.Error() == directory.Told(said) {
		return nil
	}
	return []any{logSaid, said}
}

// failed turns an error of the directory room into the closed set. BindSent is
// true for every error that only a bind can bring.
func failed(ctx context.Context, err error) wire.SignOnResult {
	r := wire.SignOnResult{Reason: directory.Told(err)}
	var account *directory.AccountError
	switch {
	case errors.Is(err, directory.ErrAnswerLost):
		r.Outcome, r.BindSent = wire.OutcomeUnknown, true
	case errors.Is(err, directory.ErrInvalidCredentials):
		r.Outcome, r.BindSent = wire.OutcomeInvalidCredentials, true
	case errors.As(err, &account):
		r.Outcome, r.BindSent = accountOutcomes[account.Kind], true
	case errors.Is(err, directory.ErrEmptyPassword):
		r.Outcome = wire.OutcomeInvalidCredentials
	case errors.Is(err, directory.ErrNoSuchUser):
		r.Outcome = wire.OutcomeNoSuchUser
	case errors.Is(err, directory.ErrAmbiguousUser):
		r.Outcome = wire.OutcomeAmbiguousUser
	case ctx.Err() != nil:
		r.Outcome = wire.OutcomeTimeout
	default:
		// Any other result, also of the bind: the directory could not do what
		// was asked. Whether a bind was sent is not known here, so nobody may
		// try again when it may have been.
		r.Outcome = wire.OutcomeDirectoryUnavailable
		var result *directory.ResultError
		r.BindSent = errors.As(err, &result) && (result.Op == directory.OpBind || result.Op == directory.OpChange)
	}
	return r
}
