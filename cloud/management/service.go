package management

import (
	"cmp"
	"context"
	"errors"
	"time"

	"ldap-gateway/cloud/kerberos"
	"ldap-gateway/cloud/outbound"
	"ldap-gateway/cloud/store"
)

// Links hands on what was changed to the instances that are connected.
type Links interface {
	// UserTypesChanged says that a gateway was changed: its user types, or
	// whether it is enabled.
	UserTypesChanged(gateway string)
	// Rotate has an instance change its keys soon.
	Rotate(instance string)
	// Revoked says that an instance's credential is not good any more.
	Revoked(instance string)
}

// Keys seals the keys of Kerberos services.
type Keys interface {
	// Seal returns new keys of a gateway, to be put in use. Its error wraps
	// kerberos.ErrKeys when they are none.
	Seal(g store.Gateway, n kerberos.NewKeys) (store.KerberosKeys, error)
}

// Service changes what environments have. Safe for concurrent use.
type Service struct {
	Store    *store.Store
	Links    Links
	Keys     Keys
	Channels Channels
	Vault    Vault
	Reach    outbound.Guard   // holds us to addresses that applications name
	URL      string           // that people know this cloud by
	Now      func() time.Time // nil: time.Now
}

// now is the time of day, which tests set.
func (s *Service) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// Kind is what sort of actor somebody is.
type Kind int

// The kinds of actors.
const (
	Program       Kind = iota + 1 // an API client
	Administrator                 // one of the console's own
	Person                        // a user whose groups give a role
)

// By is who acts.
type By struct {
	Environment string
	Kind        Kind
	ID          string     // of the client, the administrator or the user
	Name        string     // for people
	Role        store.Role // as it was when the request came; what counts is what it is now
	Address     string     // that the request came from; may be empty
	Request     string     // its ID in the log; may be empty
}

// Actor names the actor as activities do.
// It is in every activity for ever, so it names clients and people by ID; the console's
// own by their name, which never changes.
func (by By) Actor() string {
	switch by.Kind {
	case Program:
		return "client:" + by.ID
	case Person:
		return "user:" + by.ID
	}
	return "admin:" + by.Name
}

// Words names the actor for people.
// They are kept with what was made, as with who paired an instance.
func (by By) Words() string {
	if by.Kind == Program {
		return "API client " + cmp.Or(by.Name, by.ID)
	}
	return "administrator " + by.Name
}

// turn is one action under way, in its transaction: it reads and writes by it.
type turn struct {
	*store.Store
	service *Service
	by      By
	notes   []store.Activity
	after   []func()      // once all of it is kept
	goings  []store.Going // what is to be finished then
}

// act runs one action.
// The role is looked at twice: as the request came with it, so that most who may not
// are turned away without the one writer's turn; and as it is now. What is to be told
// is told when all is kept, and not when the commit failed.
func (s *Service) act(ctx context.Context, by By, a Action, f func(t *turn) error) error {
	if !May(by.Role, a) {
		return ErrRole
	}
	var t *turn
	err := s.provision(ctx, by, a, func(tx *store.Tx) (err error) {
		t = &turn{Store: tx.Store(), service: s, by: by}
		if t.by.Role, err = t.roleNow(ctx); err != nil {
			return err
		}
		if !May(t.by.Role, a) {
			return ErrRole
		}
		if err := f(t); err != nil {
			return err
		}
		return t.AddActivity(ctx, t.notes...)
	})
	if err != nil {
		return err
	}
	for _, tell := range t.after {
		tell()
	}
	// It is decided. What fails here is finished by another round of Finish.
	_ = s.finish(context.WithoutCancel(ctx), t.goings)
	return nil
}

// provision takes the turn of the actor's environment; for what makes environments come and
// go, that of all.
func (s *Service) provision(ctx context.Context, by By, a Action, f func(tx *store.Tx) error) error {
	if a == CreateEnvironment || a == DeleteEnvironment {
		return s.Store.Provision(ctx, f)
	}
	return s.Store.ProvisionIn(ctx, by.Environment, f)
}

// env is the environment that everything of an action is in.
func (t *turn) env() string { return t.by.Environment }

// roleNow returns the role that the actor has at this moment; empty when they are
// no more, or may not act any more.
func (t *turn) roleNow(ctx context.Context) (role store.Role, err error) {
	switch t.by.Kind {
	case Program:
		c, err := t.ClientIn(ctx, t.env(), t.by.ID)
		return c.Role, orNobody(err)
	case Administrator:
		a, err := t.AdministratorByID(ctx, t.env(), t.by.ID)
		return a.Role, orNobody(err)
	case Person:
		u, err := t.User(ctx, t.env(), t.by.ID)
		if err != nil || !u.MaySignOn() {
			return "", orNobody(err)
		}
		return t.UserRole(ctx, t.env(), t.by.ID)
	}
	return "", nil
}

// orNobody takes that somebody is not there for that they have no role.
func orNobody(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// changed has a gateway's instances told of it.
// It is once all is kept, since what they are told is read from the store.
func (t *turn) changed(gateway string) {
	t.after = append(t.after, func() { t.service.Links.UserTypesChanged(gateway) })
}

// ask calls a function of the caller's that only looks; nil: there is none.
func ask[T any](seen func(T) error, value T) error {
	if seen == nil {
		return nil
	}
	return seen(value)
}
