package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// idleBindLink is how long an unused bind link is trusted: firewalls forget
// connections silently, and a bind sent into one of those is lost.
const idleBindLink = 2 * time.Minute

// Bind checks a password by the one bind as the user. It never sends a second one:
// a connection is repeated only while provably no octet of the bind has left. Errors:
// ErrEmptyPassword, ErrInvalidCredentials, *AccountError, *ResultError,
// ErrUnavailable (nothing was sent; may wrap the context's error) and ErrAnswerLost.
func (c *Client) Bind(ctx context.Context, dn string, pw Password) error {
	return c.asUser(ctx, dn, pw, func(l *link) (bool, error) { return l.userBind(ctx, dn, pw) })
}

// asUser gives try a bind link, and another only when the last one took nothing.
func (c *Client) asUser(ctx context.Context, dn string, pw Password, try func(*link) (sent bool, err error)) error {
	if pw.Refused() {
		return ErrEmptyPassword
	}
	if dn == "" {
		return ErrInvalidCredentials // an empty DN is an anonymous bind (RFC 4513, 5.1.1)
	}
	if !c.life.begin() {
		return fmt.Errorf("%w: %w", ErrUnavailable, ErrClosed)
	}
	defer c.life.end()
	select {
	case c.binding <- struct{}{}:
		defer func() { <-c.binding }()
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
	var lastErr error
	for range 1 + len(c.list()) {
		l, err := c.eachServer(ctx, "", func(s *server) (*link, error) { return s.bindLink(ctx) })
		if err != nil {
			return err
		}
		sent, err := try(l)
		if sent {
			return err
		}
		lastErr = err
		l.server.dropIdleBinds()
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, lastErr)
}

// userBind binds and keeps the link for the next one; it is dead after every bind
// that was not a plain success.
func (l *link) userBind(ctx context.Context, dn string, pw Password) (sent bool, err error) {
	bound := l.bind(ctx, dn, pw)
	if bound.err == nil && bound.entered {
		l.server.keep(l)
	} else {
		l.kill()
	}
	return bound.sent, bound.err
}

// bound is how a bind ended.
type bound struct {
	sent    bool // false only when nothing left this machine
	entered bool // the server took the password, and the connection is the person's
	err     error
}

// bind sends the bind.
func (l *link) bind(ctx context.Context, dn string, pw Password) bound {
	before, start := l.socket.written.Load(), time.Now()
	var controls []ldap.Control
	if l.server.offersPolicy() {
		controls = []ldap.Control{ldap.NewControlBeheraPasswordPolicy()}
	}
	r, err := l.ask(ctx, opBindRequest, bindRequest(dn, pw), controls, 0)
	alive := err == nil && l.await(ctx, r)
	var result *ldap.SimpleBindResult
	if err == nil {
		result, err = readBind(r)
	}
	sent := l.socket.written.Load() != before
	if _, ok := answered(err); err != nil && !ok {
		if sent {
			err = l.lost(ctx, err, time.Since(start))
		}
		return bound{sent: sent, err: err}
	}
	return bound{sent: true, entered: err == nil && alive, err: bindOutcome(l.server, result, err)}
}

// await waits for an answer, and cuts the link when none has come in time; then it returns
// false.
func (l *link) await(ctx context.Context, r *reply) (alive bool) {
	limit := time.NewTimer(l.server.client.cfg.Timeout)
	defer limit.Stop()
	select {
	case <-r.over:
		return true
	case <-limit.C:
	case <-ctx.Done():
	}
	l.cut()
	<-r.over
	return false
}

// offersPolicy says whether the password policy control may go with a bind: some
// servers complain of a control that they do not know, each time. One that does not
// show its controls is taken to know it.
func (s *server) offersPolicy() bool {
	dse := s.dse.Load()
	return dse == nil || len(dse.controls) == 0 || slices.Contains(dse.controls, ldap.ControlTypeBeheraPasswordPolicy)
}

func (l *link) lost(ctx context.Context, err error, after time.Duration) error {
	if ctx.Err() != nil {
		err = ctx.Err()
	} else if after >= l.server.client.cfg.Timeout {
		l.server.silent(fmt.Errorf("no answer to a bind within %s: %w", after.Round(time.Millisecond), err))
	}
	return fmt.Errorf("%w: %s: %w", ErrAnswerLost, l.server.url, err)
}

// bindOutcome reads the result together with the password policy controls; on some
// servers only the control tells an expired password from a wrong one, and a forced
// change comes with success.
func bindOutcome(s *server, result *ldap.SimpleBindResult, err error) error {
	e, failed := answered(err)
	text := ""
	if failed && e.Err != nil {
		text = e.Err.Error()
	}
	// The result code comes first: 389 adds a control that calls an inactivated account
	// locked. Result 49 alone says nothing that the control could contradict.
	if failed {
		if kind, ok := accountByResult(s.client.vendorAt(s), e.ResultCode, text); ok {
			return &AccountError{Kind: kind, Server: s.url, Text: text}
		}
	}
	if kind, ok := accountByControl(result, failed); ok {
		return &AccountError{Kind: kind, Server: s.url, Text: text}
	}
	if !failed {
		return nil
	}
	sub, _ := subCode(text)
	switch e.ResultCode {
	case ldap.LDAPResultInvalidCredentials, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInappropriateAuthentication:
		if sub != badBindings {
			return ErrInvalidCredentials
		}
	}
	out := resultError(s.url, OpBind, e)
	if sub == badBindings {
		out.Remedy = bindingsRemedy
	}
	return out
}

// accountByControl reads draft-behera-ldap-password-policy-10 and draft-vchu-ldap-pwd-policy-00.
func accountByControl(result *ldap.SimpleBindResult, failed bool) (AccountKind, bool) {
	if result == nil {
		return 0, false
	}
	for _, control := range result.Controls {
		if c, ok := control.(*ldap.ControlBeheraPasswordPolicy); ok {
			if kind, ok := accountByPolicy(c.Error, failed); ok || !failed {
				return kind, ok // 389 adds the other one to a grace sign-on, too
			}
		}
	}
	for _, control := range result.Controls {
		if _, ok := control.(*ldap.ControlVChuPasswordMustChange); ok {
			return map[bool]AccountKind{true: PasswordExpired, false: PasswordMustChange}[failed], true
		}
	}
	return 0, false
}

// accountByPolicy maps the error of the Behera control. With success only a forced
// change counts: "expired" there means that a grace sign-on was used up.
func accountByPolicy(code int8, failed bool) (AccountKind, bool) {
	switch {
	case code == 2:
		return PasswordMustChange, true
	case code == 0 && failed:
		return PasswordExpired, true
	case code == 1 && failed:
		return Locked, true
	}
	return 0, false
}

// vendorAt returns the vendor of a server, or of the directory when this one of its
// servers has only been bound to.
func (c *Client) vendorAt(s *server) string {
	if dse := s.dse.Load(); dse != nil {
		return dse.vendor
	}
	return c.currentDSE().vendor
}

func accountByResult(vendor string, code uint16, text string) (AccountKind, bool) {
	switch {
	case code == ldap.LDAPResultInvalidCredentials:
		if sub, ok := subCode(text); ok {
			return accountBySubCode(sub)
		}
	case code == ldap.LDAPResultConstraintViolation: // 389: too many wrong passwords
		return Locked, true
	case code == ldap.LDAPResultUnwillingToPerform && vendor == Vendor389: // 389: inactivated
		return Disabled, true
	}
	return 0, false
}

// bindLink takes an idle bind link, the one used last, or makes a new one.
func (s *server) bindLink(ctx context.Context) (*link, error) {
	if l := s.idleBind(); l != nil {
		return l, nil
	}
	dialCtx, cancel := context.WithTimeout(ctx, s.client.cfg.DialTimeout)
	defer cancel()
	start := time.Now()
	l, err := s.connect(dialCtx)
	// A caller in a hurry is not the server's fault, unless it was kept waiting long.
	hurried := ctx.Err() != nil && time.Since(start) < s.client.cfg.DialTimeout/2
	if err != nil && !hurried && !errors.Is(err, context.Canceled) {
		s.down(err, time.Since(start))
	}
	return l, err
}

func (s *server) idleBind() *link {
	for {
		s.mu.Lock()
		n := len(s.binds)
		if n == 0 {
			s.mu.Unlock()
			return nil
		}
		l := s.binds[n-1]
		s.binds = s.binds[:n-1]
		s.mu.Unlock()
		if l.usable() && time.Since(l.idle) < idleBindLink {
			return l
		}
		l.kill()
	}
}

// keep puts a link back after a successful bind, and drops the one that has been
// idle longest when it has been idle too long.
func (s *server) keep(l *link) {
	l.idle = time.Now()
	var old *link
	s.mu.Lock()
	if len(s.binds) > 0 && time.Since(s.binds[0].idle) > idleBindLink {
		old, s.binds = s.binds[0], s.binds[1:]
	}
	s.binds = append(s.binds, l)
	s.mu.Unlock()
	if old != nil {
		old.kill()
	}
}

// dropIdleBinds is for a server that closed one of its connections: the others are
// likely to be closed as well.
func (s *server) dropIdleBinds() {
	s.mu.Lock()
	idle := s.binds
	s.binds = nil
	s.mu.Unlock()
	for _, l := range idle {
		l.kill()
	}
}
