package directory_test

import (
	"bytes"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"

	"ldap-gateway/directory"
)

// tlv is one element of BER.
func tlv(tag byte, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return append([]byte{tag, 0x82, byte(len(body) >> 8), byte(len(body))}, body...)
}

func message(id int64, op []byte) []byte {
	return tlv(0x30, tlv(2, []byte{byte(id >> 8), byte(id)}), op)
}

// result is an LDAPResult with the octets of its code.
func result(tag byte, code ...byte) []byte { return tlv(tag, tlv(10, code), tlv(4), tlv(4)) }

func entryOf(dn string, attributes ...string) []byte {
	var list [][]byte
	for _, a := range attributes {
		name, value, _ := strings.Cut(a, "=")
		list = append(list, tlv(0x30, tlv(4, []byte(name)), tlv(0x31, tlv(4, []byte(value)))))
	}
	return tlv(0x64, tlv(4, []byte(dn)), tlv(0x30, list...))
}

// liar is a server that answers well until a person is bound or searched for.
type liar struct {
	bind func(id int64) []byte // the answer to a bind as a person; nil: success
	find func(id int64) []byte // to a search for a person
}

func (l *liar) start(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go l.serve(conn)
		}
	}()
	return "ldap://" + listener.Addr().String()
}

func (l *liar) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	for {
		p, err := ber.ReadPacket(conn)
		if err != nil || len(p.Children) < 2 {
			return
		}
		id, op := p.Children[0].Value.(int64), p.Children[1]
		var out []byte
		switch op.Tag {
		case 0:
			out = message(id, result(0x61, 0))
			if name, _ := op.Children[1].Value.(string); strings.HasPrefix(name, "uid=") && l.bind != nil {
				out = l.bind(id)
			}
		case 3:
			out = message(id, result(0x65, 0))
			switch base, _ := op.Children[0].Value.(string); {
			case base == "":
				out = append(message(id, entryOf("", "vendorName=x")), out...)
			case l.find != nil:
				out = l.find(id)
			default:
				out = append(message(id, entryOf("uid=alice,dc=x", "uid=alice")), out...)
			}
		default:
			return
		}
		_, _ = conn.Write(out)
	}
}

func (l *liar) open(t *testing.T) *directory.Client {
	t.Helper()
	url := l.start(t)
	return open(t, nil, url, func(cfg *directory.Config) {
		cfg.BaseDN, cfg.BindDN, cfg.BindPassword, cfg.AllowClearText, cfg.Timeout = "dc=x", "", "", true, 300*time.Millisecond
	})
}

// TestAnswersAreWhatTheyClaim has a bind be answered by anything but its own result:
// nobody is let in, and nothing is sent a second time.
func TestAnswersAreWhatTheyClaim(t *testing.T) {
	for name, answer := range map[string]func(id int64) []byte{
		"result of a search":      func(id int64) []byte { return message(id, result(0x65, 0)) },
		"extended result":         func(id int64) []byte { return message(id, result(0x78, 0)) },
		"result of a modify":      func(id int64) []byte { return message(id, result(0x67, 0)) },
		"another id":              func(id int64) []byte { return message(id+7, result(0x61, 0)) },
		"id 0":                    func(int64) []byte { return message(0, result(0x61, 0)) },
		"code 65536":              func(id int64) []byte { return message(id, result(0x61, 1, 0, 0)) },
		"code 256":                func(id int64) []byte { return message(id, result(0x61, 1, 0)) },
		"code -1":                 func(id int64) []byte { return message(id, result(0x61, 0xff)) },
		"code of no octet":        func(id int64) []byte { return message(id, result(0x61)) },
		"code 0 in two octets":    func(id int64) []byte { return message(id, result(0x61, 0, 0)) },
		"code as an integer":      func(id int64) []byte { return message(id, tlv(0x61, tlv(2, []byte{0}), tlv(4), tlv(4))) },
		"code as text":            func(id int64) []byte { return message(id, tlv(0x61, tlv(4, []byte{0}), tlv(4), tlv(4))) },
		"nothing in it":           func(id int64) []byte { return message(id, tlv(0x61)) },
		"no operation":            func(id int64) []byte { return tlv(0x30, tlv(2, []byte{byte(id)})) },
		"id as text":              func(id int64) []byte { return tlv(0x30, tlv(4, []byte{byte(id)}), result(0x61, 0)) },
		"an entry":                func(id int64) []byte { return message(id, entryOf("uid=alice,dc=x")) },
		"a request":               func(id int64) []byte { return message(id, tlv(0x60, tlv(2, []byte{3}), tlv(4), tlv(0x80))) },
		"notice of disconnection": func(int64) []byte { return message(0, result(0x78, 52)) },
	} {
		t.Run(name, func(t *testing.T) {
			c := (&liar{bind: answer}).open(t)
			if err := c.Bind(t.Context(), "uid=alice,dc=x", "secret"); !errors.Is(err, directory.ErrAnswerLost) {
				t.Errorf("%v", err)
			}
		})
	}
	c := (&liar{}).open(t)
	if err := c.Bind(t.Context(), "uid=alice,dc=x", "secret"); err != nil {
		t.Errorf("an honest answer: %v", err)
	}
	c = (&liar{bind: func(id int64) []byte {
		return append(message(id, result(0x61, 49)), message(id, result(0x61, 0))...)
	}}).open(t)
	if err := c.Bind(t.Context(), "uid=alice,dc=x", "secret"); err == nil {
		t.Error("the second of two answers was believed")
	}
}

// TestEntriesAreWhereTheyWereLookedFor, or there are none.
func TestEntriesAreWhereTheyWereLookedFor(t *testing.T) {
	done := func(id int64) []byte { return message(id, result(0x65, 0)) }
	ut := compile(
		t,
		directory.UserTypeConfig{
			ID:         "1",
			Name:       "p",
			SearchBase: "ou=people,dc=x",
			Filter:     "(uid=${identifier})",
			Groups:     &directory.GroupRule{},
		},
	)
	for name, found := range map[string]string{
		"elsewhere":      "uid=root,ou=admins,dc=y",
		"above":          "dc=x",
		"beside":         "uid=alice,ou=other,dc=x",
		"looks like it":  "uid=alice,ou=people\\,dc=x",
		"ends like it":   "uid=alice,cou=people,dc=x",
		"honest":         "uid=alice,ou=people,dc=x",
		"honest, spelt":  "UID=Alice, OU = People, DC=X",
		"result of bind": "",
	} {
		c := (&liar{find: func(id int64) []byte {
			if found == "" {
				return append(message(id, entryOf("uid=alice,ou=people,dc=x")), message(id, result(0x61, 0))...)
			}
			return append(message(id, entryOf(found, "uid=alice")), done(id)...)
		}}).open(t)
		e, err := c.FindUser(t.Context(), ut, "alice")
		if honest := strings.HasPrefix(name, "honest"); honest != (err == nil) || !honest && e.DN != "" {
			t.Errorf("%s: %+v %v", name, e, err)
		}
	}
	// A group that is not below the base of groups is no group of hers.
	c := (&liar{find: func(id int64) []byte {
		return append(message(id, entryOf("cn=Domain Admins,dc=other", "cn=x")), done(id)...)
	}}).open(t)
	if m := c.DirectGroups(t.Context(), ut, directory.Entry{DN: "uid=alice,ou=people,dc=x"}); len(m.Groups) != 0 ||
		m.Verdict == directory.Complete {
		t.Errorf("%+v", m)
	}
}
