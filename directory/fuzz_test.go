package directory

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"
)

// FuzzDN: what reads a name of a DN takes anything.
func FuzzDN(f *testing.F) {
	for _, seed := range []string{"cn=a,dc=b", `cn=a\, b,dc=c`, "CN=Ä , DC=x", "", `\`, "cn=*"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, dn string) {
		if parsed, err := ldap.ParseDN(dn); err == nil {
			_ = nameFromRDN(parsed, "cn")
		}
		_ = dnsName(dn)
	})
}

// FuzzSubCodeInText: a code that is there in AD's form is found, whatever stands around it.
func FuzzSubCodeInText(f *testing.F) {
	f.Add("80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, ", uint32(0x52e))
	f.Add("data , data zz, ", uint32(0x775))
	f.Fuzz(func(t *testing.T, before string, code uint32) {
		_, _ = subCode(before)
		if strings.Contains(strings.ToLower(before), "data") {
			return // a code of its own may stand there
		}
		const digits = "0123456789ABCDEF"
		text := ""
		for n := code; n > 0 || text == ""; n >>= 4 {
			text = string(digits[n&15]) + text
		}
		if got, ok := subCode(before + " data " + text + ", v1db1"); !ok || got != code {
			t.Errorf("%x in %q was read as %x, %v", code, before, got, ok)
		}
	})
}

// FuzzRange: what is accepted is a range, and the option that asks for it is accepted.
func FuzzRange(f *testing.F) {
	for _, seed := range []string{"range=0-1499", "range=1500-*", "Range=1-0", "range=-1-5", "range=+1-*", "range=0-", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, option string) {
		from, last, ok := parseRange(option)
		if ok && (from < 0 || last != strings.HasSuffix(option, "*")) {
			t.Errorf("%q: from %d, last %v", option, from, last)
		}
		raw := &ldap.Entry{Attributes: []*ldap.EntryAttribute{{Name: "memberOf;" + option, Values: []string{"a", "b"}}}}
		part, found := rangeOf(raw, "memberof")
		if found != ok && !strings.Contains(option, ";") || found && !slices.Equal(part.values, []string{"a", "b"}) {
			t.Errorf("%q: %+v, %v", option, part, found)
		}
	})
}

// FuzzWindowsCode: eight digits and a colon are the code, whatever follows, and nothing
// else is one.
func FuzzWindowsCode(f *testing.F) {
	f.Add("AtrErr: DSID-03190FD6, #1:", uint32(0x52d))
	f.Fuzz(func(t *testing.T, after string, code uint32) {
		if got, ok := windowsCode(fmt.Sprintf("%08X:%s", code, after)); !ok || got != code {
			t.Errorf("%x was read as %x, %v", code, got, ok)
		}
		if _, ok := windowsCode(after); ok && !strings.ContainsRune(after, ':') {
			t.Errorf("%q was read", after)
		}
	})
}

// FuzzUnicodePwd: what is typed comes back out of the quotes, octet by octet.
func FuzzUnicodePwd(f *testing.F) {
	for _, seed := range []string{"Passw0rd.1", `"`, "Ünï€😀", "a\x00b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, password string) {
		if !utf8.ValidString(password) {
			return // refused before
		}
		raw := quotedUTF16(Password(password))
		units := make([]uint16, len(raw)/2)
		for i := range units {
			units[i] = uint16(raw[2*i]) | uint16(raw[2*i+1])<<8
		}
		if got := string(utf16.Decode(units)); got != `"`+password+`"` || len(raw)%2 != 0 {
			t.Errorf("%q became %q", password, got)
		}
	})
}

// FuzzUnrotated: however much a token was rotated, checksum and payload come out in the
// order in which go-ldap reads them; and whatever comes, nothing panics.
func FuzzUnrotated(f *testing.F) {
	f.Add([]byte("payload"), []byte("checksum----"), uint16(0))
	f.Add([]byte("payload"), []byte("checksum----"), uint16(12))
	f.Add([]byte{}, []byte{}, uint16(9))
	f.Fuzz(func(t *testing.T, payload, checksum []byte, rotation uint16) {
		_ = unrotated(payload)
		body := slices.Concat(payload, checksum)
		if len(body) == 0 || len(checksum) > 1<<15 {
			return
		}
		token := make([]byte, 16)
		binary.BigEndian.PutUint16(token[4:], uint16(len(checksum)))
		binary.BigEndian.PutUint16(token[6:], rotation)
		right := len(body) - int(rotation)%len(body)
		token = append(token, slices.Concat(body[right:], body[:right])...)
		if got := unrotated(token)[16:]; !bytes.Equal(got, slices.Concat(checksum, payload)) {
			t.Errorf("%q, %q rotated by %d came out as %q", payload, checksum, rotation, got)
		}
	})
}

// FuzzAnswer: whatever a server sends, only the result of a waiting bind ends it.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{"\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00", "\x02\x01\x01\x65\x03\x0a\x01\x00", "\x02\x00", "\x02\x01\x01\x61\x84\xff\xff\xff\xff\x0a", ""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, begin []byte) {
		e := exchange{}
		e.asked([]byte("\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00"))
		if len(e.waiting) != 1 {
			t.Fatal("the bind was not noted")
		}
		_, err := e.answered(begin, int64(len(begin)))
		if ended := len(e.waiting) == 0; ended && !bytes.Contains(begin, []byte{opBindResponse}) ||
			err == nil && !ended && len(begin) == 0 {
			t.Errorf("%x: %v, %d wait", begin, err, len(e.waiting))
		}
	})
}
