package wire

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"
)

const (
	// Version is the newest version of the wire that this code speaks.
	Version = 2
	// Subprotocol is the websocket subprotocol (RFC 6455 section 1.9) of the link.
	Subprotocol = "ldap-gateway.link"
	// TrialSubprotocol is that of a websocket which proves nobody and is closed at once: it shows
	// that websockets pass. A cloud of before refuses it.
	TrialSubprotocol = "ldap-gateway.trial"
	// MaxFrame is the size limit of one frame in bytes.
	MaxFrame = 4 << 20
	// MaxFirstFrame is the size limit, in bytes, of what an agent may send before it is welcomed.
	MaxFirstFrame = 32 << 10
)

// ErrVersion says that two ends have no version of the wire in common.
var ErrVersion = errors.New("no version of the wire in common")

// ErrFrame says that bytes are no frame, or that a body is not what its kind says.
var ErrFrame = errors.New("malformed frame")

// Kind tells what the body of a frame is.
type Kind uint8

// The kinds of frames, with the end that sends each.
const (
	KindHello           Kind = 1  // agent: Hello
	KindWelcome         Kind = 2  // cloud: Welcome
	KindUserTypes       Kind = 3  // cloud, request: UserTypes
	KindUserTypesAnswer Kind = 4  // agent, answer: UserTypesAnswer
	KindHeartbeat       Kind = 5  // agent, request: Heartbeat; the answer has this kind and no body
	KindSignOn          Kind = 6  // cloud, request: SignOn
	KindSignOnResult    Kind = 7  // agent, answer: SignOnResult
	KindGoingAway       Kind = 8  // either, notice: GoingAway
	KindUnsupported     Kind = 9  // either, answer to a request of an unknown kind; no body
	KindRotate          Kind = 10 // agent, request: Rotate
	KindRotated         Kind = 11 // cloud, answer: Rotated
	KindChangePassword  Kind = 12 // cloud, request: ChangePassword
	KindPasswordChanged Kind = 13 // agent, answer: PasswordChanged
	KindExplain         Kind = 14 // cloud, request: Explain
	KindExplained       Kind = 15 // agent, answer: Explained
	KindRotateSoon      Kind = 16 // cloud, notice that the agent should change its keys; no body
	KindLook            Kind = 17 // cloud, request: Look
	KindLooked          Kind = 18 // agent, answer: Looked
)

var kindNames = map[Kind]string{
	KindHello: "hello", KindWelcome: "welcome", KindUserTypes: "userTypes", KindUserTypesAnswer: "userTypesAnswer",
	KindHeartbeat: "heartbeat", KindSignOn: "signOn", KindSignOnResult: "signOnResult", KindGoingAway: "goingAway",
	KindUnsupported: "unsupported", KindRotate: "rotate", KindRotated: "rotated",
	KindChangePassword: "changePassword", KindPasswordChanged: "passwordChanged",
	KindExplain: "explain", KindExplained: "explained", KindRotateSoon: "rotateSoon",
	KindLook: "look", KindLooked: "looked",
}

// String returns the name of k for logs, "kind 77" for one that is not known.
func (k Kind) String() string {
	if name, ok := kindNames[k]; ok {
		return name
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Frame is the envelope of every message.
type Frame struct {
	Kind   Kind            `cbor:"1,keyasint"`
	ID     uint64          `cbor:"2,keyasint,omitempty"` // pairs an answer with its request; 0 in a notice
	Budget uint32          `cbor:"3,keyasint,omitempty"` // of a request: milliseconds left for it
	Body   cbor.RawMessage `cbor:"4,keyasint,omitempty"`
}

// NewFrame returns a frame with body encoded; a nil body is left out.
func NewFrame(kind Kind, id uint64, budget time.Duration, body any) (Frame, error) {
	f := Frame{Kind: kind, ID: id, Budget: uint32(max(0, min(budget.Milliseconds(), 1<<32-1)))}
	if body == nil {
		return f, nil
	}
	b, err := Marshal(body)
	f.Body = b
	return f, err
}

// Encode returns the bytes of f.
func (f Frame) Encode() ([]byte, error) { return Marshal(f) }

// DecodeFrame reads one frame. Its error wraps ErrFrame.
func DecodeFrame(b []byte) (Frame, error) {
	var f Frame
	if len(b) > MaxFrame {
		return f, fmt.Errorf("%w: %d bytes, at most %d", ErrFrame, len(b), MaxFrame)
	}
	err := Unmarshal(b, &f)
	if err == nil && f.Kind == 0 {
		err = fmt.Errorf("%w: no kind", ErrFrame)
	}
	return f, err
}

// Decode reads the body of f into body. Its error wraps ErrFrame.
func (f Frame) Decode(body any) error {
	if err := Unmarshal(f.Body, body); err != nil {
		return fmt.Errorf("%s: %w", f.Kind, err)
	}
	return nil
}

// mostUserTypes is how many user types of one delivery are read at all; an agent takes
// far fewer.
const mostUserTypes = 1 << 14

// Of user types beyond readUserTypes only the ID is kept, and of a list within one the
// first readNames names: an agent takes fewer of both, and says so of these.
const (
	readUserTypes = 1001
	readNames     = 257
)

// DecodeUserTypes reads a delivery. One of very many user types is refused before any is
// read, and each is read for itself: an agent would make many times of them what they are
// on the wire.
func (f Frame) DecodeUserTypes() (m UserTypes, err error) {
	var raw struct {
		Revision uint64            `cbor:"1,keyasint"`
		Types    []cbor.RawMessage `cbor:"2,keyasint"`
	}
	if err := f.Decode(&raw); err != nil {
		return m, err
	}
	if len(raw.Types) > mostUserTypes {
		return m, fmt.Errorf("%w: %d user types", ErrFrame, len(raw.Types))
	}
	m.Revision = raw.Revision
	for i, b := range raw.Types {
		var t UserType
		if err := Unmarshal(b, &t); err != nil {
			return UserTypes{}, fmt.Errorf("%s: %w", f.Kind, err)
		}
		if i >= readUserTypes {
			t = UserType{ID: t.ID}
		}
		m.Types = append(m.Types, t.cut())
	}
	return m, nil
}

// cut is a user type whose lists have no more names than are read.
func (t UserType) cut() UserType {
	lists := []*[]string{&t.Correlation, &t.Attributes}
	if t.Groups != nil {
		lists = append(lists, &t.Groups.Include, &t.Groups.Exclude)
	}
	for _, l := range lists {
		if len(*l) > readNames {
			*l = slices.Clone((*l)[:readNames])
		}
	}
	return t
}

// String returns the frame in words, its body in diagnostic notation (RFC 8949
// section 8), for logs at trace level. Sealed passwords are left out.
func (f Frame) String() string {
	text, err := cbor.Diagnose(f.withoutPasswords())
	if err != nil {
		text = "no body"
	}
	return fmt.Sprintf("%s #%d %s", f.Kind, f.ID, text)
}

// withoutPasswords returns the body with empty ones in their place.
func (f Frame) withoutPasswords() []byte {
	var m any
	switch f.Kind {
	case KindSignOn:
		var s SignOn
		if f.Decode(&s) != nil {
			return f.Body
		}
		s.Password, m = Sealed{}, &s
	case KindChangePassword:
		var c ChangePassword
		if f.Decode(&c) != nil {
			return f.Body
		}
		c.Old, c.New, m = Sealed{}, Sealed{}, &c
	default:
		return f.Body
	}
	body, _ := Marshal(m) // it was decoded just now
	return body
}

// Left returns the time that a request leaves its receiver; zero when it says none.
func (f Frame) Left() time.Duration { return time.Duration(f.Budget) * time.Millisecond }

// CommonVersion returns the highest version in both lists, or ErrVersion.
func CommonVersion(ours, theirs []uint16) (uint16, error) {
	var best uint16
	for _, v := range ours {
		if v > best && slices.Contains(theirs, v) {
			best = v
		}
	}
	if best == 0 {
		return 0, ErrVersion
	}
	return best, nil
}

// Versions lists the versions that this code speaks, newest first.
func Versions() []uint16 { return []uint16{Version, Version - 1} }

var (
	encoder = must(cbor.EncOptions{Sort: cbor.SortCoreDeterministic, IndefLength: cbor.IndefLengthForbidden,
		TagsMd: cbor.TagsForbidden}.EncMode())
	decoder = must(cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		MaxNestedLevels:   16,
		MaxArrayElements:  1 << 18,
		MaxMapPairs:       1 << 14,
	}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // the options above are constants
	}
	return v
}

// Marshal encodes v deterministically (RFC 8949 section 4.2.1).
func Marshal(v any) ([]byte, error) { return encoder.Marshal(v) }

// Unmarshal decodes exactly one item into v, strictly. Its error wraps ErrFrame.
func Unmarshal(b []byte, v any) error {
	if err := decoder.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%w: %v", ErrFrame, err)
	}
	return nil
}
