package directory_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
)

// aChange is a server with alice, a client that knows it, and how to change her password.
func aChange(t *testing.T, configure ...func(*directory.Config)) (*directorytest.Server, func(context.Context) error) {
	t.Helper()
	s := inProcess(t, person("alice"))
	c := open(
		t,
		s.CA(),
		s.TLSURL(),
		append(configure, func(c *directory.Config) { c.Timeout = 200 * time.Millisecond })...)
	return s, func(ctx context.Context) error { return c.ChangePassword(ctx, aliceDN, "password", "fresh") }
}

// However a change goes wrong, there is one bind and one change at the most, and what
// may have been done is never said not to have been.
func TestLostChangeIsNotRepeated(t *testing.T) {
	for name, c := range map[string]struct {
		breaks        func(*directorytest.Server)
		binds, change int
	}{
		"bind-silent":   {func(s *directorytest.Server) { s.SetBindFault(aliceDN, directorytest.Fault{Silent: true}) }, 1, 0},
		"bind-cut":      {func(s *directorytest.Server) { s.SetBindFault(aliceDN, directorytest.Fault{Close: true}) }, 1, 0},
		"change-silent": {func(s *directorytest.Server) { s.SetChangeFault(aliceDN, directorytest.Fault{Silent: true}) }, 1, 1},
		"change-cut":    {func(s *directorytest.Server) { s.SetChangeFault(aliceDN, directorytest.Fault{Close: true}) }, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s, change := aChange(t)
			c.breaks(s)
			if err := change(t.Context()); !errors.Is(err, directory.ErrAnswerLost) {
				t.Error(err)
			}
			if b, n := s.Binds(aliceDN), s.Changes(aliceDN); b != c.binds || n != c.change {
				t.Errorf("%d binds and %d changes, want %d and %d", b, n, c.binds, c.change)
			}
		})
	}
}

func TestChangeEndsWithItsContext(t *testing.T) {
	s, change := aChange(t, func(c *directory.Config) { c.Timeout = time.Minute })
	s.SetChangeFault("", directorytest.Fault{Silent: true})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	from := time.Now()
	if err := change(ctx); !errors.Is(err, directory.ErrAnswerLost) || !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if d := time.Since(from); d > 5*time.Second {
		t.Errorf("after %s", d)
	}
}

func TestNoChangeInClearText(t *testing.T) {
	s := inProcess(t, person("alice"))
	c := open(t, nil, s.URL(), func(c *directory.Config) { c.AllowClearText = true })
	if err := c.ChangePassword(t.Context(), aliceDN, "password", "fresh"); !errors.Is(err, directory.ErrClearText) {
		t.Error(err)
	}
	if n := s.Binds(aliceDN); n != 0 {
		t.Errorf("%d binds", n)
	}
}

// A connection that a password was changed on is never anybody else's.
func TestChangeLeavesNoConnection(t *testing.T) {
	s, change := aChange(t)
	before := s.Connections()
	if err := change(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the connection is closed", func() bool { return s.Connections() == before })
}

// What directories answer, in their own words.
func TestChangeAnswers(t *testing.T) {
	policy := func(code uint16, error int8) directorytest.Result {
		return directorytest.Result{Code: code, Policy: &error}
	}
	for name, c := range map[string]struct {
		answer directorytest.Result
		reason directory.PasswordReason // 0: kind or is
		kind   directory.AccountKind
		is     error
	}{
		"openldap-short":     {answer: policy(19, 6), reason: directory.TooShort},
		"openldap-quality":   {answer: policy(19, 5), reason: directory.TooSimple},
		"openldap-history":   {answer: policy(19, 8), reason: directory.InHistory},
		"openldap-young":     {answer: policy(19, 7), reason: directory.TooYoung},
		"openldap-may-not":   {answer: policy(50, 3), reason: directory.NotPermitted},
		"openldap-acl":       {answer: directorytest.Result{Code: 53, Text: "unwilling to verify old password"}, reason: directory.NotPermitted},
		"389-failed":         {answer: directorytest.Result{Code: 19, Text: "Failed to update password"}, reason: directory.Unacceptable},
		"389-wrong":          {answer: directorytest.Result{Code: 49, Text: "Invalid oldPasswd value."}, is: directory.ErrInvalidCredentials},
		"ad-rules":           {answer: directorytest.ActiveDirectoryConstraint("0000052D"), reason: directory.SomeRule},
		"ad-rules-lower":     {answer: directorytest.ActiveDirectoryConstraint("0000052d"), reason: directory.SomeRule},
		"ad-wrong":           {answer: directorytest.ActiveDirectoryConstraint("00000056"), is: directory.ErrInvalidCredentials},
		"ad-locked":          {answer: directorytest.ActiveDirectoryConstraint("00000775"), kind: directory.Locked},
		"ad-denied":          {answer: directorytest.Result{Code: 50, Text: "00000005: SecErr: DSID-03152B5B, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0"}, reason: directory.NotPermitted},
		"ad-other":           {answer: directorytest.ActiveDirectoryConstraint("00002081"), reason: directory.Unacceptable},
		"ad-no-code":         {answer: directorytest.Result{Code: 19, Text: "zzzzzzzz: odd"}, reason: directory.Unacceptable},
		"a-short-text":       {answer: directorytest.Result{Code: 19, Text: "52D:"}, reason: directory.Unacceptable},
		"unknown-policy-err": {answer: policy(19, 4), reason: directory.Unacceptable},
	} {
		t.Run(name, func(t *testing.T) {
			s, change := aChange(t)
			s.SetChangeFault(aliceDN, directorytest.Fault{Result: &c.answer})
			err := change(t.Context())
			var refused *directory.PasswordError
			switch {
			case c.is != nil && !errors.Is(err, c.is):
				t.Error(err)
			case c.reason != 0 && (!errors.As(err, &refused) || refused.Reason != c.reason):
				t.Error(err)
			case c.kind != 0:
				wantKind(t, "", err, c.kind)
			}
		})
	}
}

// A server that does not know the operation is told from one that refuses the password.
func TestChangeNeedsTheOperation(t *testing.T) {
	s, change := aChange(t)
	s.SetChangeFault("",
		directorytest.Fault{Result: &directorytest.Result{Code: 2, Text: "unsupported extended operation"}})
	var result *directory.ResultError
	if err := change(t.Context()); !errors.As(err, &result) || result.Op != directory.OpChange || result.Remedy == "" {
		t.Error(err)
	}
}

// With Active Directory the service account makes the change when nobody can bind.
func TestServiceAccountCompletesTheChange(t *testing.T) {
	for name, c := range map[string]struct {
		breaks directorytest.Fault
		want   error
	}{
		"done": {}, "lost": {directorytest.Fault{Close: true}, directory.ErrAnswerLost},
	} {
		t.Run(name, func(t *testing.T) {
			expired := directorytest.ActiveDirectoryRefusal("532")
			s := inProcess(t, person("alice"), func(s *directorytest.Server) { s.RootDSE = directorytest.ActiveDirectory() })
			s.SetBindFault(aliceDN, directorytest.Fault{Result: &expired, OnlyIfRight: true})
			s.SetChangeFault(aliceDN, c.breaks)
			client := open(t, s.CA(), s.TLSURL())
			find(
				t,
				client,
				compile(
					t,
					directory.UserTypeConfig{
						ID:          "1",
						SearchBase:  suffix,
						Filter:      "(uid=${identifier})",
						Correlation: []string{"entryUUID"},
					},
				),
				"alice",
			)
			if err := client.ChangePassword(t.Context(), aliceDN, "password", "fresh"); !errors.Is(err, c.want) {
				t.Error(err)
			}
			if b, n := s.Binds(aliceDN), s.Changes(aliceDN); b != 1 || n != 1 {
				t.Errorf("%d binds and %d changes", b, n)
			}
		})
	}
}

// For whoever may not sign on, the service account changes nothing.
func TestServiceAccountHelpsNobodyIn(t *testing.T) {
	for name, c := range map[string]struct {
		code string
		kind directory.AccountKind // 0: a wrong password
	}{
		"wrong": {"52e", 0}, "hours": {"530", directory.LogonHours}, "disabled": {"533", directory.Disabled},
		"expired-account": {"701", directory.Expired}, "locked": {"775", directory.Locked},
	} {
		t.Run(name, func(t *testing.T) {
			s, change := aChange(t)
			refusal := directorytest.ActiveDirectoryRefusal(c.code)
			s.SetBindFault(aliceDN, directorytest.Fault{Result: &refusal})
			err := change(t.Context())
			if c.kind != 0 {
				wantKind(t, name, err, c.kind)
			} else if !errors.Is(err, directory.ErrInvalidCredentials) {
				t.Error(err)
			}
			if n := s.Changes(aliceDN); n != 0 {
				t.Errorf("%d changes", n)
			}
		})
	}
}
