package directory

import (
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
	errTooMuch        = errors.New("LDAP message of more than 50,000 elements")
	errNotLDAP        = errors.New("not an LDAP message; is this an LDAP server?")
)

// framed is the connection above TLS. It follows the lengths of the messages that
// pass and refuses a message that is too long before any of it is stored. It does so
// here because the limit in asn1-ber is a variable of the whole process. And it refuses
// an answer that is not what it claims to be (see exchange), which go-ldap does not look
// at: there a search's result 0 would do for a bind.
type framed struct {
	net.Conn
	meter    meter
	exchange exchange
	heard    atomic.Int64 // when something came, in nanoseconds since 1970; 0: nothing did
}

func (f *framed) Read(p []byte) (int, error) {
	n, err := f.Conn.Read(p)
	if n > 0 {
		f.heard.Store(time.Now().UnixNano())
	}
	if bad := f.meter.feed(p[:n], f.exchange.answered); bad != nil {
		return 0, bad
	}
	return n, err
}

// Write takes one whole request, as go-ldap writes them.
func (f *framed) Write(p []byte) (int, error) {
	f.exchange.asked(p)
	return f.Conn.Write(p)
}

// meter counts through messages: a tag, a length, that many octets. It keeps the first
// of each, for whoever looks at them.
type meter struct {
	head  [6]byte
	have  int
	left  int64
	whole int64                // what left was at the beginning
	begin [envelopeLength]byte // of what is in the message
	kept  int
	open  bool // begin was not looked at yet
	parts elements
}

// feed takes what was read, and gives look the beginning of each message that is here.
func (m *meter) feed(p []byte, look func(begin []byte, length int64) error) error {
	for len(p) > 0 {
		if m.left > 0 {
			n := min(m.left, int64(len(p)))
			m.kept += copy(m.begin[m.kept:], p[:n])
			if err := m.parts.feed(p[:n]); err != nil {
				return err
			}
			m.left, p = m.left-n, p[n:]
			if m.open && (m.kept == len(m.begin) || m.left == 0) {
				m.open = false
				if err := look(m.begin[:m.kept], m.whole); err != nil {
					return err
				}
			}
			continue
		}
		m.head[m.have] = p[0]
		m.have, p = m.have+1, p[1:]
		if err := m.header(); err != nil {
			return err
		}
	}
	return nil
}

// header looks at what is there of tag and length (RFC 4511, 5.1: definite form only).
func (m *meter) header() error {
	if m.head[0] != 0x30 {
		return errNotLDAP
	}
	length, whole, err := berLength(m.head[:m.have])
	switch {
	case err != nil, length > maxMessage:
		return errMessageTooLong
	case !whole:
		return nil
	}
	return m.body(length)
}

// body begins a message. One without anything in it is none.
func (m *meter) body(length int64) error {
	if length == 0 {
		return errNotLDAP
	}
	m.left, m.whole, m.have, m.kept, m.open, m.parts = length, length, 0, 0, true, elements{}
	return nil
}

// mostElements bounds what one message is made of. Each takes hundreds of octets in memory,
// and two on the wire when there is nothing in it.
const mostElements = 50_000

// elements counts the elements of one message, those within others too.
type elements struct {
	count int
	head  []byte // tag and length, as far as they are here
	skip  int64  // octets of a primitive element that are still to come
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
		if e.head[0]&0x20 == 0 { // else what is in it follows
			e.skip = length
		}
		e.head = e.head[:0]
	}
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
