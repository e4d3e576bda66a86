package directory

import (
	"errors"
	"sync"
)

// errStrange: what a server sent is no answer to what it was asked. Nothing of it is
// believed, and the connection is closed.
var errStrange = errors.New("the server sent what is no answer to the request")

// errEndless: an answer has more parts, or is longer, than any that is right.
var errEndless = errors.New("the answer to one request has no end")

// mostOctets bounds the answer to one request but for its last message. It and mostEntries
// are far above the groups that somebody is in.
const mostOctets = 16 << 20

// The tags of protocol operations (RFC 4511, appendix B), as octets.
const (
	opBindRequest      = 0x60
	opBindResponse     = 0x61
	opSearchRequest    = 0x63
	opSearchEntry      = 0x64
	opSearchDone       = 0x65
	opModifyRequest    = 0x66
	opModifyResponse   = 0x67
	opSearchReference  = 0x73
	opExtendedRequest  = 0x77
	opExtendedResponse = 0x78
	opIntermediate     = 0x79
)

// lastAnswers is what ends each kind of request. A kind that is not here has no answer.
var lastAnswers = map[byte]byte{
	opBindRequest:     opBindResponse,
	opSearchRequest:   opSearchDone,
	opModifyRequest:   opModifyResponse,
	opExtendedRequest: opExtendedResponse,
}

// envelopeLength is how much of a message tells ID, operation and result code: three
// tags with lengths of five octets, four octets of ID, one of the code, and some more
// for lengths that are longer than they need be.
const envelopeLength = 32

// exchange knows which requests of a connection wait for an answer. It is safe for
// one reader beside one writer.
type exchange struct {
	mu      sync.Mutex
	waiting map[uint32]*request // by message ID
}

// request waits for its last answer.
type request struct {
	op     byte
	parts  int   // that came before the last
	octets int64 // of these
}

// part counts a message that is not the last.
func (r *request) part(length int64) error {
	if r.parts >= mostEntries || r.octets > mostOctets {
		return errEndless
	}
	r.parts++
	r.octets += length
	return nil
}

// asked notes a request, given as the whole message.
func (e *exchange) asked(message []byte) {
	tag, content, _, ok := element(message)
	if !ok || tag != 0x30 {
		return
	}
	id, op, _, ok := envelope(content)
	if _, answers := lastAnswers[op]; !ok || !answers {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.waiting == nil {
		e.waiting = map[uint32]*request{}
	}
	e.waiting[id] = &request{op: op}
}

// answered looks at the beginning of a message's content. It returns errStrange for
// one that answers nothing that was asked, or not in the way that was asked for, and
// errEndless for one more than can be. length is that of the whole content, in octets.
func (e *exchange) answered(begin []byte, length int64) error {
	id, op, result, ok := envelope(begin)
	switch {
	case !ok:
		return errStrange
	case id == 0 && op == opExtendedResponse:
		return nil // a notice (RFC 4511, 4.4): the connection is about to end
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	asked, waits := e.waiting[id]
	switch {
	case !waits:
		return errStrange
	case op == lastAnswers[asked.op]:
		delete(e.waiting, id)
		return resultCode(result)
	case asked.op == opSearchRequest && (op == opSearchEntry || op == opSearchReference), op == opIntermediate:
		return asked.part(length)
	}
	return errStrange
}

// resultCode wants one octet below 128, as every code of RFC 4511 is: go-ldap would
// make 0, success, of 65536.
func resultCode(result []byte) error {
	tag, code, _, ok := element(result)
	if !ok || tag != 0x0a || len(code) != 1 || code[0] >= 0x80 {
		return errStrange
	}
	return nil
}

// envelope reads a message's ID, its operation and what that begins with; ok is false
// when content is no beginning of a message.
func envelope(content []byte) (id uint32, op byte, begin []byte, ok bool) {
	tag, number, rest, ok := element(content)
	if !ok || tag != 0x02 || len(number) == 0 || len(number) > 4 || number[0] >= 0x80 {
		return 0, 0, nil, false
	}
	for _, b := range number {
		id = id<<8 | uint32(b)
	}
	op, begin, _, ok = element(rest)
	return id, op, begin, ok
}

// element reads a tag, a definite length, as much of the content as is there, and what
// comes after it.
func element(p []byte) (tag byte, content, rest []byte, ok bool) {
	if len(p) < 2 || p[1] == 0x80 || p[1] > 0x84 {
		return 0, nil, nil, false
	}
	tag, length, p := p[0], int(p[1]), p[2:]
	if length > 0x80 {
		octets := length - 0x80
		if len(p) < octets {
			return 0, nil, nil, false
		}
		length = 0
		for _, b := range p[:octets] {
			length = length<<8 | int(b)
		}
		p = p[octets:]
	}
	here := min(length, len(p))
	return tag, p[:here], p[here:], true
}
