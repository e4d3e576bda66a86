package provisioner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
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
	// saves reading it anew where nothing is compared with it.
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

// Apply brings the record of the person up to date as far as the rules allow
// it, and records the sign-on in the same transaction. It fills in what so says
// of the record: UserID, Updated, UpdateReason, Verdict, VerdictReason, Added,
// Removed; and ID, EnvironmentID, At and Outcome when they are empty.
//
// When it returns an error nothing was written, the sign-on included: one of
// the errors above; *EvidenceWanted; store.ErrNotFound when the population, the gateway or
// UserID does not exist; store.ErrConflict when that sign-on was applied before.
func (p *Provisioner) Apply(ctx context.Context, id Identity, so *store.SignOn) (Change, error) {
	if so.Method == store.ByKerberos {
		id.Properties, id.Membership = nil, nil
	}
	done, ok := p.large(ctx, id)
	if !ok {
		m := *id.Membership
		m.Verdict, m.Reason = Unknown, "its source brings too many large lists of groups at once"
		id.Membership = &m
	}
	id = id.storable()
	changes := 0
	defer func() { done(changes) }()
	if change, done, err := p.unchanged(ctx, id, so); done || err != nil {
		return change, err
	}
	recorded := *so
	s := &step{id: id, so: &recorded, budget: p}
	if err := p.Store.Provision(ctx, func(tx *store.Tx) error {
		s.tx = tx
		return s.run(ctx)
	}); err != nil {
		p.giveBack(id.SourceID, s.groups, s.changes)
		return Change{}, fmt.Errorf("provision: %w", err)
	}
	*so, changes = recorded, s.changes
	return s.change, nil
}

// unchanged applies a sign-on that changes nothing, which most are, and tells whether it
// was one. What it compares is read before the turn; within it, it is only looked whether
// the sign-on leads to the same record. *EvidenceWanted is known before the turn, too;
// all else that keeps somebody out is decided within it.
func (p *Provisioner) unchanged(ctx context.Context, id Identity, so *store.SignOn) (Change, bool, error) {
	of, ok := id.identified()
	if !ok {
		return Change{}, false, nil
	}
	recorded := *so
	s := &step{id: id, so: &recorded, budget: p, known: id.read()}
	all, err := p.Store.Rehearse(func(tx *store.Tx) error {
		s.tx = tx
		return s.apply(ctx)
	})
	p.giveBack(id.SourceID, s.groups, s.changes)
	var wanted *EvidenceWanted
	if errors.As(err, &wanted) {
		return Change{}, false, fmt.Errorf("provision: %w", err)
	}
	if !all {
		return Change{}, false, nil
	}
	s.conclude()
	of.UserID = s.change.User.ID
	kept, err := p.Store.RecordUnchanged(ctx, s.so, of, s.all()...)
	if err != nil || !kept {
		return Change{}, false, err
	}
	*so = recorded
	return s.change, true, nil
}

// read is the record as the caller has it, if that is enough: the value that decides is
// among its own, and nothing else of it is compared.
func (id Identity) read() *store.User {
	if id.UserID != "" || id.Known == nil || id.Update || id.Known.GatewayID != id.SourceID ||
		!slices.Contains(id.Known.Correlation, id.Correlation[0]) {
		return nil
	}
	return id.Known
}

// identified is what leads to the record, if that is what the store can look for when it
// records a sign-on: the first value, which decides when it leads to one record.
func (id Identity) identified() (store.Identified, bool) {
	switch {
	case id.UserID != "":
		return store.Identified{}, true
	case id.SourceType != store.SourceGateway || len(id.Correlation) == 0:
		return store.Identified{}, false
	}
	return store.Identified{GatewayID: id.SourceID, By: id.Correlation[0]}, true
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
	known       *store.User   // the record, when it has been read; nil: to be looked for
	had         []store.Group // all of the user's groups before; nil: not looked at
	groups      int           // spent of the source's budget, and so are changes
	changes     int
	activities  []store.Activity
}

// run is one Apply within its transaction: find or create, follow the directory, and
// record. An error of any of it undoes all.
func (s *step) run(ctx context.Context) error {
	if err := s.apply(ctx); err != nil {
		return err
	}
	s.conclude()
	return s.tx.RecordSignOn(ctx, s.so, s.all()...)
}

// apply does all but record the sign-on.
func (s *step) apply(ctx context.Context) error {
	if err := s.begin(); err != nil {
		return err
	}
	known, err := s.find(ctx)
	if err != nil {
		return err
	}
	switch {
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
	s.refreshed = true
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
	so.Added, so.Removed = idsOf(s.change.Added), idsOf(s.change.Removed)
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
	return append([]store.Group{}, now...)
}

// all are the activities, the sign-on's own first.
func (s *step) all() []store.Activity {
	return append([]store.Activity{s.signOnActivity()}, s.activities...)
}

// reason puts into words what was done and what was not.
func (s *step) reason() string {
	words := s.notes
	switch {
	case s.change.Created:
		words = append([]string{"created"}, words...)
	case s.change.Updated:
		words = append([]string{s.done()}, words...)
	case len(words) == 0:
		return "nothing changed"
	}
	return strings.Join(words, "; ")
}

// done lists what changed of a known record.
func (s *step) done() string {
	var words []string
	for _, f := range s.change.Fields {
		words = append(words, f.Name)
	}
	if n := len(s.change.Added); n > 0 {
		words = append(words, "joined "+groupCount(n))
	}
	if n := len(s.change.Removed); n > 0 {
		words = append(words, "left "+groupCount(n))
	}
	if n := len(s.change.GroupsRenamed); n > 0 {
		words = append(words, groupCount(n)+" renamed")
	}
	return "changed: " + strings.Join(words, ", ")
}

// groupCount counts groups in words.
func groupCount(n int) string {
	if n == 1 {
		return "1 group"
	}
	return fmt.Sprintf("%d groups", n)
}

// idsOf is nil for no groups, as a sign-on without any has it.
func idsOf(groups []store.Group) []string {
	var ids []string
	for _, g := range groups {
		ids = append(ids, g.ID)
	}
	return ids
}
