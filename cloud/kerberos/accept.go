package kerberos

import (
	"crypto/sha256"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// Skew is by how much clocks may differ (RFC 4120 section 10).
const Skew = 5 * time.Minute

// Acceptance is what tickets are taken by.
type Acceptance struct {
	Keys     []Key
	Services []string // names of services that any key may be for, as in "HTTP/id.example.com"
	Realms   []string // of people; none: the realms of the keys
	AllowRC4 bool
	Now      time.Time
}

// Ticket is a proven one.
type Ticket struct {
	Principal string // as in "alice", or "host/name"
	Realm     string
	Service   string // as in "HTTP/id.example.com"
	EType     int32
	KVNO      int    // of the ticket; 0 when it says none
	SID       string // of the person, from the PAC; empty when there is none
	Once      []byte // hash of the authenticator: a second one of it is a replay
	Until     time.Time
	Reply     []byte // for the client; empty: it asks for none
}

// whose says whose a ticket is. Of a realm without SIDs, as MIT's, none is told.
func (t Ticket) whose() string {
	text := t.Principal + "@" + t.Realm
	if t.SID != "" {
		text += ", SID " + strconv.Quote(t.SID)
	}
	return text
}

// Accept takes the Authorization header of a request. Its error is a *Refusal.
// It knows nothing of what came before: whoever calls it keeps Once from coming twice.
// Of the checks the cheap and public ones come first, so that the reason is the nearest
// to what is to be mended; nothing is believed before a key has opened the ticket.
func Accept(header string, a Acceptance) (Ticket, error) {
	o, err := parse(header)
	if err != nil {
		return Ticket{}, err
	}
	return a.accept(o)
}

// accept proves an offer. What is in a ticket that a key opens is still not
// beyond doubt, so panics of the library are refusals here too.
func (a Acceptance) accept(o offer) (t Ticket, err error) {
	defer func() {
		if p := recover(); p != nil {
			t, err = Ticket{}, refuse(ReasonMalformed, "What is in the ticket cannot be decoded.")
		}
	}()
	r := &o.request
	if err := a.open(&r.Ticket); err != nil {
		return Ticket{}, err
	}
	if err := r.DecryptAuthenticator(r.Ticket.DecryptedEncPart.Key); err != nil {
		return Ticket{}, refuse(ReasonIntegrity, "The authenticator was altered, or is of another ticket.")
	}
	if err := a.agree(r); err != nil {
		return Ticket{}, err
	}
	enc := r.Ticket.DecryptedEncPart
	once := sha256.Sum256(r.EncryptedAuthenticator.Cipher)
	t = Ticket{
		Principal: enc.CName.PrincipalNameString(),
		Realm:     enc.CRealm,
		Service:   r.Ticket.SName.PrincipalNameString(),
		EType:     r.Ticket.EncPart.EType,
		KVNO:      r.Ticket.EncPart.KVNO,
		SID:       personSID(enc.AuthorizationData),
		Once:      once[:],
		Until:     a.Now.Add(2*Skew + time.Minute),
	}
	t.Reply, err = reply(o)
	return t, err
}

// open decrypts the ticket with the first key that can.
// Every key that fits is tried, those that were replaced too: a ticket is good for
// hours after its key was changed.
// The ticket itself then says who it is of.
func (a Acceptance) open(t *messages.Ticket) error {
	if !a.takes(t.EncPart.EType) {
		return refuse(ReasonEType, "It is %s.", ETypeName(t.EncPart.EType))
	}
	keys, err := a.candidates(t)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if t.Decrypt(types.EncryptionKey{KeyType: k.EType, KeyValue: k.Value}) == nil {
			return nil
		}
	}
	return refuse(ReasonIntegrity, "%d keys were tried.", len(keys))
}

// takes tells whether an encryption type is taken. The library's session keys
// for aes256-sha384 have the wrong length, which hurts clients and not us.
// RC4 needs the gateway's word for it, and DES nobody's word brings back.
func (a Acceptance) takes(etype int32) bool {
	switch etype {
	case etypeID.AES128_CTS_HMAC_SHA1_96,
		etypeID.AES256_CTS_HMAC_SHA1_96,
		etypeID.AES128_CTS_HMAC_SHA256_128,
		etypeID.AES256_CTS_HMAC_SHA384_192:
		return true
	}
	return a.AllowRC4 && etype == etypeID.RC4_HMAC
}

// candidates returns the keys that may open a ticket.
// The three refusals tell three mistakes apart: the service name, the realm, the
// version of the key.
func (a Acceptance) candidates(t *messages.Ticket) (fit []Key, err error) {
	service := t.SName.PrincipalNameString()
	forService := slices.DeleteFunc(slices.Clone(a.Keys), func(k Key) bool { return !k.serves(service, a.Services) })
	if len(forService) == 0 {
		return nil, refuse(ReasonService, "It is for %s.", service)
	}
	inRealm := slices.DeleteFunc(forService, func(k Key) bool { return !strings.EqualFold(k.Realm, t.Realm) })
	if len(inRealm) == 0 {
		return nil, refuse(ReasonRealm, "The ticket was issued in %s.", t.Realm)
	}
	// A key without a version, as one of a password, fits every ticket of its type.
	fit = slices.DeleteFunc(slices.Clone(inRealm), func(k Key) bool {
		return k.EType != t.EncPart.EType || k.KVNO != 0 && t.EncPart.KVNO != 0 && int(k.KVNO) != t.EncPart.KVNO
	})
	if len(fit) == 0 {
		return nil, refuse(
			ReasonKey,
			"The ticket has version %d, %s; there is %s.",
			t.EncPart.KVNO,
			ETypeName(t.EncPart.EType),
			list(inRealm),
		)
	}
	return fit, nil
}

// agree holds ticket and authenticator against each other, the list of realms and the clock.
// The client's realm is compared as well as the name: the library believes the
// authenticator's (its issue 577).
func (a Acceptance) agree(r *messages.APReq) error {
	enc, auth := r.Ticket.DecryptedEncPart, r.Authenticator
	sent := auth.CTime.Add(time.Duration(auth.Cusec) * time.Microsecond)
	switch {
	case auth.CRealm != enc.CRealm:
		return refuse(ReasonRealm, "The ticket is of %q, and the authenticator says %q.", enc.CRealm, auth.CRealm)
	case len(enc.CName.NameString) == 0, !slices.Equal(auth.CName.NameString, enc.CName.NameString):
		return &Refusal{Reason: ReasonClient}
	case !a.trusts(enc.CRealm):
		return refuse(ReasonRealm, "It is %q.", enc.CRealm)
	case types.IsFlagSet(&enc.Flags, flags.Invalid), startOf(enc).Sub(a.Now) > Skew:
		return refuse(ReasonEarly, "It begins at %s.", startOf(enc).UTC().Format(time.RFC3339))
	case a.Now.Sub(enc.EndTime) > Skew:
		return refuse(ReasonExpired, "It ended at %s.", enc.EndTime.UTC().Format(time.RFC3339))
	case a.Now.Sub(sent).Abs() > Skew:
		return refuse(ReasonSkew, "The other clock is at %s.", sent.UTC().Format(time.RFC3339))
	}
	return nil
}

// startOf is when a ticket begins: its start, or else when the person signed on (RFC 4120 section 5.3).
// A ticket need not say it.
func startOf(enc messages.EncTicketPart) time.Time {
	if enc.StartTime.IsZero() {
		return enc.AuthTime
	}
	return enc.StartTime
}

// trusts tells whether people of a realm are let in.
// Realms are compared as they are written (RFC 4120 section 6.1).
func (a Acceptance) trusts(realm string) bool {
	if len(a.Realms) > 0 {
		return slices.Contains(a.Realms, realm)
	}
	return slices.ContainsFunc(a.Keys, func(k Key) bool { return k.Realm == realm })
}

// ETypeName returns an encryption type's name in the IANA registry.
func ETypeName(id int32) string {
	switch id {
	case etypeID.AES128_CTS_HMAC_SHA1_96:
		return "aes128-cts-hmac-sha1-96"
	case etypeID.AES256_CTS_HMAC_SHA1_96:
		return "aes256-cts-hmac-sha1-96"
	case etypeID.AES128_CTS_HMAC_SHA256_128:
		return "aes128-cts-hmac-sha256-128"
	case etypeID.AES256_CTS_HMAC_SHA384_192:
		return "aes256-cts-hmac-sha384-192"
	case etypeID.RC4_HMAC:
		return "rc4-hmac"
	}
	return "encryption type " + itoa(id)
}

// supported tells whether the library can decrypt an encryption type.
// Keys of another type in a keytab are passed over.
func supported(id int32) bool {
	_, err := crypto.GetEtype(id)
	return err == nil
}
