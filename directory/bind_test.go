package directory_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
	"ldap-gateway/directory/slapdtest"
)

func TestRightAndWrongPassword(t *testing.T) {
	onBoth(t, slapdtest.Config{LDIF: person("alice")}, func(t *testing.T, b bed) {
		c := open(t, b.ca, b.url)
		for range 3 {
			if err := c.Bind(t.Context(), aliceDN, "password"); err != nil {
				t.Fatal(err)
			}
			if err := c.Bind(t.Context(), aliceDN, "wrong"); !errors.Is(err, directory.ErrInvalidCredentials) {
				t.Fatalf("wrong password: %v", err)
			}
			if err := c.Bind(t.Context(), "uid=nobody,"+people, "wrong"); !errors.Is(err, directory.ErrInvalidCredentials) {
				t.Fatalf("unknown user: %v", err)
			}
		}
	})
}

func TestWrongPasswordIsOneBindWithTwoServers(t *testing.T) {
	onBoth(t, slapdtest.Config{LDIF: person("alice")}, func(t *testing.T, b bed) {
		second := inProcess(t, person("alice"), func(s *directorytest.Server) { s.Certificate = nil })
		second.CA() // never reached, so its certificate does not matter
		c := open(t, b.ca, b.url, func(cfg *directory.Config) { cfg.Servers = append(cfg.Servers, second.TLSURL()) })
		if err := c.Bind(t.Context(), aliceDN, "wrong"); !errors.Is(err, directory.ErrInvalidCredentials) {
			t.Fatal(err)
		}
		if err := c.Bind(t.Context(), aliceDN, "password"); err != nil {
			t.Fatal(err)
		}
		eventually(t, "two binds in the log", func() bool { return b.binds(aliceDN) >= 2 })
		if n := b.binds(aliceDN) + second.Binds(aliceDN); n != 2 {
			t.Errorf("%d binds for one wrong and one right password", n)
		}
	})
}

// twoServers share one certificate, so that a client can fail over.
func twoServers(t *testing.T, ldif string) (first, second *directorytest.Server, both func(*directory.Config)) {
	t.Helper()
	authority, err := directorytest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := authority.Issue([]string{"127.0.0.1"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	use := func(s *directorytest.Server) { s.Certificate = &certificate }
	first, second = inProcess(t, ldif, use), inProcess(t, ldif, use)
	return first, second, func(cfg *directory.Config) {
		cfg.Servers = []string{first.TLSURL(), second.TLSURL()}
		cfg.TLS.RootCAs = authority.Pool
	}
}

func TestLostAnswerIsNeverRepeated(t *testing.T) {
	first, second, both := twoServers(t, person("alice"))
	first.SetBindFault(aliceDN, directorytest.Fault{Close: true})
	c := open(t, nil, "", both)
	err := c.Bind(t.Context(), aliceDN, "password")
	if !errors.Is(err, directory.ErrAnswerLost) || errors.Is(err, directory.ErrUnavailable) {
		t.Fatalf("got %v, want ErrAnswerLost", err)
	}
	if a, b := first.Binds(aliceDN), second.Binds(aliceDN); a != 1 || b != 0 {
		t.Errorf("binds: %d at the first server, %d at the second; want 1 and 0", a, b)
	}
}

func TestSilentBindIsLostWithinTheTimeout(t *testing.T) {
	first, second, both := twoServers(t, person("alice"))
	first.SetBindFault(aliceDN, directorytest.Fault{Silent: true})
	c := open(t, nil, "", both, func(cfg *directory.Config) { cfg.Timeout = 200 * time.Millisecond })
	start := time.Now()
	if err := c.Bind(t.Context(), aliceDN, "password"); !errors.Is(err, directory.ErrAnswerLost) {
		t.Fatalf("got %v, want ErrAnswerLost", err)
	}
	if d := time.Since(start); d > 3*time.Second {
		t.Errorf("took %s", d)
	}
	if n := first.Binds(aliceDN) + second.Binds(aliceDN); n != 1 {
		t.Errorf("%d binds, want 1", n)
	}
}

func TestCancelledBindReturnsAtOnce(t *testing.T) {
	s := inProcess(t, person("alice"))
	s.SetBindFault(aliceDN, directorytest.Fault{Silent: true})
	c := open(t, s.CA(), s.TLSURL())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- c.Bind(ctx, aliceDN, "password") }()
	eventually(t, "the bind arrives", func() bool { return s.Binds(aliceDN) == 1 })
	start := time.Now()
	cancel()
	err := <-done
	if !errors.Is(err, directory.ErrAnswerLost) || !errors.Is(err, context.Canceled) || time.Since(start) > time.Second {
		t.Errorf("got %v after %s", err, time.Since(start))
	}
	if err := c.Bind(ctx, aliceDN, "password"); !errors.Is(err, directory.ErrUnavailable) ||
		!errors.Is(err, context.Canceled) {
		t.Errorf("with a context that is over: %v", err)
	}
	if n := s.Binds(aliceDN); n != 1 {
		t.Errorf("%d binds, want 1", n)
	}
}

func TestEmptyPasswordNeverReachesTheNetwork(t *testing.T) {
	s := inProcess(t, person("alice"))
	c := open(t, s.CA(), s.TLSURL())
	for _, pw := range []directory.Password{"", "\x00", "\x00\x00\x00", "\x00secret"} {
		if err := c.Bind(t.Context(), aliceDN, pw); !errors.Is(err, directory.ErrEmptyPassword) {
			t.Errorf("%d octets: %v", len(pw), err)
		}
	}
	if err := c.Bind(t.Context(), "", "password"); !errors.Is(err, directory.ErrInvalidCredentials) {
		t.Errorf("empty DN: %v", err)
	}
	if n := s.Connections(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

func TestBindsNeverOverlapOnAConnection(t *testing.T) {
	s := inProcess(t, person("alice"))
	s.SetBindFault("", directorytest.Fault{Delay: 5 * time.Millisecond})
	c := open(t, s.CA(), s.TLSURL(), func(cfg *directory.Config) { cfg.BindConns = 4 })
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			if err := c.Bind(t.Context(), aliceDN, "password"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := s.OverlappingBinds(); n != 0 {
		t.Errorf("%d binds overlapped", n)
	}
	conns := map[int]bool{}
	for _, op := range s.Operations() {
		conns[op.Conn] = true
		if !op.Bind {
			t.Errorf("a search on a bind connection: %+v", op)
		}
	}
	if len(conns) > 4 {
		t.Errorf("%d connections for 4 allowed", len(conns))
	}
}

func TestConnectionIsReusedAfterSuccessAndClosedAfterFailure(t *testing.T) {
	s := inProcess(t, person("alice"))
	c := open(t, s.CA(), s.TLSURL())
	for _, pw := range []directory.Password{"password", "password", "wrong", "password"} {
		err := c.Bind(t.Context(), aliceDN, pw)
		if (err == nil) != (pw == "password") {
			t.Fatalf("bind: %v", err)
		}
	}
	var conns []int
	for _, op := range s.Operations() {
		conns = append(conns, op.Conn)
	}
	if len(conns) != 4 || conns[0] != conns[1] || conns[1] != conns[2] || conns[3] == conns[2] {
		t.Errorf("binds went over connections %v, want the first three over one and the last over another", conns)
	}
}

func TestServiceAndUserNeverShareAConnection(t *testing.T) {
	s := inProcess(t, person("alice")+group("g", aliceDN))
	c, ut := open(t, s.CA(), s.TLSURL()), compile(t, persons())
	for range 3 {
		e := find(t, c, ut, "alice")
		if err := c.Bind(t.Context(), e.DN, "password"); err != nil {
			t.Fatal(err)
		}
		wantMembership(t, c.DirectGroups(t.Context(), ut, e), directory.Complete, "g")
	}
	for _, op := range s.Operations() {
		if !op.Bind && op.Identity != slapdtest.ReaderDN {
			t.Errorf("a search as %q: %+v", op.Identity, op)
		}
		if !op.Secure {
			t.Errorf("in clear: %+v", op)
		}
	}
}

// A connection that the server closed meanwhile must cost nothing.
func TestRestartOfTheServerIsSurvived(t *testing.T) {
	onBoth(t, slapdtest.Config{LDIF: person("alice") + group("g", aliceDN)}, func(t *testing.T, b bed) {
		c, ut := open(t, b.ca, b.url), compile(t, persons())
		for range 4 {
			e := find(t, c, ut, "alice")
			if err := c.Bind(t.Context(), e.DN, "password"); err != nil {
				t.Fatal(err)
			}
			wantMembership(t, c.DirectGroups(t.Context(), ut, e), directory.Complete, "g")
			b.restart()
			// The end of a connection takes a moment to cross the loopback.
			eventually(t, "the closed connections are noticed", func() bool { return directory.OpenLinks(c) == 0 })
		}
	})
}

func TestPasswordPolicyOfOpenLDAP(t *testing.T) {
	policy := `dn: cn=strict,` + suffix + `
objectClass: pwdPolicy
objectClass: organizationalRole
cn: strict
pwdAttribute: userPassword
pwdMaxAge: 60
pwdGraceAuthNLimit: 0
pwdLockout: TRUE
pwdMustChange: TRUE

`
	use := "pwdPolicySubentry: cn=strict," + suffix
	ldif := policy + person("alice") + person("expired", use, "pwdChangedTime: 20200101000000Z") +
		person("reset", "pwdPolicySubentry: cn=strict,"+suffix, "pwdReset: TRUE") +
		person("locked", use, "pwdAccountLockedTime: 000001010000Z")
	s := slapdtest.Start(t, slapdtest.Config{LDIF: ldif, PasswordPolicy: true})
	c := open(t, s.CA(), s.TLSURL())
	for uid, kind := range map[string]directory.AccountKind{
		"alice": 0, "expired": directory.PasswordExpired, "reset": directory.PasswordMustChange, "locked": directory.Locked,
	} {
		err := c.Bind(t.Context(), "uid="+uid+","+people, "password")
		wantKind(t, uid, err, kind)
	}
}

func wantKind(t *testing.T, what string, err error, kind directory.AccountKind) {
	t.Helper()
	var account *directory.AccountError
	if errors.As(err, &account); kind == 0 && err != nil || kind != 0 && (account == nil || account.Kind != kind) {
		t.Errorf("%s: got %v, want %v", what, err, kind)
	}
}

func TestAccountStatesFromResults(t *testing.T) {
	ad := func(sub string) directorytest.Result {
		return directorytest.Result{
			Code: 49,
			Text: "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data " + sub + ", v1db1",
		}
	}
	code := func(n int8) *int8 { return &n }
	s := inProcess(t, person("alice"))
	c := open(t, s.CA(), s.TLSURL(), func(cfg *directory.Config) { cfg.Vendor = directory.Vendor389 })
	for name, tc := range map[string]struct {
		result directorytest.Result
		kind   directory.AccountKind // 0: invalid credentials
	}{
		"525": {ad("525"), 0}, "52e": {ad("52e"), 0}, "52E": {ad("52E"), 0}, "568": {ad("568"), 0}, "none": {ad(""), 0},
		"530": {ad("530"), directory.LogonHours}, "531": {ad("531"), directory.LogonWorkstation},
		"532": {ad("532"), directory.PasswordExpired}, "533": {ad("533"), directory.Disabled},
		"701": {ad("701"), directory.Expired}, "773": {ad("773"), directory.PasswordMustChange},
		"775":                       {ad("775"), directory.Locked},
		"no-text":                   {directorytest.Result{Code: 49}, 0},
		"389-locked":                {directorytest.Result{Code: 19, Text: "Exceed password retry limit. Please try later."}, directory.Locked},
		"389-inactive":              {directorytest.Result{Code: 53, Text: "Account inactivated. Contact system administrator."}, directory.Disabled},
		"389-inactive-with-control": {directorytest.Result{Code: 53, Policy: code(1)}, directory.Disabled},
		"policy-expired":            {directorytest.Result{Code: 49, Policy: code(0)}, directory.PasswordExpired},
		"policy-locked":             {directorytest.Result{Code: 49, Policy: code(1)}, directory.Locked},
		"policy-reset":              {directorytest.Result{Policy: code(2)}, directory.PasswordMustChange},
		"vchu-reset":                {directorytest.Result{Control: "2.16.840.1.113730.3.4.4"}, directory.PasswordMustChange},
		"vchu-expired":              {directorytest.Result{Code: 49, Text: "password expired!", Control: "2.16.840.1.113730.3.4.4"}, directory.PasswordExpired},
		"no-such-object":            {directorytest.Result{Code: 32}, 0},
	} {
		s.SetBindFault(aliceDN, directorytest.Fault{Result: &tc.result})
		err := c.Bind(t.Context(), aliceDN, "password")
		if tc.kind == 0 {
			if !errors.Is(err, directory.ErrInvalidCredentials) {
				t.Errorf("%s: %v, want ErrInvalidCredentials", name, err)
			}
			continue
		}
		wantKind(t, name, err, tc.kind)
	}
}

func TestOtherBindResultsSayWhatToDo(t *testing.T) {
	s := inProcess(t, person("alice"))
	c := open(t, s.CA(), s.TLSURL())
	for _, code := range []uint16{8, 13} {
		s.SetBindFault(aliceDN,
			directorytest.Fault{Result: &directorytest.Result{Code: code, Text: "Transport encryption required."}})
		err := c.Bind(t.Context(), aliceDN, "password")
		var result *directory.ResultError
		if !errors.As(err, &result) || result.Code != code || !strings.Contains(result.Remedy, "ldaps://") {
			t.Errorf("code %d: %v", code, err)
		}
	}
}

// TestOnlyOfferedControlsGoWithABind: some servers log a complaint of each other one.
func TestOnlyOfferedControlsGoWithABind(t *testing.T) {
	for offered, want := range map[string]bool{"1.3.6.1.4.1.42.2.27.8.5.1": true, "1.2.3": false, "": true} {
		s := inProcess(t, person("alice"), func(s *directorytest.Server) {
			s.RootDSE = map[string][]string{"supportedControl": strings.Fields(offered)}
		})
		c, ut := open(t, s.CA(), s.TLSURL()), compile(t, persons())
		if err := c.Bind(t.Context(), find(t, c, ut, "alice").DN, "password"); err != nil {
			t.Error(err)
		}
		for _, op := range s.Operations() {
			if op.Bind && op.DN == aliceDN && op.Policy != want {
				t.Errorf("%q is offered, and the policy control came: %v", offered, op.Policy)
			}
		}
	}
}
