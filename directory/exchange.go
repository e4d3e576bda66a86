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

// mostNotices bounds how many messages of a connection answer nothing that was asked.
const mostNotices = 8

// mostResult bounds the octets of what is no entry: a code, a text and controls, which go-ldap decodes once more.
const mostResult = 64 << 10

// exchange knows which requests of a connection wait for an answer: those of go-ldap, and
// those of ours (see ask). It is safe for one reader beside many writers.
type exchange struct {
	mu      sync.Mutex
	waiting map[uint32]*request // by message ID
	last    uint32              // message ID of ours; 0: none
	notices int                 // that came without a request
	over    error               // why nothing is read any more; nil: it is
}

// request waits for its last answer.
type request struct {
	op     byte
	parts  int    // that came before the last
	octets int64  // of these
	ours   *reply // nil: go-ldap's
}

// reply is the answer to a request of ours. What it has is to be looked at once over is closed.
type reply struct {
	over     chan struct{}
	messages []byte // whole ones, in their order
	err      error  // why there are not all; nil: there are

	id      uint32
	most    int  // entries that are wanted: with another it is over; 0: all
	entries int  // that have begun
	last    bool // the last message has begun
	whole   int  // octets of messages that are whole
	ended   bool // over is closed; what comes then is passed over
}

// firstOurs and lastOurs bound the message IDs of requests of ours (RFC 4511, 4.1.1.1).
// go-ldap counts from 1 on, and makes a handful of requests on a connection.
const firstOurs, lastOurs = 1 << 14, 1<<31 - 1

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
// ours is where the message belongs when it answers a request of ours.
func (e *exchange) answered(begin []byte, length int64) (ours *reply, err error) {
	id, op, result, ok := envelope(begin)
	switch {
	case !ok:
		return nil, errStrange
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if id == 0 && op == opExtendedResponse { // a notice (RFC 4511, 4.4): the connection is about to end
		if e.notices++; e.notices > mostNotices {
			return nil, errEndless
		}
		if length > mostResult {
			return nil, errResultTooLong
		}
		return nil, nil
	}
	asked, waits := e.waiting[id]
	switch {
	case !waits:
		return nil, errStrange
	case op != opSearchEntry && op != opSearchReference && length > mostResult:
		return nil, errResultTooLong
	case op == lastAnswers[asked.op]:
		if asked.ours == nil {
			delete(e.waiting, id)
		}
		return asked.ours.begun(op), resultCode(result)
	case asked.op == opSearchRequest && (op == opSearchEntry || op == opSearchReference), op == opIntermediate:
		return asked.ours.begun(op), asked.part(length)
	}
	return nil, errStrange
}

// begun notes which kind of message has begun, and returns the reply.
func (r *reply) begun(op byte) *reply {
	switch {
	case r == nil:
	case op == opSearchEntry:
		r.entries++
	case op != opSearchReference && op != opIntermediate:
		r.last = true
	}
	return r
}

// ask notes a request of ours, and returns the message ID that it is to be sent with.
func (e *exchange) ask(op byte, r *reply) (id uint32, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over != nil {
		return 0, e.over
	}
	if e.waiting == nil {
		e.waiting = map[uint32]*request{}
	}
	if e.last++; e.last < firstOurs || e.last > lastOurs {
		e.last = firstOurs
	}
	e.waiting[e.last], r.id = &request{op: op, ours: r}, e.last
	return r.id, nil
}

// add adds what was read of a message to a reply.
func (e *exchange) add(r *reply, p []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !r.ended {
		r.messages = append(r.messages, p...)
	}
}

// came says that the message is whole that was added last.
func (e *exchange) came(r *reply) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r.whole = len(r.messages)
	if r.last { // not before: until then the connection may end
		delete(e.waiting, r.id)
	}
	if r.last || r.most > 0 && r.entries > r.most {
		r.end(nil)
	}
}

// end says that nothing will be read any more. Nobody waits for an answer after it.
func (e *exchange) end(why error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over == nil {
		e.over = why
	}
	for _, asked := range e.waiting {
		if asked.ours != nil {
			asked.ours.end(why)
		}
	}
}

// end is for those who hold the exchange's lock.
func (r *reply) end(why error) {
	if r.ended {
		return
	}
	r.ended, r.err, r.messages = true, why, r.messages[:r.whole]
	close(r.over)
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
