package directory

import (
	"bytes"
	"errors"
	"io"
	"net"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// answerOf is a message with the ID of the first request of go-ldap.
func answerOf(rest ...byte) []byte {
	return appendElement(nil, tagSequence, append(appendNumber(nil, tagInteger, 1), rest...))
}

func entryMessage(dn string, attributes ...string) []byte {
	var list []byte
	for _, a := range attributes {
		name, values, _ := strings.Cut(a, "=")
		var set []byte
		for v := range strings.SplitSeq(values, "|") {
			set = appendElement(set, tagOctets, v)
		}
		list = appendElement(list, tagSequence, appendElement(appendElement(nil, tagOctets, name), tagSet, set))
	}
	return appendElement(nil, opSearchEntry, appendElement(appendElement(nil, tagOctets, dn), tagSequence, list))
}

func resultMessage(op, code byte, text string, more ...byte) []byte {
	body := appendElement(appendNumber(nil, tagEnumerated, uint32(code)), tagOctets, "")
	return append(appendElement(nil, op, appendElement(body, tagOctets, text)), more...)
}

// spoken is a connection that says what it was given once it is asked, and keeps what it
// was asked. With nothing to say it ends at once, else only when it is closed.
type spoken struct {
	net.Conn
	says   io.Reader
	asked  chan []byte
	first  []byte
	closed chan struct{}
}

func speak(says []byte) *spoken {
	s := &spoken{says: bytes.NewReader(says), asked: make(chan []byte, 9), closed: make(chan struct{})}
	if len(says) == 0 {
		close(s.closed)
	}
	return s
}

func (s *spoken) Write(p []byte) (int, error) { s.asked <- bytes.Clone(p); return len(p), nil }

func (s *spoken) Read(p []byte) (int, error) {
	if s.first == nil {
		s.first = <-s.asked
	}
	n, err := s.says.Read(p)
	if err != nil {
		<-s.closed
	}
	return n, err
}

func (s *spoken) Close() error {
	select {
	case <-s.closed:
	default:
		close(s.closed)
	}
	return nil
}
func (s *spoken) SetReadDeadline(time.Time) error  { return nil }
func (s *spoken) SetWriteDeadline(time.Time) error { return nil }

// byLibrary is what go-ldap makes of a request and of an answer.
func byLibrary[T any](says []byte, do func(*ldap.Conn) (T, error)) (asked []byte, result T, err error) {
	conn := speak(says)
	l := ldap.NewConn(conn, false)
	l.Start()
	done := make(chan struct{})
	go func() {
		defer close(done)
		result, err = do(l)
		_ = l.Close()
	}()
	select {
	case <-done:
		return conn.first, result, err
	case <-time.After(10 * time.Second):
		panic("go-ldap stands still")
	}
}

// TestRequestsAreWrittenAsGoLDAPDoes holds each octet of binds and searches against it.
func TestRequestsAreWrittenAsGoLDAPDoes(t *testing.T) {
	long := strings.Repeat("ä, ", 30_000)
	for _, size := range []int{0, 1, 126, 127, 128, 200, 255, 256, 300, 65_535, 65_536} {
		for _, controls := range [][]ldap.Control{nil, {ldap.NewControlBeheraPasswordPolicy()}, {ldap.NewControlPaging(500), ldap.NewControlManageDsaIT(true)}} {
			dn, pw := "uid="+long[:size/2*2], Password("x"+strings.Repeat("ö", size))
			want, _, _ := byLibrary(nil, func(c *ldap.Conn) (*ldap.SimpleBindResult, error) {
				return c.SimpleBind(&ldap.SimpleBindRequest{Username: dn, Password: string(pw), Controls: controls})
			})
			if got := message(1, opBindRequest, bindRequest(dn, pw), controls); !bytes.Equal(got, want) {
				t.Errorf("a bind of %d octets: %x, want %x", size, got[:min(99, len(got))], want[:min(99, len(want))])
			}
		}
	}
	for _, filter := range []string{"(uid=a)", "(&(objectClass=*)(|(a>=5)(!(b=*x*y*)))(cn:dn:2.4.6.8:=é))", `(cn=\2a\00)`} {
		for _, number := range []int{0, 1, 2, 127, 128, 255, 256, 1 << 20, 1<<31 - 1} {
			r := ldap.NewSearchRequest(long[:number%20_000/3*3], ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, number, number, false, filter,
				slices.Repeat([]string{"memberOf"}, number%50), []ldap.Control{ldap.NewControlPaging(uint32(number))})
			want, _, _ := byLibrary(nil, func(c *ldap.Conn) (*ldap.SearchResult, error) { return c.Search(r) })
			octets, err := searchRequest(r)
			if got := message(1, opSearchRequest, octets, r.Controls); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s, %d: %v\n%x, want\n%x", filter, number, err, got, want)
			}
		}
	}
	if _, err := searchRequest(&ldap.SearchRequest{Filter: "(no"}); err == nil {
		t.Error("what is no filter is sent")
	}
}

// FuzzAnswersAsGoLDAP: what is read of an answer is what go-ldap reads of it, or nothing. What
// is not looked at may be what go-ldap cannot read.
func FuzzAnswersAsGoLDAP(f *testing.F) {
	done := resultMessage(opSearchDone, 0, "")
	for _, seed := range [][2][]byte{
		{entryMessage("uid=a,dc=x", "uid=a", "memberOf=cn=b|cn=c|", "jpegPhoto;binary=\xff\x00"), done},
		{entryMessage("", "none"), entryMessage("dc=x")},
		{appendElement(nil, opSearchReference, appendElement(nil, tagOctets, "ldap://b/dc=x")), done},
		{resultMessage(opSearchDone, 4, "limit"), nil},
		{resultMessage(opSearchDone, 0, "", appendElement(nil, tagControls, ldap.NewControlPaging(7).Encode().Bytes())...), nil},
		{resultMessage(opSearchDone, 10, "elsewhere", 0xa0, 0), done},
		{resultMessage(opBindResponse, 0, ""), nil},
		{resultMessage(opBindResponse, 49, "80090308: data 533"), nil},
		{resultMessage(opBindResponse, 49, "", appendElement(nil, tagControls, ldap.NewControlBeheraPasswordPolicy().Encode().Bytes())...), nil},
		{{opIntermediate, 0}, done},
		{{opSearchEntry, 0x81, 4, 4, 0, 0x30, 0}, {opSearchDone, 0x84, 0, 0, 0, 7, 10, 1, 0, 4, 0, 4, 0}},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		if len(first) > 1000 || len(second) > 1000 {
			return
		}
		for _, part := range [][]byte{first, second} {
			if _, rest, ok := contentOf(answerOf(part...), tagSequence); !ok || len(rest) > 0 {
				t.Fatalf("%x is not one message", part)
			}
			if _, err := ber.DecodePacketErr(answerOf(part...)); err != nil {
				_, _ = readBind(&reply{messages: answerOf(part...)})
				_, _ = readSearch(&ldap.SearchRequest{}, &reply{messages: answerOf(part...)})
				return
			}
		}
		switch of, then := append(first, 0)[0], append(second, 0)[0]; {
		case of == opBindResponse:
			sameBind(t, answerOf(first...))
		case of == opSearchDone: // go-ldap stands still when more comes than it reads
			sameSearch(t, answerOf(first...))
		case then == opSearchDone:
			sameSearch(t, slices.Concat(answerOf(first...), answerOf(second...)))
		default:
			sameSearch(t, slices.Concat(answerOf(first...), answerOf(second...), answerOf(done...)))
		}
	})
}

func sameBind(t *testing.T, says []byte) {
	got, err := readBind(&reply{messages: says})
	if unread(err) {
		return
	}
	_, want, wantErr := byLibrary(says, func(c *ldap.Conn) (*ldap.SimpleBindResult, error) {
		return c.SimpleBind(&ldap.SimpleBindRequest{Username: "uid=a", Password: "b"})
	})
	sameError(t, says, err, wantErr)
	if err == nil && !reflect.DeepEqual(append([]ldap.Control{}, got.Controls...), want.Controls) {
		t.Errorf("%x: %v, want %v", says, got.Controls, want.Controls)
	}
}

func sameSearch(t *testing.T, says []byte) {
	r := ldap.NewSearchRequest("dc=x", 2, 0, 2, 0, false, "(a=b)", nil, nil)
	got, err := readSearch(r, &reply{messages: says, err: io.EOF})
	if unread(err) {
		return
	}
	_, want, wantErr := byLibrary(says, func(c *ldap.Conn) (*ldap.SearchResult, error) { return c.Search(r) })
	sameError(t, says, err, wantErr)
	if err != nil {
		return
	}
	if len(got.Entries) != len(want.Entries) || got.ResultCode != want.ResultCode || got.DiagnosticMessage != want.DiagnosticMessage ||
		!slices.Equal(got.Referrals, want.Referrals) || !reflect.DeepEqual(append([]ldap.Control{}, got.Controls...), want.Controls) {
		t.Errorf("%x: %+v, want %+v", says, got, want)
	}
	for i, e := range got.Entries {
		for k, a := range e.Attributes {
			like := want.Entries[i].Attributes[k]
			if a.Name != like.Name || !slices.Equal(a.Values, like.Values) || !slices.EqualFunc(a.ByteValues, like.ByteValues, bytes.Equal) {
				t.Errorf("%x: %+v, want %+v", says, a, like)
			}
		}
		if e.DN != want.Entries[i].DN || len(e.Attributes) != len(want.Entries[i].Attributes) {
			t.Errorf("%x: %+v, want %+v", says, e, want.Entries[i])
		}
	}
}

// unread tells whether an answer was not read at all. go-ldap may wait for ever after one.
func unread(err error) bool {
	_, refused := answered(err)
	return err != nil && !refused
}

// sameError wants success where go-ldap has it, or what is no answer; and the same refusal.
func sameError(t *testing.T, says []byte, err, want error) {
	t.Helper()
	got, refused := answered(err)
	like, refusal := answered(want)
	switch {
	case err == nil && want != nil, refused && !refusal:
		t.Errorf("%x: %v, want %v", says, err, want)
	case refused && (got.ResultCode != like.ResultCode || got.Err.Error() != like.Err.Error() || got.MatchedDN != like.MatchedDN):
		t.Errorf("%x: %v, want %v", says, err, want)
	}
}

// TestAnswerThatEndsAnywhere has a connection end after each octet of an answer, as often
// as it may be read: whoever waits hears of it, and gets the entries that had come.
func TestAnswerThatEndsAnywhere(t *testing.T) {
	f := newFramed(readFrom{})
	r := &reply{}
	id, err := f.exchange.ask(opSearchRequest, r)
	if err != nil {
		t.Fatal(err)
	}
	var stream []byte
	var ends []int // of messages
	for _, op := range [][]byte{entryMessage("uid=a,dc=x", "uid=a"), entryMessage("uid=b,dc=x"), resultMessage(opSearchDone, 0, "")} {
		stream = appendElement(stream, tagSequence, append(appendNumber(nil, tagInteger, id), op...))
		ends = append(ends, len(stream))
	}
	for by, read := range map[string]func(io.Reader) io.Reader{
		"at once":        func(r io.Reader) io.Reader { return r },
		"octet by octet": iotest.OneByteReader,
	} {
		for length := range len(stream) + 1 {
			f := newFramed(readFrom{Reader: read(bytes.NewReader(stream[:length]))})
			r := &reply{over: make(chan struct{})}
			_, err := f.exchange.ask(opSearchRequest, r)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := f.Read(make([]byte, 99)); n != 0 || !errors.Is(err, io.EOF) {
				t.Fatalf("go-ldap gets %d octets, %v", n, err)
			}
			<-r.over
			result, err := readSearch(&ldap.SearchRequest{}, r)
			whole := slices.IndexFunc(append(ends, 1<<20), func(end int) bool { return end > length })
			if entries := min(whole, 2); len(result.Entries) != entries || (err == nil) != (whole == 3) {
				t.Errorf("%s, %d of %d octets: %d of %d entries, %v", by, length, len(stream), len(result.Entries), entries, err)
			}
			if _, err := f.exchange.ask(opSearchRequest, &reply{}); !errors.Is(err, io.EOF) {
				t.Errorf("a request after the end: %v", err)
			}
		}
	}
}

// TestEachGetsItsOwn mixes answers to go-ldap with those of ours: neither sees the other's.
func TestEachGetsItsOwn(t *testing.T) {
	theirs, ours := answerOf(entryMessage("dc=theirs", "a="+strings.Repeat("x", 9000))...), entryMessage("dc=ours", "a="+strings.Repeat("y", 9000))
	for _, read := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.HalfReader, iotest.OneByteReader} {
		f := newFramed(readFrom{})
		f.exchange.asked(message(1, opSearchRequest, []byte{tagOctets, 0}, nil))
		var replies []*reply
		var stream []byte
		for range 3 {
			r := &reply{over: make(chan struct{})}
			id, err := f.exchange.ask(opSearchRequest, r)
			if err != nil {
				t.Fatal(err)
			}
			mine := func(op []byte) []byte {
				return appendElement(nil, tagSequence, append(appendNumber(nil, tagInteger, id), op...))
			}
			stream = slices.Concat(stream, theirs, mine(ours), theirs, mine(resultMessage(opSearchDone, 0, "")))
			replies = append(replies, r)
		}
		f.in.Reset(read(bytes.NewReader(stream)))
		got, err := io.ReadAll(f)
		if want := bytes.Repeat(theirs, 6); err != nil || !bytes.Equal(got, want) {
			t.Errorf("go-ldap gets %d octets, want %d: %v", len(got), len(want), err)
		}
		for _, r := range replies {
			<-r.over
			result, err := readSearch(&ldap.SearchRequest{}, r)
			if err != nil || len(result.Entries) != 1 || result.Entries[0].DN != "dc=ours" || len(result.Entries[0].GetAttributeValue("a")) != 9000 {
				t.Errorf("%+v, %v", result, err)
			}
		}
	}
}

// TestNothingElseLetsSomebodyIn: a bind is answered by its own answer; whatever else comes first, and looks like a
// success, is none.
func TestNothingElseLetsSomebodyIn(t *testing.T) {
	refusal := answerOf(resultMessage(opBindResponse, ldap.LDAPResultInvalidCredentials, "")...)
	for op := range 256 {
		first := answerOf(resultMessage(byte(op), ldap.LDAPResultSuccess, "")...)
		for what, messages := range map[string][]byte{"alone": first, "before a refusal": slices.Concat(first, refusal)} {
			_, err := readBind(&reply{messages: messages})
			if let := err == nil; let != (op == opBindResponse) {
				t.Errorf("%#x %s lets somebody in: %t", op, what, let)
			}
		}
	}
}
