package wire

import "fmt"

// Look asks, within a sign-on that has just ended well, how the person stands to
// some groups: those that the record has and the answer did not list, and those
// that it would join by a memberOf that the directory does not compute. It names
// no filter and no base; an agent answers once for each sign-on. Since version 2.
type Look struct {
	ID       string      `cbor:"1,keyasint"` // of the sign-on
	UserType string      `cbor:"2,keyasint"`
	Revision uint64      `cbor:"3,keyasint"` // of the UserTypes that the sender means
	Groups   []LookGroup `cbor:"4,keyasint"`
}

// LookGroup is one group that is asked about.
type LookGroup struct {
	DN    string `cbor:"1,keyasint"`
	ID    string `cbor:"2,keyasint,omitempty"` // immutable; empty when groups go by name
	Stamp string `cbor:"3,keyasint,omitempty"` // as in Group, when the record joined it
}

// Looked answers Look.
type Looked struct {
	ID      string  `cbor:"1,keyasint"` // of the sign-on
	Outcome Outcome `cbor:"2,keyasint"` // OutcomeOK; OutcomeNotAllowed and OutcomeBusy tell nothing of any group
	Groups  []Sight `cbor:"3,keyasint,omitempty"`
}

// Sight is how a person stands to one group, in the place of the question.
type Sight struct {
	Finding Finding    `cbor:"1,keyasint"`
	Reason  LookReason `cbor:"2,keyasint,omitempty"` // with FindingUntellable
	Stamp   string     `cbor:"3,keyasint,omitempty"` // of the group, when it was seen
}

// Finding is what a directory shows of one person and one group. The set is
// closed and its numbers are final; one that is not known is worth as much as
// FindingUntellable.
type Finding uint8

// The findings. Seen, renamed, gone and outside are evidence that the person is
// not, or not any more to the cloud, in the group.
const (
	FindingStill      Finding = 1 // the person is a member
	FindingSeen       Finding = 2 // the group was seen, without the person
	FindingRenamed    Finding = 3 // the same under another name
	FindingGone       Finding = 4 // nothing has that name, or that ID, any more
	FindingUntellable Finding = 5
	FindingOutside    Finding = 6 // the agent's file or the user type does not let it out; the directory was not asked
)

// Evidence tells whether f shows that the group may be taken away.
func (f Finding) Evidence() bool {
	return f == FindingSeen || f == FindingRenamed || f == FindingGone || f == FindingOutside
}

// LookReason is why it cannot be told how a person stands to a group. The set is
// closed and its numbers are final.
type LookReason uint8

// The reasons.
const (
	LookMembersHidden LookReason = 1  // the group can be seen, who is in it cannot
	LookNotVisible    LookReason = 2  // it cannot be seen, or it is gone together with its place
	LookComputed      LookReason = 3  // its members are computed, with the rights of the service account
	LookBehind        LookReason = 4  // the directory server has an older state than was seen before
	LookConnection    LookReason = 5  // the connection of the first answer is lost
	LookPerson        LookReason = 6  // the person's entry is another one now
	LookTooMany       LookReason = 7  // more groups than are looked at in one sign-on
	LookTime          LookReason = 8  // no time was left
	LookElsewhere     LookReason = 9  // the directory server refers to another one
	LookFailed        LookReason = 10 // the directory server answered with an error
	LookNoID          LookReason = 11 // the group's ID cannot be read or searched for
	LookOtherDomain   LookReason = 12 // it is of another domain
	LookMalformed     LookReason = 13 // its name is no DN
	LookNotAsked      LookReason = 14 // the agent was not asked, or did not answer; never sent
	LookOldAgent      LookReason = 15 // the agent is too old to be asked; never sent
)

// lookReasons has the name of each reason, and what it means and what helps in words
// for an administrator of the cloud.
var lookReasons = [...]struct{ name, words, remedy string }{
	LookMembersHidden: {"membersHidden", "the members of the groups cannot be read",
		"Give the gateway's service account the right to search and read the members of groups"},
	LookNotVisible: {"notVisible", "the groups cannot be seen any more, or are gone together with their place",
		"Give the gateway's service account the right to read them; if they were deleted, remove the users"},
	LookComputed: {
		"computed",
		"the directory computes the members of the groups, so that it cannot be told who is not in them",
		"Remove the users who are not meant to be in them",
	},
	LookBehind: {"behind", "the directory server has an older state of the groups than was seen before",
		"See that the directory's replication works: the next sign-on after it follows"},
	LookConnection: {
		"connection",
		"the connection to the directory was lost",
		"Nothing has to be done: the next sign-on asks again",
	},
	LookPerson: {
		"person",
		"the user's entry was changed during the sign-on",
		"Nothing has to be done: the next sign-on asks again",
	},
	LookTooMany: {
		"tooMany",
		"there are more such groups than are looked at in one sign-on",
		"Nothing has to be done: the next sign-ons ask about the others",
	},
	LookTime: {"time", "the directory did not answer in time", "See how fast the directory is: ldap-gateway check"},
	LookElsewhere: {
		"elsewhere",
		"the directory server refers to another one for the groups",
		"Have the gateway ask the server that has the groups",
	},
	LookFailed: {
		"failed",
		"the directory server answered with an error",
		"The log of the gateway has the error: ldap-gateway check",
	},
	LookNoID: {"noID", "the immutable IDs of the groups cannot be read or searched for",
		"Give the gateway's service account the right to search for entries by their ID"},
	LookOtherDomain: {
		"otherDomain",
		"the groups are of another domain than the user",
		"Join that domain by a gateway of its own, or remove the users",
	},
	LookMalformed: {"malformed", "the names of the groups are no DNs", "Remove the users"},
	LookNotAsked: {
		"notAsked",
		"the gateway's instance did not answer the question",
		"See that the instance is connected and not overloaded: ldap-gateway status",
	},
	LookOldAgent: {"oldAgent", "the gateway's instance is too old to show it", "Update ldap-gateway on its machine"},
}

// Known tells whether r is one of the closed set.
func (r LookReason) Known() bool { return r >= LookMembersHidden && int(r) < len(lookReasons) }

// LookReasonOf returns the reason with a name; LookNotAsked for one that is not known.
func LookReasonOf(name string) LookReason {
	for r := LookMembersHidden; r.Known(); r++ {
		if lookReasons[r].name == name {
			return r
		}
	}
	return LookNotAsked
}

// Words says in words what r means, and Remedy what helps. Both are for an
// administrator of the cloud; one that is not known is as good as LookNotAsked.
func (r LookReason) Words() string { return lookReasons[r.orNotAsked()].words }

// Remedy is said with Words.
func (r LookReason) Remedy() string { return lookReasons[r.orNotAsked()].remedy }

func (r LookReason) orNotAsked() LookReason {
	if !r.Known() {
		return LookNotAsked
	}
	return r
}

// String returns the reason's name as the API writes it; "reason 99" when it is not known.
func (r LookReason) String() string {
	if !r.Known() {
		return fmt.Sprintf("reason %d", uint8(r))
	}
	return lookReasons[r].name
}

// For returns the answer as a version of the wire has it.
func (r SignOnResult) For(version uint16) SignOnResult {
	r.Entry, r.Membership = r.Entry.before(version), r.Membership.before(version)
	r.Observed = r.Observed && version >= 2
	return r
}

// For returns the answer as a version of the wire has it.
func (e Explained) For(version uint16) Explained {
	e.Entry, e.Membership = e.Entry.before(version), e.Membership.before(version)
	return e
}

// before leaves out what version 1 does not have.
func (e *Entry) before(version uint16) *Entry {
	if e == nil || version >= 2 {
		return e
	}
	return &Entry{DN: e.DN, Correlation: e.Correlation, Attributes: e.Attributes}
}

// before leaves out what version 1 does not have.
func (m *Membership) before(version uint16) *Membership {
	if m == nil || version >= 2 {
		return m
	}
	old := Membership{Verdict: m.Verdict, Reason: m.Reason, Groups: make([]Group, len(m.Groups))}
	for i, g := range m.Groups {
		old.Groups[i] = Group{DN: g.DN, Name: g.Name, ID: g.ID}
	}
	return &old
}
