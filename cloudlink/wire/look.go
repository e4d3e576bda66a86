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

var lookReasonNames = [...]string{
	LookMembersHidden: "membersHidden", LookNotVisible: "notVisible", LookComputed: "computed", LookBehind: "behind",
	LookConnection: "connection", LookPerson: "person", LookTooMany: "tooMany", LookTime: "time",
	LookElsewhere: "elsewhere", LookFailed: "failed", LookNoID: "noID", LookOtherDomain: "otherDomain",
	LookMalformed: "malformed", LookNotAsked: "notAsked", LookOldAgent: "oldAgent",
}

// Known tells whether r is one of the closed set.
func (r LookReason) Known() bool { return r >= LookMembersHidden && int(r) < len(lookReasonNames) }

// String returns the reason's name as the API writes it; "reason 99" when it is not known.
func (r LookReason) String() string {
	if !r.Known() {
		return fmt.Sprintf("reason %d", uint8(r))
	}
	return lookReasonNames[r]
}

// For returns the answer as a version of the wire has it.
func (r SignOnResult) For(version uint16) SignOnResult {
	r.Membership = r.Membership.before(version)
	r.Observed = r.Observed && version >= 2
	return r
}

// For returns the answer as a version of the wire has it.
func (e Explained) For(version uint16) Explained {
	e.Membership = e.Membership.before(version)
	return e
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
