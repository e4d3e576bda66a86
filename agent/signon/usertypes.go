package signon

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"ldap-gateway/agent/policy"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/directory"
)

// deliveryWait is how long a sign-on waits for user types that are announced
// and not here yet.
const deliveryWait = 2 * time.Second

// userTypes holds what the cloud delivered last, each type checked.
type userTypes struct {
	mu      sync.Mutex
	current *delivery
	next    chan struct{} // closed when current is replaced; nil: nobody waits
	anew    bool          // the next delivery is the first of a link
}

// delivery is one wire.UserTypes after the check; it does not change.
type delivery struct {
	revision uint64
	types    map[string]userType // accepted, by ID
	refused  []wire.Refused
}

// userType is one that the directory room can use.
type userType struct {
	*directory.UserType
	changePasswords bool // as far as the policy lets it
}

// mostTypes bounds how many user types one gateway serves.
const mostTypes = 1000

// Limits of what is said of one user type that is refused.
const (
	mostReasons = 8
	mostReason  = 300 // bytes
)

// newLink lets the revision start anew: a cloud that was restored has older
// ones, but none goes back while it talks.
func (u *userTypes) newLink() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.anew = true
}

// take checks m against the policy and makes it the one in use, unless its
// revision is older than that on this link; then it refuses all of it.
func (u *userTypes) take(p *policy.Policy, changes *Deliveries, m wire.UserTypes) *delivery {
	if older := u.older(m); older != nil {
		return older
	}
	d := check(p, m, changes.admit(m.Types, p.File.UserTypeChangesPerHour))
	u.mu.Lock()
	defer u.mu.Unlock()
	u.current, u.anew = d, false
	if u.next != nil {
		close(u.next)
		u.next = nil
	}
	return d
}

// older returns the delivery in use with all of m refused, when m is older; else nil.
func (u *userTypes) older(m wire.UserTypes) *delivery {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.current == nil || u.anew || m.Revision >= u.current.revision {
		return nil
	}
	d := &delivery{revision: u.current.revision}
	for _, t := range m.Types {
		d.refused = append(d.refused, wire.Refused{ID: t.ID, Reasons: []string{
			fmt.Sprintf("revision %d was delivered after revision %d", m.Revision, d.revision)}})
	}
	return d
}

// check compiles every type that is taken and that the policy allows, and says why
// not the others.
func check(p *policy.Policy, m wire.UserTypes, taken []bool) *delivery {
	d := &delivery{revision: m.Revision, types: map[string]userType{}}
	count := map[string]int{}
	for _, t := range m.Types {
		count[t.ID]++
	}
	for i, t := range m.Types {
		var compiled *directory.UserType
		var reasons []string
		switch {
		case i >= mostTypes:
			reasons = []string{fmt.Sprintf("a gateway serves at most %d user types", mostTypes)}
		case !taken[i]:
			reasons = []string{tooOften(p.File.UserTypeChangesPerHour)}
		case count[t.ID] > 1:
			reasons = []string{"more than one user type has this ID"}
		default:
			compiled, reasons = Compile(p, t)
		}
		if len(reasons) > 0 {
			r := wire.Refused{ID: t.ID, Reasons: shortened(reasons)}
			if !taken[i] && i < mostTypes {
				r.RetryMillis = uint32(changeEvery(p.File.UserTypeChangesPerHour).Milliseconds())
			}
			d.refused = append(d.refused, r)
			continue
		}
		d.types[t.ID] = userType{compiled, t.ChangePasswords}
	}
	return d
}

// shortened bounds what is said of one user type, so that the answer about all of them
// fits into a frame.
func shortened(reasons []string) []string {
	if n := len(reasons); n > mostReasons {
		reasons = append(slices.Clone(reasons[:mostReasons]), fmt.Sprintf("and %d more", n-mostReasons))
	}
	for i, r := range reasons {
		if len(r) > mostReason {
			reasons[i] = strings.ToValidUTF8(r[:mostReason], "") + " …"
		}
	}
	return reasons
}

// get returns the delivery in use, an empty one before the first, and a channel
// that is closed when there is another.
func (u *userTypes) get() (*delivery, <-chan struct{}) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.next == nil {
		u.next = make(chan struct{})
	}
	if u.current == nil {
		return &delivery{}, u.next
	}
	return u.current, u.next
}

// await returns the delivery in use as soon as it has the revision, and what
// there is when that takes too long.
func (u *userTypes) await(ctx context.Context, revision uint64) *delivery {
	ctx, cancel := context.WithTimeout(ctx, deliveryWait)
	defer cancel()
	for {
		d, next := u.get()
		if d.revision >= revision {
			return d
		}
		select {
		case <-next:
		case <-ctx.Done():
			return d
		}
	}
}

// why returns the reasons for which the type was refused; nil when it was not.
func (d *delivery) why(id string) []string {
	for _, r := range d.refused {
		if r.ID == id {
			return r.Reasons
		}
	}
	return nil
}

// Limits of a user type, far above what is real. A filter that is nested a
// million times would otherwise end the program when it is parsed.
const (
	mostFilter = 4096 // bytes, of a filter, a DN or a pattern
	mostNames  = 256  // attributes or patterns
)

// oversized says what of a user type is too large; empty when nothing is.
func oversized(t wire.UserType) string {
	texts, lists := []string{t.SearchBase, t.Filter}, [][]string{t.Correlation, t.Attributes}
	if g := t.Groups; g != nil {
		texts, lists = append(texts, g.SearchBase, g.NameAttribute), append(lists, g.Include, g.Exclude)
	}
	for _, l := range lists {
		if len(l) > mostNames {
			return fmt.Sprintf("a list of more than %d names", mostNames)
		}
		texts = append(texts, l...)
	}
	switch {
	case t.ID == "" || len(t.ID) > mostID || len(t.Name) > mostIdentifier:
		return "its ID is empty, or its ID or name too long"
	case slices.ContainsFunc(texts, func(s string) bool { return len(s) > mostFilter }):
		return fmt.Sprintf("a filter, DN or name of more than %d bytes", mostFilter)
	}
	return ""
}

// Compile turns a delivered type into one that the directory room can use, or
// says why it is refused.
func Compile(p *policy.Policy, t wire.UserType) (*directory.UserType, []string) {
	if reason := oversized(t); reason != "" {
		return nil, []string{reason} // before anything parses it
	}
	t.SearchBase = p.Base(t.SearchBase)
	c := directory.UserTypeConfig{
		ID:            t.ID,
		Name:          t.Name,
		SearchBase:    t.SearchBase,
		Filter:        t.Filter,
		Correlation:   t.Correlation,
		Attributes:    t.Attributes,
		KeepBack:      p.KeepsBackEntry,
		KeepBackValue: p.KeepsBack,
	}
	if g := t.Groups; g != nil {
		c.Groups = &directory.GroupRule{
			SearchBase:    g.SearchBase,
			NameAttribute: g.NameAttribute,
			Include:       g.Include,
			Exclude:       g.Exclude,
			WithID:        g.WithID,
		}
	}
	compiled, err := directory.Compile(c)
	if err != nil {
		return nil, []string{err.Error()}
	}
	return compiled, p.Refuse(t, compiled.FilterAssertions())
}
