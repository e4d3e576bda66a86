package e2e

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/go-ldap/ldap/v3"

	"ldap-gateway/directory/slapdtest"
)

// bareSignOn does the least that a sign-on needs of a directory: finds the entry of a uid
// with its groups, and binds as it. It is of one goroutine.
type bareSignOn func(uid, password string) error

// benchGroups are the direct groups of each person of the benchmarks.
const benchGroups = 20

// bareKinds are how one is made, on connections to an address of people in so many groups.
var bareKinds = map[string]func(address string, groups int) (bareSignOn, error){
	"raw":     rawSignOn,
	"library": librarySignOn,
}

// errBare says that a directory's answer is not what the sign-on needs.
var errBare = errors.New("not the answer that was expected")

// Bytes of RFC 4511 that the raw client writes and reads, and no others.
const (
	berSequence, berInteger, berOctets, berBool, berEnum = 0x30, 0x02, 0x04, 0x01, 0x0a

	ldapBind, ldapBound               = 0x60, 0x61
	ldapSearch, ldapEntry, ldapFound  = 0x63, 0x64, 0x65
	ldapSimplePassword, ldapEqualTo   = 0x80, 0xa3
	ldapVersion, ldapSubtree, ldapAll = 3, 2, 0
)

// ber returns one value of BER with its parts (X.690 section 8.1), in the long form of
// lengths where it is needed.
func ber(tag byte, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	n := len(body)
	head := []byte{tag, byte(n)}
	if n > 127 {
		head = []byte{tag, 0x82, byte(n >> 8), byte(n)}
	}
	return append(head, body...)
}

// rawConn is one connection that has one request at a time.
type rawConn struct {
	net.Conn
	in  *bufio.Reader
	buf []byte
	id  byte
}

func dialRaw(address string) (*rawConn, error) {
	c, err := net.Dial("tcp", address)
	return &rawConn{Conn: c, in: bufio.NewReaderSize(c, 16<<10)}, err
}

// ask sends an operation and hands the answers to each, by their kind, until one is last.
func (c *rawConn) ask(operation []byte, last byte, each func(body []byte)) error {
	c.id = c.id%100 + 1
	if _, err := c.Write(ber(berSequence, ber(berInteger, []byte{c.id}), operation)); err != nil {
		return err
	}
	for {
		kind, body, err := c.answer()
		switch {
		case err != nil:
			return err
		case kind == last: // the result code comes first, and is of one byte
			if len(body) < 3 || body[2] != 0 {
				return errBare
			}
			return nil
		case each != nil:
			each(body)
		}
	}
}

// answer reads one message: its number is not looked at, since there is one request.
func (c *rawConn) answer() (kind byte, body []byte, err error) {
	_, message, err := c.value()
	if err != nil {
		return 0, nil, err
	}
	_, rest := berNext(message)
	kind = rest[0]
	body, _ = berNext(rest)
	return kind, body, nil
}

// value reads one value of BER, which is good until the next is read.
func (c *rawConn) value() (tag byte, body []byte, err error) {
	head, err := c.in.Peek(2)
	if err != nil {
		return 0, nil, err
	}
	tag, skip, n := head[0], 2, int(head[1])
	if n > 127 {
		skip += n & 127
		if head, err = c.in.Peek(skip); err != nil {
			return 0, nil, err
		}
		var length [8]byte
		copy(length[8-skip+2:], head[2:skip])
		n = int(binary.BigEndian.Uint64(length[:]))
	}
	if _, err := c.in.Discard(skip); err != nil {
		return 0, nil, err
	}
	if cap(c.buf) < n {
		c.buf = make([]byte, n)
	}
	c.buf = c.buf[:n]
	_, err = io.ReadFull(c.in, c.buf)
	return tag, c.buf, err
}

// berNext cuts the first value off; it is only given what slapd wrote.
func berNext(b []byte) (body, rest []byte) {
	skip, n := 2, int(b[1])
	if n > 127 {
		skip += n & 127
		n = 0
		for _, digit := range b[2:skip] {
			n = n<<8 | int(digit)
		}
	}
	return b[skip : skip+n], b[skip+n:]
}

func (c *rawConn) bind(dn, password string) error {
	return c.ask(ber(ldapBind,
		ber(berInteger, []byte{ldapVersion}),
		ber(berOctets, []byte(dn)),
		ber(ldapSimplePassword, []byte(password)),
	), ldapBound, nil)
}

// find returns the DN of an entry and how many groups it is in.
func (c *rawConn) find(uid string, attributes []byte) (dn string, groups int, err error) {
	err = c.ask(ber(ldapSearch,
		ber(berOctets, []byte("ou=people,"+slapdtest.Suffix)),
		ber(berEnum, []byte{ldapSubtree}), ber(berEnum, []byte{ldapAll}),
		ber(berInteger, []byte{0}), ber(berInteger, []byte{0}), ber(berBool, []byte{0}),
		ber(ldapEqualTo, ber(berOctets, []byte("uid")), ber(berOctets, []byte(uid))),
		attributes,
	), ldapFound, func(entry []byte) {
		name, rest := berNext(entry)
		dn = string(name)
		all, _ := berNext(rest)
		for len(all) > 0 {
			var attribute []byte
			attribute, all = berNext(all)
			kind, values := berNext(attribute)
			for set, _ := berNext(values); len(set) > 0; _, set = berNext(set) {
				if string(kind) == "memberOf" {
					groups++
				}
			}
		}
	})
	return dn, groups, err
}

// rawSignOn is a sign-on by the bytes alone, on two connections that are kept until the
// program ends: what a machine can do at most.
func rawSignOn(address string, groups int) (bareSignOn, error) {
	finds, err := dialRaw(address)
	if err != nil {
		return nil, err
	}
	binds, err := dialRaw(address)
	if err != nil {
		return nil, err
	}
	var wanted [][]byte
	for _, name := range bareAttributes() {
		wanted = append(wanted, ber(berOctets, []byte(name)))
	}
	attributes := ber(berSequence, wanted...)
	return func(uid, password string) error {
		dn, n, err := finds.find(uid, attributes)
		if err == nil && n != groups {
			err = fmt.Errorf("%w: %s is in %d groups", errBare, dn, n)
		}
		if err != nil {
			return err
		}
		return binds.bind(dn, password)
	}, finds.bind(slapdtest.ReaderDN, slapdtest.Password)
}

// bareAttributes are those that the user type of the worlds asks for.
func bareAttributes() []string {
	return []string{"uid", "givenName", "sn", "mail", "entryUUID", "memberOf"}
}

// librarySignOn is the same with go-ldap.
func librarySignOn(address string, groups int) (bareSignOn, error) {
	finds, err := ldap.DialURL("ldap://" + address)
	if err != nil {
		return nil, err
	}
	binds, err := ldap.DialURL("ldap://" + address)
	if err != nil {
		return nil, err
	}
	return func(uid, password string) error {
		found, err := finds.Search(ldap.NewSearchRequest("ou=people,"+slapdtest.Suffix, ldap.ScopeWholeSubtree,
			ldap.NeverDerefAliases, 0, 0, false, "(uid="+uid+")", bareAttributes(), nil))
		if err != nil {
			return err
		}
		if len(found.Entries) != 1 || len(found.Entries[0].GetAttributeValues("memberOf")) != groups {
			return fmt.Errorf("%w: %s", errBare, uid)
		}
		return binds.Bind(found.Entries[0].DN, password)
	}, finds.Bind(slapdtest.ReaderDN, slapdtest.Password)
}
