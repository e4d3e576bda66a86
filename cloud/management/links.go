package management

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/store"
)

// Link says which directory checks a user's password, and which entry is theirs.
type Link struct {
	To store.UserTypeRef
	// Values identify the entry, by attribute. Nil: those that the user has stay
	// while the gateway does. With none the next sign-on finds the record by its
	// username.
	Values map[string]string
}

// factsOfLink has what identifies the entry. It is no secret: it is in the record that
// the same people may read.
func factsOfLink(u store.User) facts {
	values := map[string]string{}
	for _, c := range u.Correlation {
		values[c.Attribute] = c.Value
	}
	return facts{"gateway": u.GatewayID, "userType": u.UserTypeID, "correlation": values}
}

// LinkUser has a user type check a user's password. Link gets the user as they are.
// Another gateway or another entry may be another person: sessions, what applications
// hold, the second factor and the gateway's groups end with the old link.
// Errors are store.ErrNotFound, *HigherError for the user or for the gateway, a
// fault.List, and what link returns. It runs within the transaction, so what it is
// given is what is changed.
func (s *Service) LinkUser(
	ctx context.Context, by By, id string, link func(store.User) (Link, error),
) (u store.User, err error) {
	err = s.act(ctx, by, LinkUser, func(t *turn) error {
		before, err := t.user(ctx, id, nil)
		if err != nil {
			return err
		}
		wanted, err := link(before)
		if err != nil {
			return err
		}
		u, err = t.link(ctx, before, wanted)
		return err
	})
	return u, err
}

// link links a user whom the actor may change, and returns them as they are then.
func (t *turn) link(ctx context.Context, before store.User, wanted Link) (u store.User, err error) {
	g, to, err := t.target(ctx, wanted.To)
	if err != nil {
		return u, err
	}
	if err := checkEntry(before, wanted.Values).Err(); err != nil {
		return u, err
	}
	if err := t.ownEntry(ctx, before, g, wanted.Values); err != nil {
		return u, err
	}
	u = linked(before, g, to, wanted.Values)
	t.did(note{
		action:  "user.linked",
		subject: "user:" + u.ID,
		text:    "user " + u.Username + " was linked to " + to.Name + " of " + g.Name,
		before:  factsOfLink(before),
		after:   factsOfLink(u),
		more:    facts{"gateway": g.ID, "userType": to.ID},
	})
	if err := t.UpdateUser(ctx, &u); err != nil {
		return u, err
	}
	return u, t.endOldLink(ctx, before, u)
}

// endOldLink ends what was opened and proven by whom the old link let in, and the
// memberships that came with it: the new entry's come at the next sign-on.
func (t *turn) endOldLink(ctx context.Context, before, after store.User) error {
	if before.GatewayID == after.GatewayID && slices.Equal(before.Correlation, after.Correlation) {
		return nil
	}
	if err := t.Store.SignOffUser(ctx, t.env(), after.ID); err != nil {
		return err
	}
	if err := t.LeaveGateway(ctx, t.env(), after.ID, before.GatewayID); err != nil {
		return err
	}
	return t.ForgetPersonFactors(ctx, t.env(), after.ID)
}

// ownEntry refuses values that identify the entry of another user: neither of the two
// could sign on any more, and one of them may be who the actor is less than.
func (t *turn) ownEntry(ctx context.Context, u store.User, g store.Gateway, values map[string]string) error {
	for attribute, value := range values {
		others, err := t.UsersByCorrelation(ctx, t.env(), g.ID, attribute, value)
		if err != nil {
			return err
		}
		if value != "" && slices.ContainsFunc(others, func(o store.User) bool { return o.ID != u.ID }) {
			return fault.Of(fault.Entry, fault.Taken, "Another user is linked to the entry that has this "+attribute+".")
		}
	}
	return nil
}

// linked returns a user as another user type has them.
// The DN goes with the values, since it was the old entry's; the next sign-on that
// updates brings the new one.
func linked(u store.User, g store.Gateway, to store.UserType, values map[string]string) store.User {
	if values != nil || u.GatewayID != g.ID {
		u.DN, u.Correlation = "", inOrder(to.Correlation, values)
	}
	u.GatewayID, u.UserTypeID = g.ID, to.ID
	return u
}

// target returns the user type that users are to be linked to. Its directory says who
// they are from then on, so it is weighed like them.
func (t *turn) target(ctx context.Context, ref store.UserTypeRef) (g store.Gateway, to store.UserType, err error) {
	if ref.Gateway == "" {
		return g, to, fault.Of(fault.Gateway, fault.Missing, "Name the gateway whose directory checks the password.")
	}
	g, err = t.Gateway(ctx, t.env(), ref.Gateway)
	if errors.Is(err, store.ErrNotFound) {
		return g, to, fault.Of(fault.Gateway, fault.Invalid, "This environment has no such gateway.")
	}
	if err != nil {
		return g, to, err
	}
	if err := t.weighGateway(ctx, g); err != nil {
		return g, to, err
	}
	i := indexOf(g, ref.UserType)
	if i < 0 {
		return g, to, fault.Of(fault.UserType, fault.Invalid, "The gateway has no such user type.")
	}
	return g, g.UserTypes[i], nil
}

// indexOf returns where a user type is on its gateway; -1 when it is not.
func indexOf(g store.Gateway, userType string) int {
	return slices.IndexFunc(g.UserTypes, func(t store.UserType) bool { return t.ID == userType })
}

// inOrder returns correlation values, those of the user type's attributes first.
func inOrder(first []string, values map[string]string) (all []store.Correlation) {
	names := slices.SortedFunc(maps.Keys(values), func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(first, a), rank(first, b)), cmp.Compare(a, b))
	})
	for _, name := range names {
		if values[name] != "" {
			all = append(all, store.Correlation{Attribute: name, Value: values[name]})
		}
	}
	return all
}

// rank is where a name stands in a list, without regard to case; behind all when it is
// not in it.
func rank(list []string, name string) int {
	if i := slices.IndexFunc(list, func(l string) bool { return store.Fold(l) == store.Fold(name) }); i >= 0 {
		return i
	}
	return len(list)
}

// RelinkUsers moves all users of one user type to another, and returns how many. When
// the gateway is another, it ends what LinkUser ends.
// It takes the rights of everybody who is moved, and those of the gateway that they are
// moved to. That nobody was there to be moved is no error.
func (s *Service) RelinkUsers(ctx context.Context, by By, from, to store.UserTypeRef) (moved int, err error) {
	err = s.act(ctx, by, RelinkUsers, func(t *turn) error {
		g, i, err := t.userType(ctx, from)
		if err != nil {
			return err
		}
		role, err := t.UserTypeRole(ctx, t.env(), from.Gateway, from.UserType)
		if err := t.needs(role, "the user type "+g.UserTypes[i].Name, err); err != nil {
			return err
		}
		target, wanted, err := t.target(ctx, to)
		if err != nil {
			return err
		}
		if err := t.settled(ctx, from.Gateway, target.ID); err != nil {
			return err
		}
		if moved, err = t.GatewayUsers(ctx, t.env(), from.Gateway, from.UserType); err != nil {
			return err
		}
		if _, err := t.goes(ctx, store.UsersMove, from.Gateway, from.UserType, target.ID, wanted.ID); err != nil {
			return err
		}
		t.did(note{
			action:  "users.relinked",
			subject: "gateway:" + target.ID,
			text:    "users of " + g.UserTypes[i].Name + " were moved to " + wanted.Name + " of " + target.Name,
			before:  facts{"gateway": from.Gateway, "userType": from.UserType},
			after:   facts{"gateway": target.ID, "userType": wanted.ID},
			more:    facts{"users": moved},
		})
		return nil
	})
	return moved, err
}

// userType returns a gateway with the index of one of its user types.
func (t *turn) userType(ctx context.Context, ref store.UserTypeRef) (g store.Gateway, index int, err error) {
	if g, err = t.Gateway(ctx, t.env(), ref.Gateway); err != nil {
		return g, -1, err
	}
	if index = indexOf(g, ref.UserType); index < 0 {
		err = store.ErrNotFound
	}
	return g, index, err
}
