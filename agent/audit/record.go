package audit

import "time"

// Record is one line. Exactly one of the parts is there.
type Record struct {
	Time     time.Time `json:"time"`
	Event    string    `json:"event"` // filled in by Write, after the part that is there
	Instance string    `json:"instance,omitempty"`

	SignOn    *SignOn    `json:"signOn,omitempty"`
	Password  *Password  `json:"passwordChange,omitempty"`
	Explain   *Explain   `json:"explain,omitempty"`
	Look      *Look      `json:"look,omitempty"`
	UserTypes *UserTypes `json:"userTypes,omitempty"`
	Link      *Link      `json:"link,omitempty"`
	Frame     *Frame     `json:"frame,omitempty"`
	Lost      int        `json:"lost,omitempty"` // lines that could not be written before this one
}

// SignOn is a request to check one person's password, and its answer.
type SignOn struct {
	ID       string `json:"id"`
	UserType string `json:"userType"`
	DN       string `json:"dn,omitempty"` // of the entry; empty: none was found, or none was looked for
	Outcome  string `json:"outcome"`
	Reason   string `json:"reason,omitempty"`
	BindSent bool   `json:"bindSent"`
	Verdict  string `json:"verdict,omitempty"` // empty: groups were not asked for
	Groups   int    `json:"groups"`            // that left
	Millis   int64  `json:"millis"`
}

// Password is a request to change one person's password, and its answer.
type Password struct {
	ID       string `json:"id"`
	UserType string `json:"userType"`
	DN       string `json:"dn,omitempty"` // of the entry; empty: none was found, or none was looked for
	Outcome  string `json:"outcome"`
	Refusal  string `json:"refusal,omitempty"` // why the directory did not take the new password
	Reason   string `json:"reason,omitempty"`
	BindSent bool   `json:"bindSent"`
	Millis   int64  `json:"millis"`
}

// Explain is a question what a sign-on of a person would bring, without a
// password, and its answer.
type Explain struct {
	ID       string `json:"id"`
	UserType string `json:"userType"`
	DN       string `json:"dn,omitempty"` // of the entry; empty: none was found, or none was looked for
	Outcome  string `json:"outcome"`
	Reason   string `json:"reason,omitempty"`
	Groups   int    `json:"groups"` // that left
	Millis   int64  `json:"millis"`
}

// Look is a question, after a sign-on, how its person stands to single groups.
type Look struct {
	ID         string `json:"id"` // of the sign-on
	UserType   string `json:"userType"`
	DN         string `json:"dn,omitempty"` // of the entry; empty: the question is refused
	Outcome    string `json:"outcome"`
	Groups     int    `json:"groups"` // that were asked about
	Untellable int    `json:"untellable"`
	Millis     int64  `json:"millis"`
}

// UserTypes is a delivery of user types.
type UserTypes struct {
	Revision uint64     `json:"revision"`
	Accepted int        `json:"accepted"`
	Refused  int        `json:"refused"`
	Types    []UserType `json:"types"` // the refused ones first; at most MostTypes
}

// MostTypes bounds how many user types a line names.
const MostTypes = 20

// UserType is what became of one user type.
type UserType struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Reasons []string `json:"reasons,omitempty"` // why it is refused; none: it is accepted
}

// Link is what happened to the link.
type Link struct {
	What  string `json:"what"` // "opened", "closed" or "refused"
	Node  string `json:"node,omitempty"`
	Why   string `json:"why,omitempty"`
	Times int    `json:"times,omitempty"` // with "refused": so often in a row by now
}

// Frame is a message of the cloud that was not acted on.
type Frame struct {
	Kind string `json:"kind,omitempty"` // empty: it could not be told
	Why  string `json:"why"`
}

// event names a record after its part.
func (r *Record) event() string {
	switch {
	case r.SignOn != nil:
		return "signOn"
	case r.Password != nil:
		return "passwordChange"
	case r.Explain != nil:
		return "explain"
	case r.Look != nil:
		return "look"
	case r.UserTypes != nil:
		return "userTypes"
	case r.Link != nil:
		return "link"
	}
	return "frame"
}
