package kerberos

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/asnAppTag"
	"github.com/jcmturner/gokrb5/v8/iana/chksumtype"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/spnego"
	"github.com/jcmturner/gokrb5/v8/types"
)

const (
	aes256 = etypeID.AES256_CTS_HMAC_SHA1_96
	realm  = "EXAMPLE.TEST"
	spn    = "HTTP/id.example.test"
)

// kdc makes tickets that no real one would make.
type kdc struct {
	service, realm string
	password       string
	etype          int32
	kvno           int
	client         []string
	ticketRealm    string // of the client, in the ticket
	claimedRealm   string // of the client, in the authenticator
	claimed        []string
	from, until    time.Time
	sent           time.Time
	mutual         bool
	invalid        bool
	data           types.AuthorizationData
	mechanisms     []asn1.ObjectIdentifier
}

// honest is a ticket of alice.
func honest(now time.Time) kdc {
	return kdc{
		service:      spn,
		realm:        realm,
		password:     "service",
		etype:        aes256,
		kvno:         3,
		client:       []string{"alice"},
		ticketRealm:  realm,
		claimedRealm: realm,
		claimed:      []string{"alice"},
		from:         now.Add(-time.Minute),
		until:        now.Add(time.Hour),
		sent:         now,
		mechanisms:   []asn1.ObjectIdentifier{gssapi.OIDMSLegacyKRB5.OID(), gssapi.OIDKRB5.OID(), ntlmOID},
	}
}

// must is for what cannot fail in a test that is right.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func name(parts ...string) types.PrincipalName {
	return types.PrincipalName{NameType: nametype.KRB_NT_PRINCIPAL, NameString: parts}
}

// keys returns the service's keytab.
func (k kdc) keys(t testing.TB) *keytab.Keytab {
	t.Helper()
	kt := keytab.New()
	if err := kt.AddEntry(k.service, k.realm, k.password, time.Unix(1, 0), uint8(k.kvno), k.etype); err != nil {
		t.Fatal(err)
	}
	return kt
}

// request returns an AP-REQ with its session key.
func (k kdc) request(t testing.TB) (messages.APReq, types.EncryptionKey) {
	t.Helper()
	session := must(types.GenerateEncryptionKey(must(crypto.GetEtype(k.etype))))
	part := messages.EncTicketPart{
		Flags:             types.NewKrbFlags(),
		Key:               session,
		CRealm:            k.ticketRealm,
		CName:             name(k.client...),
		AuthTime:          k.from.UTC(),
		StartTime:         k.from.UTC(),
		EndTime:           k.until.UTC(),
		RenewTill:         k.until.UTC(),
		AuthorizationData: k.data,
	}
	if k.invalid {
		types.SetFlag(&part.Flags, flags.Invalid)
	}
	b := asn1tools.AddASNAppTag(must(asn1.Marshal(part)), asnAppTag.EncTicketPart)
	service, _ := types.ParseSPNString(k.service)
	key, _, err := k.keys(t).GetEncryptionKey(service, k.realm, k.kvno, k.etype)
	sealed := must(crypto.GetEncryptedData(b, must(key, err), keyusage.KDC_REP_TICKET, k.kvno))
	ticket := messages.Ticket{TktVNO: 5, Realm: k.realm, SName: service, EncPart: sealed}
	auth := must(types.NewAuthenticator(k.claimedRealm, name(k.claimed...)))
	auth.CTime, auth.Cusec = k.sent.UTC().Truncate(time.Second), k.sent.Nanosecond()/1000
	auth.Cksum = types.Checksum{CksumType: chksumtype.GSSAPI, Checksum: append([]byte{16, 0, 0, 0}, make([]byte, 20)...)}
	r := must(messages.NewAPReq(ticket, session, auth))
	if k.mutual {
		types.SetFlag(&r.APOptions, flags.APOptionMutualRequired)
	}
	return r, session
}

// raw returns a Kerberos token of GSS-API.
func raw(t testing.TB, r messages.APReq) []byte {
	t.Helper()
	oid := must(asn1.Marshal(gssapi.OIDKRB5.OID()))
	return asn1tools.AddASNAppTag(append(append(oid, 1, 0), must(r.Marshal())...), 0)
}

// wrap returns a token of SPNEGO.
func wrap(t testing.TB, token []byte, mechanisms []asn1.ObjectIdentifier) []byte {
	t.Helper()
	s := spnego.SPNEGOToken{Init: true, NegTokenInit: spnego.NegTokenInit{MechTypes: mechanisms, MechTokenBytes: token}}
	return must(s.Marshal())
}

func header(token []byte) string { return "Negotiate " + base64.StdEncoding.EncodeToString(token) }

// header returns what a browser sends.
func (k kdc) header(t testing.TB) string {
	t.Helper()
	r, _ := k.request(t)
	return header(wrap(t, raw(t, r), k.mechanisms))
}

// takes is what an honest ticket is taken by.
func takes(t testing.TB, k kdc, now time.Time) Acceptance {
	t.Helper()
	b := must(k.keys(t).Marshal())
	return Acceptance{Keys: must(read(b, false)), Services: []string{spn}, Now: now}
}
