package directory

import (
	"bufio"
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// socket is the connection below TLS. It counts the octets that really left, which
// is how a bind knows whether it may be repeated, and it gives every write a deadline,
// because go-ldap has none and would stop with a full window.
type socket struct {
	net.Conn
	timeout time.Duration
	written atomic.Int64
}

func (s *socket) Write(p []byte) (int, error) {
	if err := s.SetWriteDeadline(time.Now().Add(s.timeout)); err != nil {
		return 0, err
	}
	n, err := s.Conn.Write(p)
	s.written.Add(int64(n))
	return n, err
}

// maxMessage bounds one LDAP message, so that a server cannot fill the memory.
const maxMessage = 32 << 20

var (
	errMessageTooLong = errors.New("LDAP message is longer than 32 MiB")
	errResultTooLong  = errors.New("LDAP result is longer than 64 KiB")
	errTooMuch        = errors.New("LDAP message of more than 50,000 elements")
	errNotLDAP        = errors.New("not an LDAP message; is this an LDAP server?")
)

// framed is the connection above TLS. It follows the lengths of the messages that
// pass and refuses a message that is too long before any of it is stored. It does so
// here because the limit in asn1-ber is a variable of the whole process. And it refuses
// an answer that is not what it claims to be (see exchange), which go-ldap does not look
// at: there a search's result 0 would do for a bind.
//
// It is read by go-ldap, which gets what answers its own requests. What answers a request
// of ours goes to that: see exchange.ask.
type framed struct {
	net.Conn
	in       *bufio.Reader
	left     int64    // octets of a message that are still to be read by go-ldap
	parts    elements // of that message
	exchange exchange
	heard    atomic.Int64 // when something came, in nanoseconds since 1970; 0: nothing did
}

func newFramed(conn net.Conn) *framed {
	f := &framed{Conn: conn}
	f.in = bufio.NewReader(hearing{f})
	return f
}

// octetwise reads no octet before it is needed.
type octetwise struct{ net.Conn }

func (o octetwise) Read(p []byte) (int, error) { return o.Conn.Read(p[:min(1, len(p))]) }

// hearing reads from below, and notes when.
type hearing struct{ f *framed }

func (h hearing) Read(p []byte) (int, error) {
	n, err := h.f.Conn.Read(p)
	if n > 0 {
		h.f.heard.Store(time.Now().UnixNano())
	}
	return n, err
}

// Read reads what is go-ldap's.
func (f *framed) Read(p []byte) (int, error) {
	for f.left == 0 {
		if err := f.next(); err != nil {
			f.exchange.end(err)
			return 0, err
		}
	}
	n, err := f.in.Read(p[:min(int64(len(p)), f.left)])
	f.left -= int64(n)
	if bad := f.parts.feed(p[:n]); bad != nil {
		n, err = 0, bad
	}
	if err != nil {
		f.exchange.end(err)
	}
	return n, err
}

// next looks at the beginning of the next message, and takes in one that is ours.
func (f *framed) next() error {
	head, length, err := f.header()
	if err != nil {
		return err
	}
	begin, err := f.in.Peek(head + int(min(length, envelopeLength)))
	if err != nil {
		return err
	}
	ours, err := f.exchange.answered(begin[head:], length)
	if err != nil {
		return err
	}
	f.parts = elements{head: f.parts.head[:0], open: f.parts.open[:0]}
	if ours == nil {
		f.left = int64(head) + length
		return nil
	}
	return f.take(ours, int64(head)+length)
}

// header looks at a tag and a length (RFC 4511, 5.1: definite form only), which head
// octets are. A message without anything in it is none.
func (f *framed) header() (head int, length int64, err error) {
	for head = 1; ; head++ {
		begin, err := f.in.Peek(head)
		if err != nil {
			return 0, 0, err
		}
		if begin[0] != 0x30 {
			return 0, 0, errNotLDAP
		}
		length, whole, err := berLength(begin)
		switch {
		case err != nil, length > maxMessage:
			return 0, 0, errMessageTooLong
		case whole && length == 0:
			return 0, 0, errNotLDAP
		case whole:
			return head, length, nil
		}
	}
}

// take gives a request of ours a message of so many octets. No more memory is taken for it
// than of it has come.
func (f *framed) take(ours *reply, octets int64) error {
	for octets > 0 {
		here, err := f.in.Peek(int(min(octets, int64(max(1, f.in.Buffered())))))
		if err == nil {
			err = f.parts.feed(here)
		}
		if err != nil {
			return err
		}
		f.exchange.add(ours, here)
		octets -= int64(len(here))
		_, _ = f.in.Discard(len(here)) // which are there
	}
	f.exchange.came(ours)
	return nil
}

// Write takes one whole request, as go-ldap writes them.
func (f *framed) Write(p []byte) (int, error) {
	f.exchange.asked(p)
	return f.Conn.Write(p)
}

// Close also ends the requests of ours that wait: go-ldap may read no more.
func (f *framed) Close() error {
	f.exchange.end(net.ErrClosed)
	return f.Conn.Close()
}

// mostElements bounds what one message is made of. Each takes hundreds of octets in memory,
// and two on the wire when there is nothing in it.
const mostElements = 50_000

// mostWithin bounds how deep elements of a message stand in each other: go-ldap copies what is in
// one for each that it is in. Those of RFC 4511 stand in five others at most.
const mostWithin = 16

// elements counts the elements of one message, those within others too.
type elements struct {
	count int
	head  []byte  // tag and length, as far as they are here
	skip  int64   // octets of a primitive element that are still to come
	at    int64   // octets of the message that were looked at, those to skip too
	open  []int64 // where the elements end that the next one is in
}

// feed takes the next octets of the message.
func (e *elements) feed(p []byte) error {
	for len(p) > 0 {
		if e.skip > 0 {
			n := min(e.skip, int64(len(p)))
			e.skip, p = e.skip-n, p[n:]
			continue
		}
		e.head, p = append(e.head, p[0]), p[1:]
		length, whole, err := berLength(e.head)
		if err != nil {
			return err
		}
		if !whole {
			continue
		}
		if e.count++; e.count > mostElements {
			return errTooMuch
		}
		if err := e.enter(length); err != nil {
			return err
		}
		e.head = e.head[:0]
	}
	return nil
}

// enter takes an element whose head is here.
func (e *elements) enter(length int64) error {
	e.at += int64(len(e.head))
	for n := len(e.open); n > 0 && e.at > e.open[n-1]; n-- {
		e.open = e.open[:n-1]
	}
	if e.head[0]&0x20 == 0 {
		e.skip = length
		e.at += length
		return nil
	}
	if len(e.open) == mostWithin {
		return errTooMuch
	}
	e.open = append(e.open, e.at+length) // what is in it follows
	return nil
}

// berLength returns the length that a tag of one octet is followed by; whole is false when
// not all of that is here. LDAP has no other tags, and no length that is not told
// (RFC 4511, 5.1).
func berLength(head []byte) (length int64, whole bool, err error) {
	if head[0]&0x1f == 0x1f {
		return 0, false, errNotLDAP
	}
	if len(head) < 2 {
		return 0, false, nil
	}
	first := head[1]
	if first < 0x80 {
		return int64(first), true, nil
	}
	octets := int(first & 0x7f)
	if octets == 0 || octets > 4 {
		return 0, false, errNotLDAP
	}
	for _, b := range head[2:] {
		length = length<<8 | int64(b)
	}
	return length, len(head) == 2+octets, nil
}
