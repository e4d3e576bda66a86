package directory_test

import (
	"bufio"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"

	"ldap-gateway/directory"
)

func endlessMessage(id int64, op *ber.Packet) []byte {
	m := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	m.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	m.AppendChild(op)
	return m.Bytes()
}

func endlessDone(tag ber.Tag) *ber.Packet {
	d := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
	d.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, 0, ""))
	d.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
	d.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
	return d
}

func endlessEntry(dn string, attrs map[string]string) *ber.Packet {
	e := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 4, nil, "")
	e.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, dn, ""))
	list := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	for k, v := range attrs {
		a := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
		a.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, k, ""))
		set := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
		set.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, v, ""))
		a.AppendChild(set)
		list.AppendChild(a)
	}
	e.AppendChild(list)
	return e
}

// TestEndlessSearch: what stands in a directory's place answers one search for groups with
// entries without end. It is cut off before it has filled the memory.
func TestEndlessSearch(t *testing.T) {
	var sent atomic.Int64
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				w := bufio.NewWriterSize(c, 1<<20)
				for {
					p, err := ber.ReadPacket(c)
					if err != nil || len(p.Children) < 2 {
						return
					}
					id, op := p.Children[0].Value.(int64), p.Children[1]
					switch op.Tag {
					case 0:
						w.Write(endlessMessage(id, endlessDone(1)))
					case 3:
						base, limit := op.Children[0].Value.(string), op.Children[3].Value.(int64)
						switch {
						case base == "":
							w.Write(endlessMessage(id, endlessEntry("", map[string]string{"namingContexts": "dc=x"})))
						case limit == 2:
							w.Write(endlessMessage(id, endlessEntry("uid=alice,dc=x", map[string]string{"uid": "alice"})))
						case limit == 0 && op.Children[1].Value.(int64) == 2:
							one := endlessMessage(id, endlessEntry("cn="+strings.Repeat("a", 500)+",dc=x", map[string]string{"cn": strings.Repeat("b", 500)}))
							for {
								n, err := w.Write(one)
								sent.Add(int64(n))
								if err != nil {
									return
								}
							}
						}
						w.Write(endlessMessage(id, endlessDone(5)))
					}
					w.Flush()
				}
			}()
		}
	}()
	c, err := directory.Open(directory.Config{
		Servers: []string{"ldap://" + l.Addr().String()}, BaseDN: "dc=x", AllowClearText: true, Timeout: time.Minute,
	})
	must(t, err)
	defer c.Close()
	ut, err := directory.Compile(directory.UserTypeConfig{
		ID: "a", Name: "a", SearchBase: "dc=x", Filter: "(uid=${identifier})", Correlation: []string{"uid"},
		Groups: &directory.GroupRule{},
	})
	must(t, err)
	e, err := c.FindUser(t.Context(), ut, "alice")
	must(t, err)
	m := c.DirectGroups(t.Context(), ut, e)
	if m.Verdict == directory.Complete || m.Whole {
		t.Errorf("%v of %d groups", m.Verdict, len(m.Groups))
	}
	// A search without an answer is tried once more, and the socket holds some more.
	if most := int64(2*16+16) << 20; sent.Load() > most {
		t.Errorf("%d MiB were read", sent.Load()>>20)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
