package wire

// Explain asks what a sign-on of a person would bring, without a password. An
// agent answers only when its file allows it: policy.explain.
type Explain struct {
	ID         string `cbor:"1,keyasint"` // of the question, unique for ever
	UserType   string `cbor:"2,keyasint"`
	Revision   uint64 `cbor:"3,keyasint"` // of the UserTypes that the sender means
	Identifier string `cbor:"4,keyasint"` // what the person would type
}

// Explained answers Explain.
type Explained struct {
	ID         string        `cbor:"1,keyasint"`
	Outcome    Outcome       `cbor:"2,keyasint"` // OutcomeOK: one entry was found
	Reason     string        `cbor:"3,keyasint,omitempty"`
	Server     string        `cbor:"4,keyasint,omitempty"` // the directory server that answered
	Entry      *Entry        `cbor:"5,keyasint,omitempty"`
	Account    []AccountFact `cbor:"6,keyasint,omitempty"`
	Membership *Membership   `cbor:"7,keyasint,omitempty"` // nil: the user type wants no groups
	Method     string        `cbor:"8,keyasint,omitempty"` // how groups are found, and why so
	// groups that the user type's rule leaves out, or that are not direct
	Skipped  []Skipped `cbor:"9,keyasint,omitempty"`
	Withheld uint32    `cbor:"10,keyasint,omitempty"` // groups that the agent's own file keeps back, by number only
}

// AccountFact is one thing that a directory says of an account.
type AccountFact struct {
	Name   string `cbor:"1,keyasint"`
	State  string `cbor:"2,keyasint"` // "fine", "hinders", "depends" or "notReadable"
	Detail string `cbor:"3,keyasint,omitempty"`
}

// Skipped is a group that would not come, and why.
type Skipped struct {
	DN     string `cbor:"1,keyasint"`
	Reason string `cbor:"2,keyasint"`
}
