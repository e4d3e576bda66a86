package directory

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-ldap/ldap/v3"
	"github.com/hashicorp/go-hclog"
)

func TestPasswordNeverPrints(t *testing.T) {
	const secret = "s3cret"
	pw := Password(secret)
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%c"} {
		fmt.Fprintf(&out, verb+" ", pw)
		fmt.Fprintf(&out, verb+" ", Config{BindPassword: pw})
	}
	text, err := json.Marshal(map[string]any{"a": pw, "b": &pw})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(text)
	for _, asJSON := range []bool{false, true} {
		hclog.New(&hclog.LoggerOptions{Output: &out, JSONFormat: asJSON}).Info("m", "password", pw, "pointer", &pw)
	}
	for _, leak := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), "115", "0x73"} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("%q is in %s", leak, out.String())
		}
	}
	if !strings.Contains(out.String(), "password=[redacted]") ||
		!strings.Contains(out.String(), `"password":"[redacted]"`) {
		t.Errorf("hclog printed %s", out.String())
	}
}

func TestTextFormsAndBack(t *testing.T) {
	guid := string([]byte{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff})
	for _, tc := range []struct{ attribute, raw, text string }{
		{"objectGUID", guid, "33221100-5544-7766-8899-aabbccddeeff"},
		{"objectSid", "\x01\x05\x00\x00\x00\x00\x00\x05\x15\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\xf4\x01\x00\x00", "S-1-5-21-1-2-3-500"},
		{"objectSID", "\x01\x00\x00\x00\x00\x00\x00\x01", "S-1-1"},
		{"nsUniqueId", "66446001-1dd211b2-66225011-2ee211db", "66446001-1dd2-11b2-6622-50112ee211db"},
		{"entryUUID", "66446001-1dd2-11b2-6622-50112ee211db", "66446001-1dd2-11b2-6622-50112ee211db"},
		{"uid", "José", "José"},
	} {
		if got := textOf(tc.attribute, []byte(tc.raw)); got != tc.text {
			t.Errorf("%s: text %q, want %q", tc.attribute, got, tc.text)
		}
		if got, ok := octetsOf(tc.attribute, tc.text); !ok || got != tc.raw {
			t.Errorf("%s: octets %x, %v; want %x", tc.attribute, got, ok, tc.raw)
		}
	}
	for _, tc := range []struct{ attribute, raw, text string }{
		{"entryUUID", "ABCDEF01-1dd2-11b2-6622-50112ee211db", "abcdef01-1dd2-11b2-6622-50112ee211db"},
		{"objectGUID", "\xff", "/w=="}, {"objectSid", "\x01\x02\x00\xff", "AQIA/w=="}, {"jpegPhoto", "\xff\xd8", "/9g="},
	} {
		if got := textOf(tc.attribute, []byte(tc.raw)); got != tc.text {
			t.Errorf("%s: %q, want %q", tc.attribute, got, tc.text)
		}
	}
	for _, bad := range []Value{{"objectGUID", "x"}, {"objectSid", "S-1"}, {"objectSid", "S-1-5-x"}, {"objectSid", "S-2-5"},
		{"objectSid", "S-1-5-4294967296"}, {"nsUniqueId", "zz"}, {"uid", ""}} {
		if _, ok := octetsOf(bad.Attribute, bad.Value); ok {
			t.Errorf("%v was taken", bad)
		}
	}
}

func TestSubCodes(t *testing.T) {
	for text, want := range map[string]uint32{
		"80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 52e, v1db1": 0x52e,
		"ACCEPTSECURITYCONTEXT ERROR, DATA 52E, V1DB1":                                            0x52e,
		"data  775": 0x775, "no data here, data 533": 0x533, "data 80090346, v1": 0x80090346,
		"": 0, "data": 0, "data ": 0, "data xyz": 0, "data 1ffffffffff": 0,
	} {
		if got, ok := subCode(text); got != want || ok != (want != 0) {
			t.Errorf("%q: %x, %v; want %x", text, got, ok, want)
		}
	}
}

func TestWhatIsTooLongIsRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		stream []byte
		err    error
	}{
		"short":      {[]byte{0x30, 3, 1, 2, 3, 0x30, 1, 5}, nil},
		"empty":      {[]byte{0x30, 3, 1, 2, 3, 0x30, 0}, errNotLDAP},
		"long-form":  {append([]byte{0x30, 0x82, 1, 0}, make([]byte, 256)...), nil},
		"just-fits":  {[]byte{0x30, 0x84, 2, 0, 0, 0}, nil},
		"too-long":   {[]byte{0x30, 0x84, 2, 0, 0, 1}, errMessageTooLong},
		"five-bytes": {[]byte{0x30, 0x85}, errMessageTooLong},
		"indefinite": {[]byte{0x30, 0x80}, errMessageTooLong},
		"http":       {[]byte("HTTP/1.1 400"), errNotLDAP},
		"second":     {[]byte{0x30, 1, 9, 0x31}, errNotLDAP},
	} {
		for by, read := range map[string]func(io.Reader) io.Reader{
			"at once":        func(r io.Reader) io.Reader { return r },
			"octet by octet": iotest.OneByteReader,
		} {
			f := newFramed(readFrom{Reader: read(bytes.NewReader(tc.stream))})
			var err error
			for err == nil {
				var head int
				var length int64
				if head, length, err = f.header(); err == nil {
					_, err = f.in.Discard(head + int(length))
				}
			}
			if !errors.Is(err, cmp.Or(tc.err, io.EOF)) {
				t.Errorf("%s, %s: %v, want %v", name, by, err, tc.err)
			}
		}
	}
}

// readFrom is a connection that is only read.
type readFrom struct {
	net.Conn
	io.Reader
}

func (r readFrom) Read(p []byte) (int, error) { return r.Reader.Read(p) }

func FuzzFilterValue(f *testing.F) {
	for _, typed := range []string{"alice", "*)(uid=*", "o'brien (ext)*", `\2a`, "josé", "\x00", "\xff"} {
		f.Add(typed)
	}
	template, err := compileTemplate("(&(a=b)(|(uid=${identifier})(cn=x*${identifier})))")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		if typed == "" {
			return // refused before it gets here
		}
		p, err := ldap.CompileFilter(template.with(typed))
		if err != nil {
			t.Fatalf("%q: %v", typed, err)
		}
		uid, cn := p.Children[1].Children[0], p.Children[1].Children[1]
		if len(p.Children) != 2 || len(p.Children[1].Children) != 2 || uid.Tag != ldap.FilterEqualityMatch ||
			uid.Children[1].Data.String() != typed || cn.Children[1].Children[1].Data.String() != typed {
			t.Fatalf("%q became %s", typed, template.with(typed))
		}
	})
}

func FuzzCompileTemplate(f *testing.F) {
	for _, text := range []string{"(uid=${identifier})", "(&(a=b)(c:dn:1.2:=${identifier}))", "(!(a=${identifier}))", "(a=*${identifier}*)"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		template, err := compileTemplate(text)
		if err != nil {
			return
		}
		for _, filter := range []string{template.with("x"), template.standing} {
			if _, err := ldap.CompileFilter(filter); err != nil {
				t.Fatalf("%q gave %q: %v", text, filter, err)
			}
		}
	})
}

func FuzzSubCode(f *testing.F) {
	f.Add("80090308: LdapErr, data 52e, v1db1")
	f.Fuzz(func(t *testing.T, text string) {
		if code, ok := subCode(text); ok && !strings.Contains(strings.ToLower(text), fmt.Sprintf("%x", code)) {
			t.Fatalf("%x is not in %q", code, text)
		}
	})
}

func FuzzBinaryText(f *testing.F) {
	f.Add([]byte("0123456789abcdef"))
	f.Add([]byte("\x01\x01\x00\x00\x00\x00\x00\x05\x12\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if sid, ok := sidText(raw); ok {
			if back, ok := octetsOf("objectSid", sid); !ok || back != string(raw) {
				t.Fatalf("%x became %s became %x", raw, sid, back)
			}
		}
		if len(raw) == 16 {
			if back, ok := octetsOf("objectGUID", textOf("objectGUID", raw)); !ok || !bytes.Equal([]byte(back), raw) {
				t.Fatalf("%x became %x", raw, back)
			}
		}
	})
}
