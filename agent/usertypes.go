package agent

import (
	"context"
	"sync"
	"time"

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
}

// delivery is one wire.UserTypes after the check; it does not change.
type delivery struct {
	revision uint64
	types    map[string]*directory.UserType // accepted, by ID
	refused  []wire.Refused
}

// take checks m against the policy and makes it the one in use.
func (u *userTypes) take(p *Policy, m wire.UserTypes) *delivery {
	d := &delivery{revision: m.Revision, types: map[string]*directory.UserType{}}
	for _, t := range m.Types {
		compiled, reasons := compile(p, t)
		if len(reasons) > 0 {
			d.refused = append(d.refused, wire.Refused{ID: t.ID, Reasons: reasons})
			continue
		}
		d.types[t.ID] = compiled
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.current = d
	if u.next != nil {
		close(u.next)
		u.next = nil
	}
	return d
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

// compile turns a delivered type into one that the directory room can use, or
// says why it is refused.
func compile(p *Policy, t wire.UserType) (*directory.UserType, []string) {
	c := directory.UserTypeConfig{ID: t.ID, Name: t.Name, SearchBase: t.SearchBase, Filter: t.Filter,
		Correlation: t.Correlation, Attributes: t.Attributes}
	if g := t.Groups; g != nil {
		c.Groups = &directory.GroupRule{SearchBase: g.SearchBase, NameAttribute: g.NameAttribute,
			Include: g.Include, Exclude: g.Exclude, WithID: g.WithID}
	}
	compiled, err := directory.Compile(c)
	if err != nil {
		return nil, []string{err.Error()}
	}
	return compiled, p.Refuse(t, compiled.FilterAttributes())
}
