package wire

// Hello is an agent's first frame on a link.
type Hello struct {
	Versions   []uint16 `cbor:"1,keyasint"` // of the wire
	Software   string   `cbor:"2,keyasint"` // version of the agent
	Hostname   string   `cbor:"3,keyasint,omitempty"`
	System     string   `cbor:"4,keyasint,omitempty"` // operating system and architecture, as in "linux/amd64"
	PolicyHash string   `cbor:"5,keyasint,omitempty"` // of the policy in the customer's file
	Policy     []string `cbor:"6,keyasint,omitempty"` // the policy in words, a line each
}

// Welcome is the cloud's answer to Hello; the link is up when it arrives.
type Welcome struct {
	Version         uint16 `cbor:"1,keyasint"` // of the wire, in use from now on
	Gateway         string `cbor:"2,keyasint,omitempty"`
	Node            string `cbor:"3,keyasint,omitempty"` // which node of the cloud this is
	HeartbeatMillis uint32 `cbor:"4,keyasint"`
	Epoch           uint64 `cbor:"5,keyasint"` // to be kept, and claimed at the next dial
	// At is the cloud's clock, in milliseconds since 1970. Since version 2.
	At uint64 `cbor:"6,keyasint,omitempty"`
}

// For returns the welcome as a version of the wire has it.
func (w Welcome) For(version uint16) Welcome {
	if version < 2 {
		w.At = 0
	}
	return w
}

// UserTypes delivers the user types of the gateway ahead of any sign-on. It
// replaces what was delivered before.
type UserTypes struct {
	Revision uint64     `cbor:"1,keyasint"` // grows with every change of any of them
	Types    []UserType `cbor:"2,keyasint,omitempty"`
}

// UserType is what an agent needs to know of a user type. Whether a sign-on
// updates the record, and how attributes become one, is the cloud's business.
type UserType struct {
	ID   string `cbor:"1,keyasint"`
	Name string `cbor:"2,keyasint"`
	// DN; empty: where the agent's file lets people be looked for, if that is one place
	SearchBase  string     `cbor:"3,keyasint"`
	Filter      string     `cbor:"4,keyasint"`           // RFC 4515, with ${identifier} for what the person typed
	Correlation []string   `cbor:"5,keyasint"`           // attributes that identify an entry, in order
	Attributes  []string   `cbor:"6,keyasint,omitempty"` // attributes that the mapping needs
	Groups      *GroupRule `cbor:"7,keyasint,omitempty"` // nil: no groups are wanted
	// ChangePasswords lets people change their passwords, as far as the agent's
	// own file does too.
	ChangePasswords bool `cbor:"8,keyasint,omitempty"`
}

// GroupRule says which groups of a user are wanted and what of them.
type GroupRule struct {
	SearchBase    string   `cbor:"1,keyasint,omitempty"` // DN; empty: the directory's base
	NameAttribute string   `cbor:"2,keyasint,omitempty"` // of the display name; empty: cn
	Include       []string `cbor:"3,keyasint,omitempty"` // patterns on the DN with *; none: all
	Exclude       []string `cbor:"4,keyasint,omitempty"` // patterns on the DN with *, after Include
	WithID        bool     `cbor:"5,keyasint,omitempty"` // the groups' immutable IDs are wanted too
}

// UserTypesAnswer tells what the agent made of UserTypes.
type UserTypesAnswer struct {
	Revision uint64    `cbor:"1,keyasint"`
	Refused  []Refused `cbor:"2,keyasint,omitempty"` // every type not listed is accepted
}

// Refused is a user type that the agent will not serve, and why.
type Refused struct {
	ID      string   `cbor:"1,keyasint"`
	Reasons []string `cbor:"2,keyasint"`
	// RetryMillis is after how long the same would be taken; 0: never. Since version 2.
	RetryMillis uint32 `cbor:"3,keyasint,omitempty"`
}

// For returns the answer as a version of the wire has it.
func (a UserTypesAnswer) For(version uint16) UserTypesAnswer {
	if version >= 2 {
		return a
	}
	old := UserTypesAnswer{Revision: a.Revision}
	for _, r := range a.Refused {
		old.Refused = append(old.Refused, Refused{ID: r.ID, Reasons: r.Reasons})
	}
	return old
}

// Heartbeat carries what the console shows of an instance.
type Heartbeat struct {
	BusyPercent         uint8     `cbor:"1,keyasint"` // of the bounded handlers
	OperationsPerSecond float64   `cbor:"2,keyasint"` // sign-ons, since the last heartbeat
	ResponseTimeMillis  float64   `cbor:"3,keyasint"` // median of a sign-on since the last heartbeat; 0 without one
	Servers             []Server  `cbor:"4,keyasint,omitempty"`
	Problems            []Problem `cbor:"5,keyasint,omitempty"`
	Epoch               uint64    `cbor:"6,keyasint"`           // that the instance has kept
	Attributes          []string  `cbor:"7,keyasint,omitempty"` // that the directory has and that may leave
}

// Rotate replaces an instance's keys. Both the old and the new signing key sign
// RotateProof: who asks has both.
type Rotate struct {
	PublicKey []byte `cbor:"1,keyasint"` // Ed25519
	SealKey   []byte `cbor:"2,keyasint"` // HPKE X-Wing
	Old       []byte `cbor:"3,keyasint"` // signature
	New       []byte `cbor:"4,keyasint"` // signature
}

// Rotated answers Rotate: from now on only the new keys are good.
type Rotated struct {
	Fingerprint string `cbor:"1,keyasint"`
}

// Server is the state of one directory server.
type Server struct {
	URL    string `cbor:"1,keyasint"`
	State  string `cbor:"2,keyasint"` // "up", "down" or "unused"
	Vendor string `cbor:"3,keyasint,omitempty"`
	Error  string `cbor:"4,keyasint,omitempty"` // why it is down
}

// Problem is a named thing that is wrong, with its remedy.
type Problem struct {
	Code     string `cbor:"1,keyasint"`
	Text     string `cbor:"2,keyasint"`
	Remedy   string `cbor:"3,keyasint,omitempty"`
	Severity string `cbor:"4,keyasint,omitempty"` // SeverityError, "warning" or SeverityInfo; empty: a warning
}

// Severities of problems. With an error nobody can sign on through the instance;
// of an information nobody needs to do anything.
const (
	SeverityError = "error"
	SeverityInfo  = "info"
)

// Want says what a sign-on is to bring besides its outcome.
type Want uint8

const (
	// WantVerify asks for the outcome alone: no profile, no group search.
	WantVerify Want = 1
	// WantRecord asks for the mapped attributes and the direct groups.
	WantRecord Want = 2
)

// SignOn asks an agent to check one person's password. It names no filter and
// no search base: those came with the user type.
type SignOn struct {
	ID         string `cbor:"1,keyasint"` // of the sign-on, unique for ever
	UserType   string `cbor:"2,keyasint"`
	Revision   uint64 `cbor:"3,keyasint"` // of the UserTypes that the sender means
	Identifier string `cbor:"4,keyasint"` // what the person typed
	Password   Sealed `cbor:"5,keyasint"`
	Want       Want   `cbor:"6,keyasint"`
	// Known lists the correlation values of the record that the cloud has for
	// the identifier. With them, WantVerify holds for that entry only: when the
	// identifier leads to another entry, that one is answered as WantRecord.
	// They also find the entry when the identifier finds none.
	Known []Correlation `cbor:"7,keyasint,omitempty"`
	// Since version 2.
	Browser Browser `cbor:"8,keyasint,omitempty"`
}

// Browser says what the cloud knows of where a password was typed. The cloud may say what it likes:
// no more is tried by it than gateway.hcl allows.
type Browser uint8

const (
	// BrowserUnsaid is of a program that asks for somebody, or of a cloud of version 1.
	BrowserUnsaid Browser = 0
	// BrowserStrange is of a browser by which the person has not signed on lately.
	BrowserStrange Browser = 1
	// BrowserKnown is of one by which they have.
	BrowserKnown Browser = 2
)

// Correlation is one identifying value of an entry, in text form.
type Correlation struct {
	Attribute string `cbor:"1,keyasint"`
	Value     string `cbor:"2,keyasint"`
}

// Sealed is a password that only one instance can read, for one sign-on only.
type Sealed struct {
	Key []byte `cbor:"1,keyasint"` // names the sealing key: SHA-256 of its encapsulation, 16 bytes of it
	// HPKE encapsulation (RFC 9180), until the recipient is known to have it
	Encap      []byte `cbor:"2,keyasint,omitempty"`
	Nonce      []byte `cbor:"3,keyasint"`
	Ciphertext []byte `cbor:"4,keyasint"`
	// At is when it was sealed, by the cloud's clock, in milliseconds since 1970; 0: by
	// a cloud of version 1. Nobody can alter it. Since version 2.
	At uint64 `cbor:"5,keyasint,omitempty"`
}

// SignOnResult answers SignOn.
type SignOnResult struct {
	ID      string  `cbor:"1,keyasint"` // of the sign-on
	Outcome Outcome `cbor:"2,keyasint"`
	Reason  string  `cbor:"3,keyasint,omitempty"` // for the administrator
	// BindSent is true as soon as a bind with the person's password may have
	// reached a directory. Nobody may try the sign-on again then.
	BindSent    bool        `cbor:"4,keyasint,omitempty"`
	KeyUnknown  bool        `cbor:"5,keyasint,omitempty"` // seal again with Encap; no bind was sent
	RetryMillis uint32      `cbor:"6,keyasint,omitempty"` // with OutcomeBusy: when to come back
	Entry       *Entry      `cbor:"7,keyasint,omitempty"` // the person's, when the outcome is OutcomeOK
	Membership  *Membership `cbor:"8,keyasint,omitempty"` // nil: groups were not asked for
	Server      string      `cbor:"9,keyasint,omitempty"` // the directory server that answered
	// Observed says that the agent's file only shows what it would let out: Entry has
	// no more than the one of Known that fits, or is nil. Since version 2.
	Observed bool `cbor:"10,keyasint,omitempty"`
}

// Entry is what leaves the premises of a person's directory entry.
type Entry struct {
	DN string `cbor:"1,keyasint"`
	// in the user type's order; an attribute without value is left out
	Correlation []Correlation `cbor:"2,keyasint"`
	// only with WantRecord; named as the user type names them
	Attributes map[string][]string `cbor:"3,keyasint,omitempty"`
	// TooLarge names attributes that have values, too large to be sent: what the record
	// has of them is to stay. Since version 2.
	TooLarge []string `cbor:"4,keyasint,omitempty"`
}

// Verdict says how far a list of groups may be trusted.
type Verdict uint8

const (
	// VerdictComplete is every direct group: it may add and remove.
	VerdictComplete Verdict = 1
	// VerdictPartial is some of the direct groups: it may only add.
	VerdictPartial Verdict = 2
	// VerdictUnknown says nothing: it changes nothing.
	VerdictUnknown Verdict = 3
)

// String returns the verdict's word in the API, "unknown" for a number not known.
func (v Verdict) String() string {
	switch v {
	case VerdictComplete:
		return "complete"
	case VerdictPartial:
		return "partial"
	}
	return "unknown"
}

// Membership is a person's direct groups.
type Membership struct {
	Verdict Verdict `cbor:"1,keyasint"`
	Reason  string  `cbor:"2,keyasint,omitempty"` // why not complete
	Groups  []Group `cbor:"3,keyasint,omitempty"`
	// Unconfirmed says that the groups come from a memberOf that the directory does
	// not compute: one that the record would join is asked about first. Since version 2.
	Unconfirmed bool `cbor:"4,keyasint,omitempty"`
	// Whole says that only what is named in Reason was left aside: that a group of the
	// record is not in the list can be asked about. Since version 2.
	Whole bool `cbor:"5,keyasint,omitempty"`
}

// Group is one direct group.
type Group struct {
	DN   string `cbor:"1,keyasint"`
	Name string `cbor:"2,keyasint,omitempty"` // display name; empty when the group has none
	ID   string `cbor:"3,keyasint,omitempty"` // immutable ID in text form; empty when the directory has none
	// Stamp tells two states of the group apart, as the directory counts them: of two,
	// the greater one is newer. Empty when the directory does not tell. Since version 2.
	Stamp string `cbor:"4,keyasint,omitempty"`
}

// GoingAway of an agent asks for no more requests; it still serves those under
// way, and closes. GoingAway of a cloud, which is also its answer to an agent's,
// says that no more requests come on this link.
type GoingAway struct {
	Reason string `cbor:"1,keyasint,omitempty"`
}
