package provisioner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"ldap-gateway/cloud/store"

	"github.com/google/uuid"
)

// Why a sign-on is refused although the person was proven. Nothing was written.
var (
	// ErrAmbiguousRecord says that the correlation values lead to several
	// records and to no single one.
	ErrAmbiguousRecord = errors.New("the directory entry belongs to more than one user")
	// ErrUsernameTaken says that a new person's username is another record's.
	ErrUsernameTaken = errors.New("the username is taken by another user")
	// ErrUsernameOfOthers says that the patterns of another user type claim a new person's
	// username.
	ErrUsernameOfOthers = errors.New("the username is one that another user type is for")
	// ErrNoUsername says that the source has no value for a new person's username.
	ErrNoUsername = errors.New("there is no value for the username")
	// ErrDisabled says that the person's record is disabled in the cloud.
	ErrDisabled = errors.New("the user is disabled in the cloud")
	// ErrUnknownRecord says that the person has no record and that the sign-on
	// brought nothing to make one of.
	ErrUnknownRecord = errors.New("the user is not known yet")
	// ErrMoved says that the person's record came to another user type while the directory was asked as this one says.
	ErrMoved = errors.New("the user has been moved to another user type meanwhile: signing on again asks as that one says")
)

// Verdict says how far a list of groups may be trusted. Its zero value is
// taken for Unknown.
type Verdict uint8

// The verdicts.
const (
	Complete Verdict = 1 // every direct group: may add and remove
	Partial  Verdict = 2 // some of them: may only add
	Unknown  Verdict = 3 // changes nothing
)

// String returns the verdict's word in the API.
func (v Verdict) String() string {
	switch v {
	case Complete:
		return "complete"
	case Partial:
		return "partial"
	}
	return "unknown"
}

// Identity is what a proven sign-on said.
type Identity struct {
	EnvironmentID string
	SourceType    store.Source // of its groups
	SourceID      string       // the gateway, or the identity provider
	UserTypeID    string
	PopulationID  string // that a new user joins; empty: the default one, or of store.SourceIDP nobody
	UserID        string // of the record, when the caller knows it; empty: to be found
	// Known is the record as the caller has read it in this sign-on; nil: not at all. It
	// saves reading it anew unless it has changed since.
	Known       *store.User
	Subject     store.Subject // of store.SourceIDP: whom the provider speaks of
	SignOnID    string
	Username    string // as typed
	At          time.Time
	DN          string // of the entry
	Correlation []store.Correlation
	// Properties are the mapped values: "username", "name.given",
	// "name.family", "email", "externalId", and others, which become
	// attributes. Nil when the record is not to be touched.
	Properties map[string]string
	// Mapped lists the properties that the user type fills. One that has no
	// value in Properties is cleared; one not listed is left alone. Nil: all.
	Mapped        []string
	GroupIdentity string      // "NAME" (also when empty) or "ID"
	Membership    *Membership // nil: groups were not asked for
	Evidence      *Evidence   // nil: nobody was asked yet
	Once          []string    // properties that are filled while they are empty, and left alone then
	GroupsOnce    bool        // groups are left alone once the user has one of the source
	Update        bool        // the user type's switch

	askedAs string // user type of the record as whose person the directory was asked; empty: of none
}

// Membership is a person's direct groups.
type Membership struct {
	Verdict Verdict
	Reason  string // why not complete
	Groups  []Group
	// Whole says of a partial list that only what the reason names was left aside, so
	// that the directory can be asked about the user's other groups. Of a list that was
	// cut off most groups would have to be asked about at each sign-on.
	Whole bool
	// Unconfirmed says that the directory does not vouch for the list: what it would
	// join needs evidence as well.
	Unconfirmed bool
}

// Group is one direct group.
type Group struct {
	Name        string // DN, or the name an identity provider gave
	DisplayName string // empty: the name
	ID          string // immutable; empty when the directory has none
	Stamp       string // of its state in the directory; empty when it has none
}

// FieldChange is one property that changed.
type FieldChange struct{ Name, Before, After string }

// Change is what a sign-on did.
type Change struct {
	User             store.User // as it is now
	Created, Updated bool       // the record is new; something of an older one was written
	Fields           []FieldChange
	GroupsCreated    []store.Group
	GroupsRenamed    []store.Group // as they are now; their name or display name changed
	Added, Removed   []store.Group // memberships
	Groups           []store.Group // all that the user is in now, in no order; nil: they were not looked at
	Verdict          string        // empty: groups were not asked for, or not looked at
	Reason           string        // in words: why nothing or only a part was done, or what was
}

// Provisioner applies sign-ons. Safe for concurrent use; a node has one, which knows
// what each source has had it write.
type Provisioner struct {
	Store         *store.Store
	MostNewGroups int           // of one source within an hour; 0: the usual
	MostChanges   int           // of groups and memberships, of one source within an hour; 0: the usual
	LargeWait     time.Duration // of a large list for those before it; 0: the usual

	budget budget
}

// storable returns the identity with its texts as they are kept, so that what comes is
// compared with what is kept.
func (id Identity) storable() Identity {
	id.DN, id.Username = store.Storable(id.DN), store.Storable(id.Username)
	id.Properties = maps.Clone(id.Properties)
	for name, value := range id.Properties {
		id.Properties[name] = store.Storable(value)
	}
	id.Correlation = slices.Clone(id.Correlation)
	for i := range id.Correlation {
		id.Correlation[i].Value = store.Storable(id.Correlation[i].Value)
	}
	if id.Membership != nil {
		m := *id.Membership
		m.Groups = slices.Clone(m.Groups)
		for i, g := range m.Groups {
			m.Groups[i] = Group{
				Name:        store.Storable(g.Name),
				DisplayName: store.Storable(g.DisplayName),
				ID:          store.Storable(g.ID),
				Stamp:       store.Storable(g.Stamp),
			}
		}
		id.Membership = &m
	}
	return id
}

// step is one Apply.
type step struct {
	tx          *store.Tx
	id          Identity
	so          *store.SignOn
	change      Change
	unconfirmed int      // groups that memberOf has and nobody confirmed
	unasked     int      // of these, those that nobody asked about for want of room
	refreshed   bool     // the record was made, or held against what the directory says
	notes       []string // of what was not done, and why
	leftOut     int      // groups that the source's budget has no room for
	budget      *Provisioner
	ahead       bool             // what is much is written in turns of its own, before
	list        *store.LargeList // of the memberships among it; nil: none
	made        int              // of the source's budget, spent on those
	known       *store.User      // the record, when it has been read; nil: to be looked for
	before      time.Time        // when the record had last been changed
	had         []store.Group    // all of the user's groups before; nil: not looked at
	// userGroups reads those, as memberships.
	userGroups func(ctx context.Context, env, user string) ([]store.GroupMembership, error)
	groups     int // spent of the source's budget, and so are changes
	changes    int
	activities []store.Activity
}

// apply is one Apply but for recording it: find or create, and follow the directory. Of
// what it writes it reads nothing.
func (s *step) apply(ctx context.Context) error {
	if err := s.begin(); err != nil {
		return err
	}
	known, err := s.find(ctx)
	if err != nil {
		return err
	}
	switch {
	case known && s.id.askedAs != "" && s.change.User.UserTypeID != s.id.askedAs:
		return ErrMoved
	case known && !s.change.User.MaySignOn():
		return ErrDisabled
	case !known:
		err = s.create(ctx)
	case s.updates():
		err = s.update(ctx)
	}
	return err
}

// begin fills in what the caller left out of the sign-on.
func (s *step) begin() error {
	fresh, err := uuid.NewV7()
	if err != nil {
		return err
	}
	s.so.EnvironmentID = s.id.EnvironmentID
	s.so.ID = cmp.Or(s.so.ID, s.id.SignOnID, fresh.String())
	s.so.At = cmp.Or(s.so.At, s.id.At, time.Now()).UTC().Truncate(time.Microsecond)
	s.so.Outcome = cmp.Or(s.so.Outcome, store.SignedOnOK)
	return nil
}

// updates tells whether a known record is brought up to date, and notes why not.
func (s *step) updates() bool {
	switch {
	case s.so.Method == store.ByKerberos:
		s.note("a Kerberos sign-on does not update the record")
	case !s.id.Update && !s.first():
		s.note("updates on sign-on are off")
	case s.id.Properties == nil:
		s.note("the sign-on did not ask for the record")
	default:
		return true
	}
	return false
}

// first tells whether a known record, which an administrator linked, has never met its
// entry: then this is the first sign-on, and brings what a first one does.
func (s *step) first() bool {
	u := s.change.User
	return s.id.SourceType == store.SourceGateway && u.GatewayID == s.id.SourceID && len(u.Correlation) == 0
}

// note keeps why something was not done; the record of the sign-on has all of them.
func (s *step) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

// create makes the record of a person who signs on for the first time.
func (s *step) create(ctx context.Context) error {
	if s.id.Properties == nil {
		return ErrUnknownRecord
	}
	s.refreshed = true
	if err := s.createUser(ctx); err != nil {
		return err
	}
	return s.follow(ctx)
}

// update brings a known record up to date, properties first: a person whose groups
// cannot be told is at least called right.
func (s *step) update(ctx context.Context) error {
	s.refreshed, s.before = true, s.change.User.UpdatedAt
	if err := s.updateUser(ctx); err != nil {
		return err
	}
	if err := s.follow(ctx); err != nil {
		return err
	}
	c := &s.change
	c.Updated = len(c.Fields)+len(c.Added)+len(c.Removed)+len(c.GroupsRenamed) > 0
	return nil
}

// conclude says in the sign-on what it did.
func (s *step) conclude() {
	s.change.Reason = s.reason()
	so := s.so
	so.UserID, so.Updated, so.UpdateReason = s.change.User.ID, s.change.Created || s.change.Updated, s.change.Reason
	so.Added, so.Removed, so.Line = idsOf(s.change.Added), idsOf(s.change.Removed), s.line()
	s.change.User.LastSignOnAt = so.At
	s.change.Groups = s.groupsNow()
}

// groupsNow are all of the user's groups after this; nil when they were not looked at.
func (s *step) groupsNow() []store.Group {
	if s.had == nil {
		return nil
	}
	now := append(without(s.had, s.change.Removed), s.change.Added...)
	for i, g := range now {
		for _, renamed := range s.change.GroupsRenamed {
			if renamed.ID == g.ID {
				now[i] = renamed
			}
		}
	}
	if now == nil {
		now = []store.Group{}
	}
	return now
}
