package directory

import (
	"context"
	"encoding/binary"

	"github.com/go-ldap/ldap/v3"
)

// Requests that a sign-on makes are written here and not by go-ldap, and their answers are
// read here (see read.go): most of what a sign-on took of the processor was to make an
// object of each element, and to hand messages from one goroutine to the next.

// Tags of elements (X.690, section 8; RFC 4511), as octets.
const (
	tagBoolean    = 0x01
	tagInteger    = 0x02
	tagOctets     = 0x04
	tagEnumerated = 0x0a
	tagSequence   = 0x30
	tagSet        = 0x31
	tagControls   = 0xa0 // of a message
	tagSimple     = 0x80 // of a bind request
)

// appendElement appends an element, with its length in as few octets as there may be.
func appendElement[T string | []byte](out []byte, tag byte, content T) []byte {
	n := len(content)
	switch {
	case n < 0x80:
		out = append(out, tag, byte(n))
	case n < 0x100:
		out = append(out, tag, 0x81, byte(n))
	case n < 0x10000:
		out = append(out, tag, 0x82, byte(n>>8), byte(n))
	case n < 0x1000000:
		out = append(out, tag, 0x83, byte(n>>16), byte(n>>8), byte(n))
	default:
		out = binary.BigEndian.AppendUint32(append(out, tag, 0x84), uint32(n))
	}
	return append(out, content...)
}

// appendNumber appends a number that is not negative.
func appendNumber(out []byte, tag byte, n uint32) []byte {
	digits := binary.BigEndian.AppendUint32([]byte{0}, n)
	for len(digits) > 1 && digits[0] == 0 && digits[1] < 0x80 {
		digits = digits[1:]
	}
	return appendElement(out, tag, digits)
}

// bindRequest is a simple bind (RFC 4511, 4.2).
func bindRequest(dn string, pw Password) []byte {
	out := appendNumber(nil, tagInteger, 3)
	out = appendElement(out, tagOctets, dn)
	return appendElement(out, tagSimple, string(pw))
}

// searchRequest is a search (RFC 4511, 4.5.1).
func searchRequest(r *ldap.SearchRequest) ([]byte, error) {
	filter, err := filterOctets(r.Filter)
	if err != nil {
		return nil, err
	}
	out := appendElement(make([]byte, 0, 512), tagOctets, r.BaseDN)
	out = appendNumber(out, tagEnumerated, uint32(r.Scope))
	out = appendNumber(out, tagEnumerated, uint32(r.DerefAliases))
	out = appendNumber(out, tagInteger, uint32(r.SizeLimit))
	out = appendNumber(out, tagInteger, uint32(r.TimeLimit))
	typesOnly := []byte{0}
	if r.TypesOnly {
		typesOnly[0] = 0xff
	}
	out = appendElement(out, tagBoolean, typesOnly)
	out = append(out, filter...)
	var names []byte
	for _, name := range r.Attributes {
		names = appendElement(names, tagOctets, name)
	}
	return appendElement(out, tagSequence, names), nil
}

// message is one request as it is sent.
func message(id uint32, op byte, request []byte, controls []ldap.Control) []byte {
	out := appendNumber(make([]byte, 0, len(request)+64), tagInteger, id)
	out = appendElement(out, op, request)
	if len(controls) > 0 {
		var all []byte
		for _, control := range controls {
			all = append(all, control.Encode().Bytes()...)
		}
		out = appendElement(out, tagControls, all)
	}
	return appendElement(make([]byte, 0, len(out)+8), tagSequence, out)
}

// ask sends a request, and returns where its answer comes. most is how many entries are
// wanted at most; 0: all. A link that takes nothing until
// ctx ends is cut, as it would take nothing of others.
func (l *link) ask(
	ctx context.Context, op byte, request []byte, controls []ldap.Control, most int,
) (*reply, error) {
	r := &reply{over: make(chan struct{}), most: most}
	id, err := l.framed.exchange.ask(op, r)
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, l.cut)()
	if _, err := l.framed.Conn.Write(message(id, op, request, controls)); err != nil {
		l.cut() // whatever would be written after it would not be read as it is meant
		return nil, err
	}
	return r, nil
}
