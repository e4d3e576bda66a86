package agent_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/agent/audit"
	"ldap-gateway/cloudlink/wire"
)

// play has the cloud of a fresh agent do one hostile thing. Nothing of it may
// reach the directory, it must be in the audit file, and the agent must go on.
func play(t *testing.T, do func(*hostile), audited func(audit.Record) bool) {
	t.Helper()
	t.Parallel()
	h := newHostile(t, nil)
	h.link()
	asked, written := h.asked(), h.written()
	do(h)
	h.awaitAudit(written, audited)
	if n := h.asked() - asked; n != 0 {
		t.Errorf("%d binds and searches", n)
	}
	h.serves("afterwards")
}

// sealedFor seals the password for an instance, with a key.
func sealedFor(instance string, key func(*hostile) []byte) func(*hostile, *wire.SignOn) {
	return func(h *hostile, m *wire.SignOn) {
		s, err := wire.NewSealer(instance, key(h))
		agenttest.Must(h.t, err)
		m.Password = s.Seal(m.ID, []byte("wonderland"))
	}
}

// TestHostileSignOns has a cloud ask for what it may not.
func TestHostileSignOns(t *testing.T) {
	otherKey := func(*hostile) []byte { _, public, err := wire.NewSealKey(); agenttest.Must(t, err); return public }
	own := func(h *hostile) []byte { return h.seal }
	for name, c := range map[string]struct {
		change func(*hostile, *wire.SignOn)
		want   wire.Outcome
	}{
		"unknown-user-type":       {func(_ *hostile, m *wire.SignOn) { m.UserType = "admins" }, wire.OutcomeNotAllowed},
		"no-user-type":            {func(_ *hostile, m *wire.SignOn) { m.UserType = "" }, wire.OutcomeNotAllowed},
		"user-type-with-a-filter": {func(_ *hostile, m *wire.SignOn) { m.UserType = "staff)(uid=*" }, wire.OutcomeNotAllowed},
		"replayed-id": {func(h *hostile, m *wire.SignOn) {
			m.ID = "sign-on-1"
			m.Password = h.sealer.Seal(m.ID, []byte("guess"))
		}, wire.OutcomeNotAllowed},
		"expired-budget":                {func(_ *hostile, m *wire.SignOn) { m.Revision = 99 }, wire.OutcomeBusy},
		"revision-without-end":          {func(_ *hostile, m *wire.SignOn) { m.Revision = 1<<64 - 1 }, wire.OutcomeBusy},
		"sealed-for-another-sign-on":    {func(h *hostile, m *wire.SignOn) { m.Password = h.sealer.Seal("other", []byte("wonderland")) }, wire.OutcomeNotAllowed},
		"sealed-for-another-instance":   {sealedFor("instance-2", own), wire.OutcomeNotAllowed},
		"sealed-with-another-key":       {sealedFor(agenttest.Instance, otherKey), wire.OutcomeNotAllowed},
		"sealed-with-a-key-not-told":    {func(_ *hostile, m *wire.SignOn) { m.Password.Key, m.Password.Encap = make([]byte, 16), nil }, wire.OutcomeBusy},
		"sealed-with-a-key-of-nonsense": {func(_ *hostile, m *wire.SignOn) { m.Password.Key = make([]byte, 16) }, wire.OutcomeNotAllowed},
		"password-altered":              {func(_ *hostile, m *wire.SignOn) { m.Password.Ciphertext[0] ^= 1 }, wire.OutcomeNotAllowed},
		"password-cut":                  {func(_ *hostile, m *wire.SignOn) { m.Password.Ciphertext = m.Password.Ciphertext[:3] }, wire.OutcomeNotAllowed},
		"password-nonce-cut":            {func(_ *hostile, m *wire.SignOn) { m.Password.Nonce = nil }, wire.OutcomeNotAllowed},
		"password-missing":              {func(_ *hostile, m *wire.SignOn) { m.Password = wire.Sealed{} }, wire.OutcomeBusy},
		"password-empty":                {func(h *hostile, m *wire.SignOn) { m.Password = h.sealer.Seal(m.ID, nil) }, wire.OutcomeInvalidCredentials},
		"identifier-huge":               {func(_ *hostile, m *wire.SignOn) { m.Identifier = strings.Repeat("a", 1<<20) }, wire.OutcomeNoSuchUser},
		"identifier-with-nul":           {func(_ *hostile, m *wire.SignOn) { m.Identifier = "alice\x00" }, wire.OutcomeNoSuchUser},
		"identifier-with-newline":       {func(_ *hostile, m *wire.SignOn) { m.Identifier = "alice\n{}" }, wire.OutcomeNoSuchUser},
		"id-huge":                       {func(_ *hostile, m *wire.SignOn) { m.ID = strings.Repeat("a", 1<<20) }, wire.OutcomeNotAllowed},
		"id-empty":                      {func(_ *hostile, m *wire.SignOn) { m.ID = "" }, wire.OutcomeNotAllowed},
		"known-flood":                   {func(_ *hostile, m *wire.SignOn) { m.Known = make([]wire.Correlation, 10_000) }, wire.OutcomeNotAllowed},
		"known-huge": {func(_ *hostile, m *wire.SignOn) {
			m.Known = []wire.Correlation{{Attribute: "entryUUID", Value: strings.Repeat("1", 1<<20)}}
		}, wire.OutcomeNotAllowed},
		"want-unknown": {func(_ *hostile, m *wire.SignOn) { m.Want = 77 }, wire.OutcomeNotAllowed},
		"want-nothing": {func(_ *hostile, m *wire.SignOn) { m.Want = 0 }, wire.OutcomeNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(h *hostile) {
				budget := 5 * time.Second
				if name == "expired-budget" {
					budget = time.Millisecond
				}
				var r wire.SignOnResult
				agenttest.Must(t, h.ask(wire.KindSignOn, budget, h.message(func(m *wire.SignOn) { c.change(h, m) })).Decode(&r))
				if r.Outcome != c.want || r.BindSent || r.Entry != nil || r.Reason == "" {
					t.Errorf("%+v", r)
				}
			}, func(r audit.Record) bool {
				return r.SignOn != nil && r.SignOn.Outcome == c.want.String() && !r.SignOn.BindSent && r.SignOn.DN == "" &&
					r.SignOn.Reason != ""
			})
		})
	}
}

// TestHostileUserTypes has a cloud deliver a user type that reaches too far, and
// then use it.
func TestHostileUserTypes(t *testing.T) {
	for name, change := range map[string]func(*wire.UserType){
		"whole-directory":          func(u *wire.UserType) { u.SearchBase = "dc=x" },
		"other-base":               func(u *wire.UserType) { u.SearchBase = "ou=admins,dc=x" },
		"base-of-spaces":           func(u *wire.UserType) { u.SearchBase = "  " },
		"base-by-escape":           func(u *wire.UserType) { u.SearchBase = `cn=a\,ou=people,dc=x` },
		"base-with-nul":            func(u *wire.UserType) { u.SearchBase = "ou=people\x00,dc=x" },
		"base-of-two":              func(u *wire.UserType) { u.SearchBase = "ou=people,dc=x;dc=x" },
		"base-as-url":              func(u *wire.UserType) { u.SearchBase = "ldap://evil.test/ou=people,dc=x" },
		"base-huge":                func(u *wire.UserType) { u.SearchBase = strings.Repeat("ou=a,", 200_000) + "ou=people,dc=x" },
		"group-base":               func(u *wire.UserType) { u.Groups.SearchBase = "dc=x" },
		"group-name-is-a-password": func(u *wire.UserType) { u.Groups.NameAttribute = "unicodePwd" },
		"attribute-password":       func(u *wire.UserType) { u.Attributes = []string{"userPassword"} },
		"attribute-with-option":    func(u *wire.UserType) { u.Attributes = []string{"userPassword;binary"} },
		"attribute-by-oid":         func(u *wire.UserType) { u.Attributes = []string{"2.5.4.35"} },
		"attribute-all":            func(u *wire.UserType) { u.Attributes = []string{"*", "+"} },
		"attribute-flood":          func(u *wire.UserType) { u.Attributes = make([]string, 100_000) },
		"correlation-password":     func(u *wire.UserType) { u.Correlation = []string{"userPassword"} },
		"filter-password":          func(u *wire.UserType) { u.Filter = "(&(uid=${identifier})(userPassword=a*))" },
		"filter-password-hidden":   func(u *wire.UserType) { u.Filter = "(|(uid=${identifier})(!(userPassword=a*)))" },
		"filter-password-by-oid":   func(u *wire.UserType) { u.Filter = "(&(uid=${identifier})(2.5.4.35=a*))" },
		"filter-password-matching": func(u *wire.UserType) { u.Filter = "(&(uid=${identifier})(userPassword:2.5.13.18:=a))" },
		"filter-any-attribute":     func(u *wire.UserType) { u.Filter = "(&(uid=${identifier})(:2.5.13.2:=a))" },
		"filter-of-nobody":         func(u *wire.UserType) { u.Filter = "(uid=alice)" },
		"filter-attribute-typed":   func(u *wire.UserType) { u.Filter = "(${identifier}=a)" },
		"filter-two":               func(u *wire.UserType) { u.Filter = "(uid=${identifier})(uid=*)" },
		"filter-nested": func(u *wire.UserType) {
			u.Filter = strings.Repeat("(!", 1<<20) + "(uid=${identifier})" + strings.Repeat(")", 1<<20)
		},
		"filter-no-filter": func(u *wire.UserType) { u.Filter = "\x00" },
		"pattern-flood":    func(u *wire.UserType) { u.Groups.Include = make([]string, 100_000) },
		"name-huge":        func(u *wire.UserType) { u.Name = strings.Repeat("n", 1<<20) },
		"id-huge":          func(u *wire.UserType) { u.ID = strings.Repeat("i", 1<<20) },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(h *hostile) {
				bad := agenttest.Staff()
				bad.ID = "bad"
				change(&bad)
				if a := h.deliver(21, agenttest.Staff(), bad); len(a.Refused) != 1 || a.Refused[0].ID != bad.ID ||
					len(a.Refused[0].Reasons) == 0 {
					t.Errorf("%+v", a)
				}
				if r := h.signOn(func(m *wire.SignOn) { m.UserType = bad.ID }); r.Outcome != wire.OutcomeNotAllowed || r.BindSent {
					t.Errorf("%+v", r)
				}
				h.cutAndLinkAgain() // so that the revision may begin anew
			}, func(r audit.Record) bool {
				u := r.UserTypes
				return u != nil && u.Revision == 21 && u.Accepted == 1 && u.Refused == 1 && len(u.Types[0].Reasons) == 1
			})
		})
	}
}

// cutAndLinkAgain ends the link and waits for the next.
func (h *hostile) cutAndLinkAgain() {
	h.t.Helper()
	h.conn.Cut()
	h.over()
	h.conn = h.cloud.AwaitLink(h.t)
}

func TestHostileDeliveries(t *testing.T) {
	many := make([]wire.UserType, 10_000)
	for i := range many {
		many[i] = agenttest.Staff()
		many[i].ID = strings.Repeat("i", 1+i%100) + string(rune('a'+i/100%26)) + string(rune('0'+i/2600))
	}
	other := agenttest.Staff()
	other.SearchBase = "ou=others,ou=people,dc=x"
	for name, c := range map[string]struct {
		revision uint64
		types    []wire.UserType
		refused  int
	}{
		"two-of-one-id":       {21, []wire.UserType{agenttest.Staff(), other}, 2},
		"ten-thousand":        {21, many, 9000},
		"revision-going-back": {19, []wire.UserType{agenttest.Staff()}, 1},
		"revision-zero":       {0, []wire.UserType{other}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(h *hostile) {
				if a := h.deliver(c.revision, c.types...); len(a.Refused) != c.refused {
					t.Errorf("%d refused at revision %d", len(a.Refused), a.Revision)
				}
				h.cutAndLinkAgain()
			}, func(r audit.Record) bool {
				return r.UserTypes != nil && r.UserTypes.Revision == c.revision && r.UserTypes.Refused == c.refused
			})
		})
	}
}

// TestHostileFrames has a cloud send what is no message, or none of a cloud.
func TestHostileFrames(t *testing.T) {
	frame := func(kind wire.Kind, id uint64, body any) []byte {
		f, err := wire.NewFrame(kind, id, 0, body)
		agenttest.Must(t, err)
		b, err := f.Encode()
		agenttest.Must(t, err)
		return b
	}
	good := frame(wire.KindSignOn, 7, wire.SignOn{ID: "x", UserType: "staff", Identifier: "alice", Want: wire.WantVerify})
	notUTF8 := bytes.Replace(good, []byte("alice"), []byte("al\xff\xfee"), 1)
	for name, c := range map[string]struct {
		send  []byte
		kind  string // of the frame in the audit file
		stays bool   // the link does
	}{
		"empty":                 {nil, "", false},
		"nonsense":              {[]byte("GET / HTTP/1.1\r\n\r\n"), "", false},
		"cut":                   {good[:len(good)/2], "", false},
		"trailing":              {append(bytes.Clone(good), 0), "", false},
		"no-kind":               {[]byte{0xa0}, "", false},
		"unknown-field":         {[]byte{0xa2, 1, 6, 9, 1}, "signOn", false},
		"duplicate-key":         {[]byte{0xa2, 1, 6, 1, 6}, "signOn", false},
		"indefinite":            {[]byte{0xbf, 1, 6, 0xff}, "", false},
		"tag":                   {append([]byte{0xc1}, good...), "", false},
		"nested":                {append([]byte{0xa2, 1, 6, 4}, bytes.Repeat([]byte{0x81}, 1<<20)...), "", false},
		"array-of-a-billion":    {[]byte{0xa2, 1, 3, 4, 0x9a, 0x3b, 0x9a, 0xca, 0}, "", false},
		"identifier-not-utf8":   {notUTF8, "signOn", false},
		"body-of-another-kind":  {frame(wire.KindSignOn, 7, wire.Heartbeat{BusyPercent: 9}), "signOn", false},
		"no-body":               {frame(wire.KindUserTypes, 7, nil), "userTypes", false},
		"unknown-kind":          {frame(200, 7, nil), "kind 200", true},
		"unknown-notice":        {frame(200, 0, nil), "kind 200", true},
		"hello-of-a-cloud":      {frame(wire.KindHello, 7, wire.Hello{}), "hello", true},
		"welcome-again":         {frame(wire.KindWelcome, 7, wire.Welcome{Version: 99}), "welcome", true},
		"answer-to-nothing":     {frame(wire.KindRotated, 999, wire.Rotated{Fingerprint: "x"}), "rotated", true},
		"answer-of-an-agent":    {frame(wire.KindSignOnResult, 999, wire.SignOnResult{ID: "x", Outcome: wire.OutcomeOK}), "signOnResult", true},
		"rotate-asked-by-cloud": {frame(wire.KindRotate, 7, wire.Rotate{}), "rotate", true},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(h *hostile) {
				agenttest.Must(t, h.conn.SendBytes(c.send))
				if !c.stays {
					h.over()
				}
			}, func(r audit.Record) bool {
				return r.Frame != nil && (c.kind == "" || r.Frame.Kind == c.kind) && r.Frame.Why != ""
			})
		})
	}
}
