package kerberos

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/spnego"
)

// maxToken bounds a token in base64: Windows makes none over 48,000 bytes
// (MaxTokenSize).
const maxToken = 64 << 10

// offer is what a client sent.
type offer struct {
	request   messages.APReq
	mechanism asn1.ObjectIdentifier // that SPNEGO answers with; nil: the token was not wrapped in SPNEGO
}

// Negotiates tells whether an Authorization header has a Negotiate token (RFC 4559).
// What comes after the word is not looked at.
func Negotiates(header string) bool {
	scheme, _, found := strings.Cut(header, " ")
	return found && strings.EqualFold(scheme, "Negotiate")
}

// parse reads an Authorization header. Its error is a *Refusal.
// What NTLM begins with is looked for first: browsers fall back to it, and the remedy
// is another.
func parse(header string) (offer, error) {
	_, text, _ := strings.Cut(header, " ")
	if len(text) > maxToken {
		return offer{}, refuse(ReasonTooLarge, "It has %d bytes.", len(text))
	}
	token, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	switch {
	case err != nil:
		return offer{}, refuse(ReasonMalformed, "It is not base64.")
	case len(token) == 0:
		return offer{}, refuse(ReasonMalformed, "It is empty.")
	case bytes.HasPrefix(token, []byte("NTLMSSP\x00")):
		return offer{}, &Refusal{Reason: ReasonNTLM}
	}
	return decode(token)
}

// decode reads a token. The library panics on some that are malformed.
// Kerberos without SPNEGO is taken too: some clients send it bare.
func decode(token []byte) (o offer, err error) {
	defer func() {
		if p := recover(); p != nil {
			o, err = offer{}, refuse(ReasonMalformed, "It cannot be decoded.")
		}
	}()
	var raw spnego.KRB5Token
	if raw.Unmarshal(token) == nil {
		return offerOf(raw, nil)
	}
	var wrapped spnego.SPNEGOToken
	if err := wrapped.Unmarshal(token); err != nil || !wrapped.Init {
		return offer{}, refuse(ReasonMalformed, "It is neither SPNEGO nor Kerberos.")
	}
	mechanism, err := firstMechanism(wrapped.NegTokenInit)
	if err != nil {
		return offer{}, err
	}
	if err := raw.Unmarshal(wrapped.NegTokenInit.MechTokenBytes); err != nil {
		return offer{}, refuse(ReasonMalformed, "What SPNEGO wraps is no Kerberos token.")
	}
	return offerOf(raw, mechanism)
}

// firstMechanism returns the mechanism that the client prefers, of which the
// token is. Another leg would need the state of a connection, which the web has not.
func firstMechanism(n spnego.NegTokenInit) (asn1.ObjectIdentifier, error) {
	if len(n.MechTypes) == 0 {
		return nil, refuse(ReasonMechanism, "The list of mechanisms is empty.")
	}
	first := n.MechTypes[0]
	switch {
	case first.Equal(ntlmOID):
		return nil, &Refusal{Reason: ReasonNTLM}
	case !first.Equal(gssapi.OIDKRB5.OID()) && !first.Equal(gssapi.OIDMSLegacyKRB5.OID()):
		return nil, refuse(ReasonMechanism, "It prefers %s.", first)
	}
	return first, nil
}

// ntlmOID is NTLM's ([MS-NLMP] 1.9).
var ntlmOID = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 2, 10}

// offerOf takes an AP-REQ, and nothing else that such a token may be.
// An answer or an error of Kerberos comes in the same wrapping.
func offerOf(t spnego.KRB5Token, mechanism asn1.ObjectIdentifier) (offer, error) {
	if !t.IsAPReq() {
		return offer{}, refuse(ReasonMalformed, "It is no AP-REQ.")
	}
	r := t.APReq
	if len(r.Ticket.SName.NameString) == 0 {
		return offer{}, refuse(ReasonMalformed, "The ticket names no service.")
	}
	return offer{r, mechanism}, nil
}

// refusalOf returns the *Refusal in err, if it is one.
func refusalOf(err error) (*Refusal, bool) {
	var r *Refusal
	ok := errors.As(err, &r)
	return r, ok
}
