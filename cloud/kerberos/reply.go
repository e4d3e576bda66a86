package kerberos

import (
	"encoding/base64"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana"
	"github.com/jcmturner/gokrb5/v8/iana/asnAppTag"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/msgtype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/spnego"
	"github.com/jcmturner/gokrb5/v8/types"
)

// apRepToken is the token ID of an AP-REP in a GSS-API token (RFC 4121 section 4.1).
const apRepToken = "\x02\x00"

// plainReply is EncAPRepPart (RFC 4120 section 5.5.2) without a key of ours.
type plainReply struct {
	CTime          time.Time `asn1:"generalized,explicit,tag:0"`
	Cusec          int       `asn1:"explicit,tag:1"`
	SequenceNumber int64     `asn1:"optional,explicit,tag:3"`
}

// reply returns what the client is answered: in SPNEGO that the offer is taken,
// with an AP-REP when the client wants us to prove ourselves too.
// A client that asks for no proof of ours gets none, and without SPNEGO there is
// nothing to answer then.
func reply(o offer) ([]byte, error) {
	var proof []byte
	if types.IsFlagSet(&o.request.APOptions, flags.APOptionMutualRequired) {
		b, err := apReply(&o.request)
		if err != nil {
			return nil, refuse(ReasonMalformed, "The session key cannot be used.")
		}
		proof = b
	}
	if o.mechanism == nil {
		return proof, nil
	}
	answer := spnego.NegTokenResp{
		NegState:      asn1.Enumerated(spnego.NegStateAcceptCompleted),
		SupportedMech: o.mechanism,
		ResponseToken: proof,
	}
	return answer.Marshal()
}

// apReply proves that we opened the ticket: its session key encrypts the time
// that the client sent.
// It is the client's protection and not ours.
func apReply(r *messages.APReq) ([]byte, error) {
	plain, err := asn1.Marshal(plainReply{r.Authenticator.CTime, r.Authenticator.Cusec, r.Authenticator.SeqNumber})
	if err != nil {
		return nil, err
	}
	plain = asn1tools.AddASNAppTag(plain, asnAppTag.EncAPRepPart)
	sealed, err := crypto.GetEncryptedData(plain, r.Ticket.DecryptedEncPart.Key, keyusage.AP_REP_ENCPART, 0)
	if err != nil {
		return nil, err
	}
	b, err := asn1.Marshal(messages.APRep{PVNO: iana.PVNO, MsgType: msgtype.KRB_AP_REP, EncPart: sealed})
	if err != nil {
		return nil, err
	}
	oid, err := asn1.Marshal(gssapi.OIDKRB5.OID())
	if err != nil {
		return nil, err
	}
	b = asn1tools.AddASNAppTag(b, asnAppTag.APREP)
	return asn1tools.AddASNAppTag(append(append(oid, apRepToken...), b...), 0), nil
}

// Header returns the WWW-Authenticate header of the answer to a ticket that was
// taken; empty when there is nothing to say.
func (t Ticket) Header() string {
	if len(t.Reply) == 0 {
		return ""
	}
	return "Negotiate " + base64.StdEncoding.EncodeToString(t.Reply)
}
