package wire

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
)

var update = flag.Bool("update", false, "write the golden files anew")

// samples has one filled body for each kind that has one.
func samples() map[Kind]any {
	return map[Kind]any{
		KindHello: Hello{Versions: []uint16{1}, Software: "1.2.3", Hostname: "dc1", System: "linux/amd64",
			PolicyHash: "ab12", Policy: []string{"users at or below DC=example,DC=com"}},
		KindWelcome: Welcome{Version: 2, Gateway: "HQ", Node: "n1", HeartbeatMillis: 10000, Epoch: 7, At: 1767225600000},
		KindUserTypes: UserTypes{Revision: 3, Types: []UserType{{ID: "t1", Name: "Staff", SearchBase: "DC=example,DC=com",
			Filter: "(uid=${identifier})", Correlation: []string{"entryUUID"}, Attributes: []string{"mail"},
			Groups: &GroupRule{NameAttribute: "cn", Exclude: []string{"*,OU=Old,*"}, WithID: true}, ChangePasswords: true}}},
		KindUserTypesAnswer: UserTypesAnswer{Revision: 3, Refused: []Refused{{ID: "t1", Reasons: []string{"base"}, RetryMillis: 180000}}},
		KindHeartbeat: Heartbeat{BusyPercent: 5, OperationsPerSecond: 1.5, ResponseTimeMillis: 4,
			Servers:  []Server{{URL: "ldaps://dc1", State: "up", Vendor: "OpenLDAP"}},
			Problems: []Problem{{Code: "clock", Text: "off", Remedy: "NTP", Severity: "warning"}}, Epoch: 7, Attributes: []string{"mail"}},
		KindRotate:  Rotate{PublicKey: []byte{1}, SealKey: []byte{2}, Old: []byte{3}, New: []byte{4}},
		KindRotated: Rotated{Fingerprint: "AAAA"},
		KindSignOn: SignOn{ID: "s1", UserType: "t1", Revision: 3, Identifier: "alice", Want: WantRecord,
			Password: Sealed{Key: []byte{1}, Encap: []byte{2}, Nonce: []byte{3}, Ciphertext: []byte{4}, At: 5},
			Known:    []Correlation{{Attribute: "entryUUID", Value: "u1"}}, Browser: BrowserKnown},
		KindSignOnResult: SignOnResult{ID: "s1", Outcome: OutcomeOK, BindSent: true, Server: "ldaps://dc1", Observed: true,
			Entry: &Entry{DN: "uid=alice", Correlation: []Correlation{{"entryUUID", "u1"}}, Attributes: map[string][]string{"mail": {"a@example.com"}}, TooLarge: []string{"jpegPhoto"}},
			Membership: &Membership{Verdict: VerdictPartial, Reason: "size limit", Unconfirmed: true, Whole: true,
				Groups: []Group{{DN: "cn=g", Name: "g", ID: "g1", Stamp: "20260101000000Z"}}}},
		KindLook:      Look{ID: "s1", UserType: "t1", Revision: 3, Groups: []LookGroup{{DN: "cn=g", ID: "g1", Stamp: "20260101000000Z"}}},
		KindLooked:    Looked{ID: "s1", Outcome: OutcomeOK, Groups: []Sight{{Finding: FindingUntellable, Reason: LookBehind, Stamp: "20250101000000Z"}}},
		KindGoingAway: GoingAway{Reason: "stopping"},
		KindChangePassword: ChangePassword{ID: "c1", UserType: "t1", Revision: 3, Identifier: "alice",
			Old: Sealed{Key: []byte{1}, Encap: []byte{2}, Nonce: []byte{3}, Ciphertext: []byte{4}},
			New: Sealed{Key: []byte{1}, Encap: []byte{2}, Nonce: []byte{5}, Ciphertext: []byte{6}}, Known: []Correlation{{Attribute: "entryUUID", Value: "u1"}}, Browser: BrowserStrange},
		KindPasswordChanged: PasswordChanged{ID: "c1", Outcome: OutcomeNewPasswordRefused, BindSent: true, Refusal: RefusalInHistory},
		KindExplain:         Explain{ID: "x1", UserType: "t1", Revision: 3, Identifier: "alice"},
		KindExplained: Explained{ID: "x1", Outcome: OutcomeOK, Server: "ldaps://dc1", Entry: &Entry{DN: "uid=alice", Correlation: []Correlation{{"entryUUID", "u1"}}},
			Account: []AccountFact{{Name: "expiry", State: "fine", Detail: "never"}}, Membership: &Membership{Verdict: VerdictComplete, Groups: []Group{{DN: "cn=g", Name: "g"}}},
			Method: "memberOf: it is proven", Skipped: []Skipped{{DN: "cn=p", Reason: "not direct"}}, Withheld: 2},
	}
}

// TestGolden pins the bytes of each message: a change here is a new version.
func TestGolden(t *testing.T) {
	for kind, body := range samples() {
		t.Run(kind.String(), func(t *testing.T) {
			f, err := NewFrame(kind, 9, 1500*time.Millisecond, body)
			if err != nil {
				t.Fatal(err)
			}
			b, err := f.Encode()
			if err != nil {
				t.Fatal(err)
			}
			diag, err := cbor.Diagnose(b)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, kind.String(), diag+"\n"+hex.EncodeToString(b)+"\n")
			back, err := DecodeFrame(b)
			if err != nil || back.Kind != kind || back.ID != 9 || back.Left() != 1500*time.Millisecond {
				t.Fatalf("%v %+v", err, back)
			}
			got := reflect.New(reflect.TypeOf(body))
			if err := back.Decode(got.Interface()); err != nil || !reflect.DeepEqual(got.Elem().Interface(), body) {
				t.Errorf("%v\n got %+v\nwant %+v", err, got.Elem(), body)
			}
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || got != string(want) {
		t.Errorf("%v\n got %s\nwant %s", err, got, want)
	}
}

// TestVersionBefore has the answer of version 1 be what it was, octet by octet.
func TestVersionBefore(t *testing.T) {
	of := func(body any) string {
		f, err := NewFrame(KindSignOnResult, 9, 1500*time.Millisecond, body)
		if err != nil {
			t.Fatal(err)
		}
		b, err := f.Encode()
		if err != nil {
			t.Fatal(err)
		}
		diag, err := cbor.Diagnose(b)
		if err != nil {
			t.Fatal(err)
		}
		return diag + "\n" + hex.EncodeToString(b) + "\n"
	}
	now := samples()[KindSignOnResult].(SignOnResult)
	golden(t, "signOnResult-1", of(now.For(1)))
	golden(t, "signOnResult", of(now.For(2)))
	if e := (Explained{Membership: now.Membership}).For(1); e.Membership.Unconfirmed || e.Membership.Whole || e.Membership.Groups[0].Stamp != "" || now.Membership.Groups[0].Stamp == "" {
		t.Errorf("%+v %+v", e.Membership, now.Membership)
	}
	types := samples()[KindUserTypesAnswer].(UserTypesAnswer)
	if old := types.For(1); old.Refused[0].RetryMillis != 0 || old.Refused[0].ID != "t1" || types.For(2).Refused[0].RetryMillis == 0 {
		t.Errorf("%+v", old)
	}
	if (Welcome{At: 1}).For(1).At != 0 || (Welcome{At: 1}).For(2).At != 1 {
		t.Error("the time of a welcome")
	}
	if none := (SignOnResult{}).For(1); none.Membership != nil {
		t.Errorf("%+v", none)
	}
}

// TestOnlyWhatWasSeenIsEvidence: an unknown number takes nothing away.
func TestOnlyWhatWasSeenIsEvidence(t *testing.T) {
	evidence := map[Finding]bool{FindingSeen: true, FindingRenamed: true, FindingGone: true, FindingOutside: true}
	for n := range 256 {
		if f := Finding(n); f.Evidence() != evidence[f] {
			t.Errorf("finding %d", n)
		}
	}
	if LookReason(0).Known() || LookReason(99).Known() || LookReason(99).String() != "reason 99" || LookBehind.String() != "behind" {
		t.Error("reasons")
	}
	for r := LookMembersHidden; r.Known(); r++ {
		if LookReasonOf(r.String()) != r || r.Words() == "" || r.Remedy() == "" {
			t.Errorf("%s: %q %q", r, r.Words(), r.Remedy())
		}
	}
	if LookReasonOf("x") != LookNotAsked || LookReason(99).Words() != LookNotAsked.Words() {
		t.Error("an unknown reason")
	}
}

// TestEveryFieldIsInTheGolden fails when a field is added and no sample fills it.
func TestEveryFieldIsInTheGolden(t *testing.T) {
	for kind, body := range samples() {
		v := reflect.ValueOf(body)
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			if v.Field(i).IsZero() && !strings.Contains("Reason KeyUnknown RetryMillis Server", name) {
				t.Errorf("%s: the sample does not fill %s", kind, name)
			}
		}
	}
}

func TestStrictDecoding(t *testing.T) {
	for name, hexed := range map[string]string{
		"empty":           "",
		"trailing":        "a1010100",
		"duplicate-key":   "a201010102",
		"unknown-field":   "a20101182a01",
		"indefinite-map":  "bf0101ff",
		"tag":             "c1a10101",
		"no-kind":         "a10201",
		"kind-too-large":  "a101190100",
		"text-as-kind":    "a1016141",
		"string-for-map":  "6161",
		"body-truncated":  "a2010104a1",
		"nested-too-deep": "a2010104" + strings.Repeat("81", 40) + "00",
	} {
		t.Run(name, func(t *testing.T) {
			b, err := hex.DecodeString(hexed)
			if err != nil {
				t.Fatal(err)
			}
			if f, err := DecodeFrame(b); !errors.Is(err, ErrFrame) {
				t.Errorf("accepted as %+v, %v", f, err)
			}
		})
	}
	if _, err := DecodeFrame(make([]byte, MaxFrame+1)); !errors.Is(err, ErrFrame) {
		t.Error(err)
	}
}

func TestFrameInWords(t *testing.T) {
	f, err := NewFrame(KindSignOn, 9, 0, SignOn{ID: "s1", Identifier: "alice", Password: Sealed{Key: []byte{1}, Nonce: []byte{2}, Ciphertext: []byte("sealed")}})
	if err != nil {
		t.Fatal(err)
	}
	if s := f.String(); !strings.HasPrefix(s, `signOn #9 {1: "s1"`) || !strings.Contains(s, `"alice"`) || strings.Contains(s, hex.EncodeToString([]byte("sealed"))) {
		t.Error(s)
	}
	if s := (Frame{Kind: KindHeartbeat, ID: 3}).String(); s != "heartbeat #3 no body" {
		t.Error(s)
	}
}

func TestCommonVersion(t *testing.T) {
	if v, err := CommonVersion([]uint16{2, 1}, []uint16{3, 2, 1}); v != 2 || err != nil {
		t.Error(v, err)
	}
	if _, err := CommonVersion([]uint16{1}, []uint16{2}); !errors.Is(err, ErrVersion) {
		t.Error(err)
	}
}

func TestOutcomesAreClosed(t *testing.T) {
	seen := map[string]bool{}
	for o := OutcomeOK; o <= OutcomeNewPasswordRefused; o++ {
		if !o.Known() || seen[o.String()] || o.String() == "" {
			t.Errorf("%d %q", o, o)
		}
		seen[o.String()] = true
	}
	if Outcome(0).Known() || Outcome(18).Known() || Outcome(18).String() != "outcome 18" {
		t.Error("the set is not closed")
	}
}

func TestSealing(t *testing.T) {
	private, public, err := NewSealKey()
	if err != nil {
		t.Fatal(err)
	}
	if derived, err := SealPublicKey(private); err != nil || !bytes.Equal(derived, public) {
		t.Fatal("the public half is not derived", err)
	}
	sealer, opener := sealing(t, private, public)
	first := sealer.Seal("s1", []byte("hunter2"))
	if got, err := opener.Open("s1", first); err != nil || string(got) != "hunter2" {
		t.Fatal(got, err)
	}
	sealer.Known(true)
	second := sealer.Seal("s2", []byte("hunter2"))
	if second.Encap != nil || bytes.Equal(first.Nonce, second.Nonce) {
		t.Error("the encapsulation is sent again, or a nonce is")
	}
	if got, err := opener.Open("s2", second); err != nil || string(got) != "hunter2" {
		t.Error(got, err)
	}
	if bytes.Contains(second.Ciphertext, []byte("hunter2")) {
		t.Error("not sealed")
	}
	refuseOpening(t, opener, private, first, second)
}

// TestSealedTime has the time of a sealed password be altered, left out, and made
// a part of the ID.
func TestSealedTime(t *testing.T) {
	private, public, err := NewSealKey()
	if err != nil {
		t.Fatal(err)
	}
	sealer, opener := sealing(t, private, public)
	at := time.UnixMilli(1767225600123)
	sealed := sealer.SealAt("s1", at, []byte("hunter2"))
	if got, err := opener.Open("s1", sealed); err != nil || string(got) != "hunter2" || sealed.At != 1767225600123 {
		t.Fatal(got, err, sealed.At)
	}
	later, without, within := sealed, sealed, sealed
	later.At++
	without.At, within.At = 0, 0
	added := sealer.Seal("s1", []byte("hunter2"))
	added.At = 1767225600123
	for name, c := range map[string]struct {
		id string
		s  Sealed
	}{
		"later": {"s1", later}, "without": {"s1", without}, "added": {"s1", added}, "another": {"s2", sealed},
		"in-the-id": {string(bound("s1", sealed.At)), within},
	} {
		if got, err := opener.Open(c.id, c.s); !errors.Is(err, ErrSealed) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if s := sealer.SealAt("s1", time.Time{}, nil); s.At == 0 {
		t.Error("no time")
	}
}

// sealing returns both ends for the instance i1.
func sealing(t *testing.T, private, public []byte) (*Sealer, *Opener) {
	t.Helper()
	sealer, err := NewSealer("i1", public)
	if err != nil {
		t.Fatal(err)
	}
	opener, err := NewOpener("i1", private)
	if err != nil {
		t.Fatal(err)
	}
	return sealer, opener
}

func refuseOpening(t *testing.T, opener *Opener, private []byte, first, second Sealed) {
	t.Helper()
	if _, err := opener.Open("s3", second); !errors.Is(err, ErrSealed) {
		t.Error("opened for another sign-on", err)
	}
	altered := second
	altered.Ciphertext = append([]byte{second.Ciphertext[0] ^ 1}, second.Ciphertext[1:]...)
	if _, err := opener.Open("s2", altered); !errors.Is(err, ErrSealed) {
		t.Error("opened although altered", err)
	}
	short := second
	short.Nonce = nil
	if _, err := opener.Open("s2", short); !errors.Is(err, ErrSealed) {
		t.Error(err)
	}
	fresh, err := NewOpener("i1", private)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fresh.Open("s2", second); !errors.Is(err, ErrUnknownKey) {
		t.Error("after a restart", err)
	}
	other, err := NewOpener("i2", private)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Open("s1", first); !errors.Is(err, ErrSealed) {
		t.Error("opened by another instance", err)
	}
	lied := first
	lied.Key = []byte("another name")
	if _, err := opener.Open("s1", lied); !errors.Is(err, ErrSealed) {
		t.Error("a key under another name", err)
	}
}

func TestOpenerForgetsTheOldest(t *testing.T) {
	private, public, err := NewSealKey()
	if err != nil {
		t.Fatal(err)
	}
	opener, err := NewOpener("i", private)
	if err != nil {
		t.Fatal(err)
	}
	for range keepKeys + 10 {
		s, err := NewSealer("i", public)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := opener.Open("s", s.Seal("s", []byte("p"))); err != nil {
			t.Fatal(err)
		}
	}
	if len(opener.keys) != keepKeys || len(opener.order) != keepKeys {
		t.Error(len(opener.keys), len(opener.order))
	}
}

func TestAssertion(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_800_000_000, 0)
	header, err := NewAssertion("i1", "https://id.example.com/", 3, now).Sign(private)
	if err != nil {
		t.Fatal(err)
	}
	own := []string{"https://id.example.com"}
	key := func(instance string) (ed25519.PublicKey, error) {
		if instance != "i1" {
			t.Errorf("asked for %q", instance)
		}
		return public, nil
	}
	if a, err := OpenAssertion(header, own, now.Add(90*time.Second), key); err != nil || a.Instance != "i1" || a.Epoch != 3 {
		t.Error(a, err)
	}
	_, stranger, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := NewAssertion("i1", own[0], 3, now).Sign(stranger)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		header    string
		audiences []string
		now       time.Time
		want      error
	}{
		"other-cloud": {header, []string{"https://evil.example.com"}, now, ErrAssertion},
		"old":         {header, own, now.Add(3 * time.Minute), ErrAssertionTime},
		"future":      {header, own, now.Add(-3 * time.Minute), ErrAssertionTime},
		"forged":      {forged, own, now, ErrAssertion},
		"cut":         {header[:len(header)-9], own, now, ErrAssertion},
		"no-scheme":   {strings.TrimPrefix(header, "Instance "), own, now, ErrAssertion},
		"bearer":      {"Bearer abc", own, now, ErrAssertion},
		"empty":       {"", own, now, ErrAssertion},
		"long":        {"Instance " + strings.Repeat("A", 5000), own, now, ErrAssertion},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := OpenAssertion(c.header, c.audiences, c.now, key); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestNonces(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	ours, theirs := NewNonces([]byte("key")), NewNonces([]byte("another"))
	nonce := ours.Give(now)
	if again := NewNonces([]byte("key")).Give(now); bytes.Equal(nonce, again) {
		t.Error("two of a moment are alike")
	}
	if age, known := NewNonces([]byte("key")).Age(nonce, now.Add(time.Minute)); !known || age != time.Minute {
		t.Error("another node does not know it", age, known)
	}
	altered := bytes.Clone(nonce)
	altered[3]++
	later := bytes.Clone(nonce)
	binary.BigEndian.PutUint32(later, uint32(now.Add(time.Hour).Unix()))
	for name, other := range map[string][]byte{
		"theirs": theirs.Give(now), "altered": altered, "later": later, "cut": nonce[:15], "long": append(bytes.Clone(nonce), 0),
		"random": NewAssertion("i1", "x", 0, now).Nonce, "none": nil, "keyless": NewNonces(nil).Give(now),
	} {
		if _, known := ours.Age(other, now); known {
			t.Errorf("%s: taken for one of ours", name)
		}
	}
	if !(Status{Nonce: nonce}).GaveNonce() || (Status{Nonce: nonce[1:]}).GaveNonce() || (Status{}).GaveNonce() {
		t.Error("what a proof can carry is 16 bytes")
	}
}

func TestPairRequest(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, seal, err := NewSealKey()
	if err != nil {
		t.Fatal(err)
	}
	r := PairRequest{Code: "7qxk-2m9d", PublicKey: public, SealKey: seal}
	r.Proof = ed25519.Sign(private, PairProof("7QXK 2M9D", public, seal)) // however it was typed
	if err := r.Check(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*PairRequest){
		"other-code": func(r *PairRequest) { r.Code = "AAAA-AAAA" },
		"other-seal": func(r *PairRequest) { r.SealKey = bytes.Repeat([]byte{1}, len(seal)) },
		"no-key":     func(r *PairRequest) { r.PublicKey = nil },
		"no-proof":   func(r *PairRequest) { r.Proof = nil },
	} {
		t.Run(name, func(t *testing.T) {
			bad := r
			change(&bad)
			if bad.Check() == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestRotate(t *testing.T) {
	have, old, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, seal, err := NewSealKey()
	if err != nil {
		t.Fatal(err)
	}
	proof := RotateProof("i1", public, seal)
	good := Rotate{PublicKey: public, SealKey: seal, Old: ed25519.Sign(old, proof), New: ed25519.Sign(private, proof)}
	if err := good.Check("i1", have); err != nil {
		t.Error(err)
	}
	for name, c := range map[string]struct {
		instance string
		change   func(*Rotate)
	}{
		"other-instance": {"i2", func(*Rotate) {}},
		"not-by-the-old": {"i1", func(r *Rotate) { r.Old = r.New }},
		"not-by-the-new": {"i1", func(r *Rotate) { r.New = r.Old }},
		"no-key":         {"i1", func(r *Rotate) { r.PublicKey = nil }},
		"no-seal-key":    {"i1", func(r *Rotate) { r.SealKey = []byte{1} }},
	} {
		t.Run(name, func(t *testing.T) {
			bad := good
			c.change(&bad)
			if bad.Check(c.instance, have) == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestFingerprintAndCodes(t *testing.T) {
	f := Fingerprint([]byte("a"), []byte("b"))
	if len(f) != 29 || f == Fingerprint([]byte("ab"), nil) || f == Fingerprint([]byte("b"), []byte("a")) {
		t.Error(f)
	}
	if c := NewCode([]byte{1, 2, 3, 4, 5}); len(c) != 9 || NormalCode(" "+strings.ToLower(c)+"\n") != strings.ReplaceAll(c, "-", "") {
		t.Error(c)
	}
	if NormalCode("oil0-1u") != "01101U" {
		t.Error(NormalCode("oil0-1u"))
	}
}

func FuzzDecodeFrame(f *testing.F) {
	for kind, body := range samples() {
		frame, err := NewFrame(kind, 1, 0, body)
		if err != nil {
			f.Fatal(err)
		}
		b, err := frame.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, err := DecodeFrame(b)
		if err != nil {
			return
		}
		for _, body := range samples() {
			_ = frame.Decode(reflect.New(reflect.TypeOf(body)).Interface())
		}
		if again, err := frame.Encode(); err == nil {
			if second, err := DecodeFrame(again); err != nil || second.Kind != frame.Kind || second.ID != frame.ID {
				t.Errorf("does not survive: %v", err)
			}
		}
	})
}

func FuzzOpenAssertion(f *testing.F) {
	f.Add("Instance abc")
	f.Fuzz(func(t *testing.T, header string) {
		_, err := OpenAssertion(header, []string{"https://id.example.com"}, time.Unix(0, 0), func(string) (ed25519.PublicKey, error) {
			return make(ed25519.PublicKey, ed25519.PublicKeySize), nil
		})
		if err == nil {
			t.Error("accepted")
		}
	})
}
