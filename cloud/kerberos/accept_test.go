package kerberos

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/spnego"
	"github.com/jcmturner/gokrb5/v8/types"
)

// now is when all tickets here are used.
var now = time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)

func TestHonestTickets(t *testing.T) {
	for _, etype := range []int32{
		etypeID.AES128_CTS_HMAC_SHA1_96,
		etypeID.AES256_CTS_HMAC_SHA1_96,
		etypeID.AES128_CTS_HMAC_SHA256_128,
	} {
		k := honest(now)
		k.etype = etype
		got, err := Accept(k.header(t), takes(t, k, now))
		if err != nil || got.Principal != "alice" || got.Realm != realm || got.Service != spn || got.EType != etype ||
			got.KVNO != 3 || len(got.Once) != 32 {
			t.Errorf("%s: %+v %v", ETypeName(etype), got, err)
		}
		r, _ := k.request(t)
		if got, err := Accept(
			"negotiate "+base64.StdEncoding.EncodeToString(raw(t, r)),
			takes(t, k, now),
		); err != nil || got.Header() != "" {
			t.Errorf("raw: %+v %v", got, err)
		}
	}
}

// forgery is a token that is not taken: how it is made, or what it is taken by.
type forgery struct {
	forge  func(k *kdc)
	accept func(a *Acceptance)
	why    Reason
}

// forgeries are all of them, each with the reason. The first is issue 577 of the library.
func forgeries() map[string]forgery {
	return map[string]forgery{
		"realmOfTheAuthenticator": {forge: func(k *kdc) { k.ticketRealm = "TRUSTED.OTHER" }, why: ReasonRealm},
		"realmOfAnotherTrusted": {
			forge:  func(k *kdc) { k.ticketRealm = "TRUSTED.OTHER" },
			accept: func(a *Acceptance) { a.Realms = []string{realm, "TRUSTED.OTHER"} },
			why:    ReasonRealm,
		},
		"realmNotOnTheList": {
			forge: func(k *kdc) { k.ticketRealm, k.claimedRealm = "TRUSTED.OTHER", "TRUSTED.OTHER" },
			why:   ReasonRealm,
		},
		"realmInAnotherCase": {
			forge: func(k *kdc) { k.ticketRealm, k.claimedRealm = "example.test", "example.test" },
			why:   ReasonRealm,
		},
		"listWithoutTheRealm": {accept: func(a *Acceptance) { a.Realms = []string{"OTHER"} }, why: ReasonRealm},
		"issuedElsewhere":     {accept: func(a *Acceptance) { a.Keys[0].Realm = "OTHER" }, why: ReasonRealm},
		"anotherClient":       {forge: func(k *kdc) { k.claimed = []string{"administrator"} }, why: ReasonClient},
		"noClient":            {forge: func(k *kdc) { k.client, k.claimed = nil, nil }, why: ReasonClient},
		"longerClient":        {forge: func(k *kdc) { k.claimed = []string{"alice", "admin"} }, why: ReasonClient},
		"expired":             {forge: func(k *kdc) { k.until = now.Add(-Skew - time.Second) }, why: ReasonExpired},
		"future":              {forge: func(k *kdc) { k.from = now.Add(Skew + time.Minute) }, why: ReasonEarly},
		"invalidFlag":         {forge: func(k *kdc) { k.invalid = true }, why: ReasonEarly},
		"clockBehind":         {forge: func(k *kdc) { k.sent = now.Add(-Skew - time.Second) }, why: ReasonSkew},
		"clockAhead":          {forge: func(k *kdc) { k.sent = now.Add(Skew + time.Second) }, why: ReasonSkew},
		"otherService":        {forge: func(k *kdc) { k.service = "cifs/id.example.test" }, why: ReasonService},
		"otherHost": {
			accept: func(a *Acceptance) { a.Keys[0].Principal, a.Services = "HTTP/other", []string{"HTTP/third"} },
			why:    ReasonService,
		},
		"krbtgt": {forge: func(k *kdc) { k.service = "krbtgt/EXAMPLE.TEST" }, why: ReasonService},
		"rc4":    {forge: func(k *kdc) { k.etype = etypeID.RC4_HMAC }, why: ReasonEType},
		"tripleDES": {
			forge:  func(k *kdc) { k.etype = etypeID.DES3_CBC_SHA1_KD },
			accept: func(a *Acceptance) { a.AllowRC4 = true },
			why:    ReasonEType,
		},
		"kvno": {accept: func(a *Acceptance) { a.Keys[0].KVNO = 4 }, why: ReasonKey},
		"keyOfAnotherType": {
			accept: func(a *Acceptance) { a.Keys[0].EType = etypeID.AES128_CTS_HMAC_SHA1_96 },
			why:    ReasonKey,
		},
		"wrongKey":  {accept: func(a *Acceptance) { a.Keys[0].Value = make([]byte, 32) }, why: ReasonIntegrity},
		"noKeys":    {accept: func(a *Acceptance) { a.Keys = nil }, why: ReasonService},
		"ntlmFirst": {forge: func(k *kdc) { k.mechanisms = []asn1.ObjectIdentifier{ntlmOID} }, why: ReasonNTLM},
		"negoExFirst": {
			forge: func(k *kdc) { k.mechanisms = []asn1.ObjectIdentifier{{1, 3, 6, 1, 4, 1, 311, 2, 2, 30}} },
			why:   ReasonMechanism,
		},
		"emptyMechanisms": {forge: func(k *kdc) { k.mechanisms = []asn1.ObjectIdentifier{} }, why: ReasonMechanism},
	}
}

// TestRefusals goes through what is not taken.
func TestRefusals(t *testing.T) {
	for name, c := range forgeries() {
		k := honest(now)
		if c.forge != nil {
			c.forge(&k)
		}
		a := takes(t, k, now)
		if k.service != spn {
			a.Keys[0].Derived = true // one account, many services
		}
		if c.accept != nil {
			c.accept(&a)
		}
		got, err := Accept(k.header(t), a)
		if r, ok := refusalOf(err); !ok || r.Reason != c.why || got.Principal != "" {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
}

func TestAlmostRefused(t *testing.T) {
	for name, forge := range map[string]func(k *kdc, a *Acceptance){
		"ends within the skew":   func(k *kdc, _ *Acceptance) { k.until = now.Add(-Skew + time.Second) },
		"begins within the skew": func(k *kdc, _ *Acceptance) { k.from = now.Add(Skew - time.Second) },
		"clock within the skew":  func(k *kdc, _ *Acceptance) { k.sent = now.Add(-Skew + time.Second) },
		"realm on the list": func(k *kdc, a *Acceptance) {
			k.ticketRealm, k.claimedRealm = "TRUSTED.OTHER", "TRUSTED.OTHER"
			a.Realms = []string{realm, "TRUSTED.OTHER"}
		},
		"rc4 by the gateway's will": func(k *kdc, a *Acceptance) { k.etype, a.AllowRC4 = etypeID.RC4_HMAC, true },
		"host in capitals":          func(k *kdc, _ *Acceptance) { k.service = "HTTP/ID.EXAMPLE.TEST" },
	} {
		k := honest(now)
		var a Acceptance
		forge(&k, &a)
		b := takes(t, k, now)
		a.Keys, a.Services, a.Now = b.Keys, b.Services, b.Now
		if _, err := Accept(k.header(t), a); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAlteredTickets flips each byte of an honest token: none is taken as
// anybody else, and nothing crashes.
func TestAlteredTickets(t *testing.T) {
	k := honest(now)
	r, _ := k.request(t)
	token := wrap(t, raw(t, r), k.mechanisms)
	a := takes(t, k, now)
	refusals := 0
	for i := range token {
		altered := bytes.Clone(token)
		altered[i] ^= 0x41
		got, err := Accept(header(altered), a)
		switch {
		case err == nil && (got.Principal != "alice" || got.Realm != realm):
			t.Errorf("byte %d makes %s@%s of it", i, got.Principal, got.Realm)
		case err != nil:
			refusals++
			if _, ok := refusalOf(err); !ok {
				t.Errorf("byte %d: %v", i, err)
			}
		}
	}
	if refusals < len(token)*8/10 {
		t.Errorf("only %d of %d alterations were noticed", refusals, len(token))
	}
}

func TestMutualAuthentication(t *testing.T) {
	k := honest(now)
	k.mutual = true
	r, session := k.request(t)
	for name, token := range map[string][]byte{"spnego": wrap(t, raw(t, r), k.mechanisms), "raw": raw(t, r)} {
		got, err := Accept(header(token), takes(t, k, now))
		if err != nil {
			t.Fatal(err)
		}
		answer := got.Reply
		if name == "spnego" {
			var n spnego.NegTokenResp
			if err := n.Unmarshal(answer); err != nil || n.State() != spnego.NegStateAcceptCompleted ||
				!n.SupportedMech.Equal(k.mechanisms[0]) {
				t.Fatalf("%+v %v", n, err)
			}
			answer = n.ResponseToken
		}
		var proof spnego.KRB5Token
		if err := proof.Unmarshal(answer); err != nil || !proof.IsAPRep() {
			t.Fatalf("%s: %v", name, err)
		}
		plain, err := crypto.DecryptEncPart(proof.APRep.EncPart, session, keyusage.AP_REP_ENCPART)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(plain, []byte(k.sent.UTC().Format("20060102150405Z"))) {
			t.Errorf("%s: the client's time is not in %x", name, plain)
		}
	}
}

func TestWhatIsNoToken(t *testing.T) {
	a := takes(t, honest(now), now)
	for text, why := range map[string]Reason{
		"":     ReasonMalformed,
		"!!!":  ReasonMalformed,
		"AAAA": ReasonMalformed,
		"YIIB": ReasonMalformed,
		base64.StdEncoding.EncodeToString([]byte("NTLMSSP\x00\x01\x00\x00\x00")): ReasonNTLM,
		strings.Repeat("A", 1<<20): ReasonTooLarge,
	} {
		_, err := Accept("Negotiate "+text, a)
		if r, ok := refusalOf(err); !ok || r.Reason != why {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	for header, is := range map[string]bool{
		"Negotiate x": true,
		"NEGOTIATE x": true,
		"Negotiate":   false,
		"Basic x":     false,
		"":            false,
	} {
		if Negotiates(header) != is {
			t.Errorf("%q", header)
		}
	}
}

func TestKeytabs(t *testing.T) {
	k := honest(now)
	entries, err := FromKeytab(must(k.keys(t).Marshal()))
	if err != nil || len(entries) != 1 || entries[0].Principal != spn || entries[0].Realm != realm ||
		entries[0].KVNO != 3 || entries[0].EType != aes256 {
		t.Errorf("%+v %v", entries, err)
	}
	k.service = "host/server"
	for name, b := range map[string][]byte{
		"empty":        nil,
		"text":         []byte("not a keytab"),
		"otherService": must(k.keys(t).Marshal()),
		"large":        make([]byte, maxKeytab+1),
	} {
		if _, err := FromKeytab(b); !errors.Is(err, ErrKeys) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, account := range []string{"", "svc", "@x", "svc@"} {
		if _, _, err := FromPassword(account, "x", false, now); !errors.Is(err, ErrKeys) {
			t.Errorf("%q: %v", account, err)
		}
	}
	if _, _, err := FromPassword("svc@example.test", "", false, now); !errors.Is(err, ErrKeys) {
		t.Error(err)
	}
	_, entries, err = FromPassword("svc@example.test", "x", true, now)
	if err != nil || len(entries) != 3 || entries[0].Realm != realm || entries[0].KVNO != 0 ||
		entries[2].EType != etypeID.RC4_HMAC {
		t.Errorf("%+v %v", entries, err)
	}
}

// TestSIDs reads PACs: a Microsoft domain controller's, MIT's minimal one, and broken ones.
func TestSIDs(t *testing.T) {
	whole, err := os.ReadFile(filepath.Join("testdata", "samba.pac"))
	if err != nil {
		t.Fatal(err)
	}
	wrapped := func(b []byte) types.AuthorizationData {
		inner := must(asn1.Marshal(types.AuthorizationData{{ADType: 128, ADData: b}}))
		return types.AuthorizationData{{ADType: 1, ADData: inner}}
	}
	if sid := personSID(wrapped(whole)); !strings.HasPrefix(sid, "S-1-5-21-") || strings.Count(sid, "-") != 7 {
		t.Errorf("%q", sid)
	}
	without := bytes.Clone(whole)
	for at := 8; at < 8+16*int(whole[0]); at += 16 {
		if without[at] == validationInfo {
			without[at] = 99
		}
	}
	for name, b := range map[string][]byte{
		"none":    nil,
		"minimal": without,
		"cut":     whole[:40],
		"header":  whole[:8],
		"endless": append([]byte{255, 255, 255, 255}, whole[4:200]...),
	} {
		if sid := personSID(wrapped(b)); sid != "" {
			t.Errorf("%s: %q", name, sid)
		}
	}
	for i := range whole[:min(len(whole), 700)] {
		altered := bytes.Clone(whole)
		altered[i] ^= 0xff
		personSID(wrapped(altered)) // does not panic, and does not fill the memory
	}
}

func FuzzAccept(f *testing.F) {
	k := honest(now)
	r, _ := k.request(f)
	f.Add(wrap(f, raw(f, r), k.mechanisms))
	f.Add(raw(f, r))
	f.Add([]byte("NTLMSSP\x00"))
	a := takes(f, k, now)
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Accept(header(b), a)
		if _, refused := refusalOf(err); !refused && (err != nil || got.Principal != "alice" || got.Realm != realm) {
			t.Errorf("%+v %v", got, err)
		}
	})
}

// BenchmarkAccept is what a ticket costs, without the store.
func BenchmarkAccept(b *testing.B) {
	k := honest(now)
	header, a := k.header(b), takes(b, k, now)
	for b.Loop() {
		if _, err := Accept(header, a); err != nil {
			b.Fatal(err)
		}
	}
}
