package management

import (
	"context"
	"errors"
	"slices"
	"unicode/utf8"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/store"
)

// maxSubject bounds whom a provider speaks of, in characters.
const maxSubject = 1024

// LinkAccount has a user be whom a provider knows as subject: who proves there to be
// that signs on as the user. It fills in ID and time.
// It takes the rights of the user and those that the provider carries. Errors are a
// fault.List, *HigherError and store.ErrNotFound.
func (s *Service) LinkAccount(ctx context.Context, by By, l *store.LinkedAccount) error {
	return s.act(ctx, by, LinkAccount, func(t *turn) error {
		u, err := t.user(ctx, l.UserID, nil)
		if err != nil {
			return err
		}
		p, err := t.IdentityProvider(ctx, t.env(), l.ProviderID)
		if errors.Is(err, store.ErrNotFound) {
			return fault.Of(fault.Provider, fault.Invalid, "This environment has no such identity provider.")
		}
		if err != nil {
			return err
		}
		if err := t.weighProvider(ctx, p); err != nil {
			return err
		}
		if err := t.unlinkedYet(ctx, u, p); err != nil {
			return err
		}
		if l.Subject.ID == "" || utf8.RuneCountInString(l.Subject.ID+l.Subject.Qualifiers) > maxSubject {
			return wrong(fault.Subject, 0, "State the subject, in at most %d characters.", maxSubject)
		}
		l.ID, l.EnvironmentID = "", t.env()
		err = t.Store.LinkAccount(ctx, l)
		if errors.Is(err, store.ErrConflict) {
			return fault.Of(fault.Subject, fault.Taken, "A user is linked to this subject already.")
		}
		if err != nil {
			return err
		}
		t.did(note{
			action:  "user.account-linked",
			subject: "user:" + u.ID,
			text:    "user " + u.Username + " was linked to an account at " + p.Name,
			after:   facts{"provider": p.ID, "subject": l.Subject.ID},
		})
		return nil
	})
}

// unlinkedYet refuses a second account of one provider: each sign-on would take the groups
// away that the other brought.
func (t *turn) unlinkedYet(ctx context.Context, u store.User, p store.IdentityProvider) error {
	links, err := t.LinkedAccounts(ctx, t.env(), u.ID)
	if slices.ContainsFunc(links, func(l store.LinkedAccount) bool { return l.ProviderID == p.ID }) {
		return fault.Of(fault.Provider, fault.Taken,
			"The user has an account at "+p.Name+" already. Unlink that one first.")
	}
	return err
}

// UnlinkAccount ends a link, with the groups that came by it, and signs the user off
// everywhere.
// They sign on by what else they have. It is store.ErrNotFound when the user has no
// such link.
func (s *Service) UnlinkAccount(
	ctx context.Context, by By, user, id string, seen func(store.LinkedAccount) error,
) error {
	return s.act(ctx, by, UnlinkAccount, func(t *turn) error {
		u, err := t.user(ctx, user, nil)
		if err != nil {
			return err
		}
		links, err := t.LinkedAccounts(ctx, t.env(), u.ID)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(links, func(l store.LinkedAccount) bool { return l.ID == id })
		if i < 0 {
			return store.ErrNotFound
		}
		if err := ask(seen, links[i]); err != nil {
			return err
		}
		t.did(note{
			action:  "user.account-unlinked",
			subject: "user:" + u.ID,
			text:    "user " + u.Username + " was taken off an account",
			before:  facts{"provider": links[i].ProviderID, "subject": links[i].Subject.ID},
		})
		return t.Store.UnlinkAccount(ctx, t.env(), u.ID, id)
	})
}
