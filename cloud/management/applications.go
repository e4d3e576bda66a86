package management

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/store"

	"github.com/google/uuid"
)

// factsOfApplication tells that there is a secret, and not which.
// Lists are copies: the application goes on being changed while the facts stay.
func factsOfApplication(a store.Application) facts {
	return facts{
		"name":         a.Name,
		"description":  a.Description,
		"type":         a.Type,
		"enabled":      a.Enabled,
		"hasSecret":    a.SecretHash != nil,
		"formerSecret": a.Former.Until,
		"redirectUris": slices.Clone(a.RedirectURIs),
		"signOffUris":  slices.Clone(a.SignOffURIs),
		"refresh":      a.Refresh,
		"askForTicket": a.AskForTicket,
		"groupsClaim":  a.Groups,
		"openid":       a.OpenID,
		"protocol":     a.Protocol,
		"spEntityId":   a.SAML.EntityID,
		"saml":         a.SAML,
		"kept":         a.Kept,
	}
}

// CreateApplication adds an application, and fills in ID and times. One that can keep a
// secret has one from the start, which is in no answer: it is read by ApplicationSecret.
// Errors are a fault.List.
func (s *Service) CreateApplication(ctx context.Context, by By, a *store.Application) error {
	return s.createApplication(ctx, by, a, func(*turn) error { return nil })
}

// createApplication has first do what belongs to it.
func (s *Service) createApplication(
	ctx context.Context, by By, a *store.Application, first func(*turn) error,
) error {
	a.Protocol = cmp.Or(a.Protocol, store.OpenIDConnect)
	if !May(by.Role, CreateApplication) {
		return ErrRole // before the work of making a key
	}
	made, err := s.needsKey(ctx, by.Environment, *a)
	if err != nil {
		return err
	}
	return s.act(ctx, by, CreateApplication, func(t *turn) error {
		if err := cmp.Or(first(t), t.keepKey(ctx, made)); err != nil {
			return err
		}
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		a.ID, a.EnvironmentID, a.SecretHash, a.SecretSealed = id.String(), t.env(), nil, nil
		a.Former = store.FormerSecret{}
		if hasSecret(*a) {
			t.newSecret(a)
		}
		if err := t.checkApplication(ctx, *a, store.Application{}); err != nil {
			return err
		}
		if err := t.Store.CreateApplication(ctx, a); err != nil {
			return applicationNameTaken(err)
		}
		t.did(note{
			action:  "application.created",
			subject: "application:" + a.ID,
			text:    "application " + a.Name + " was created",
			after:   factsOfApplication(*a),
		})
		return nil
	})
}

// ChangeApplication changes an application. Its secret stays, unless it becomes of
// a type that cannot keep one; one that had none, and can have one now, is given it, which
// ApplicationSecret reads.
// What was signed on for it before goes on: a redirect address that is taken away ends
// no token.
func (s *Service) ChangeApplication(
	ctx context.Context, by By, id string, change func(*store.Application) error,
) (a store.Application, err error) {
	return s.changeApplication(ctx, by, id, func(_ *turn, a *store.Application) error { return change(a) })
}

func (s *Service) changeApplication(
	ctx context.Context, by By, id string, change func(*turn, *store.Application) error,
) (a store.Application, err error) {
	err = s.act(ctx, by, ChangeApplication, func(t *turn) error {
		before, err := t.Application(ctx, t.env(), id)
		if err != nil {
			return err
		}
		a = copyOfApplication(before)
		if err := change(t, &a); err != nil {
			return err
		}
		a.ID, a.EnvironmentID = before.ID, before.EnvironmentID
		a.SecretHash, a.SecretSealed, a.Former = before.SecretHash, before.SecretSealed, before.Former
		a.Protocol = before.Protocol
		switch {
		case !hasSecret(a):
			a.SecretHash, a.SecretSealed, a.Former = nil, nil, store.FormerSecret{}
		case a.SecretHash == nil: // it had none before, or proved itself by a key
			t.newSecret(&a)
		}
		if err := t.checkApplication(ctx, a, before); err != nil {
			return err
		}
		return t.saveApplication(ctx, &a, before, "updated")
	})
	return a, err
}

// saveApplication writes an application that was checked, and notes what became of it
// in the words of done.
func (t *turn) saveApplication(ctx context.Context, a *store.Application, before store.Application, done string) error {
	if !a.Former.Good(t.service.now()) {
		a.Former = store.FormerSecret{} // nobody needs to have it any more
	}
	if err := t.UpdateApplication(ctx, a); err != nil {
		return applicationNameTaken(err)
	}
	t.did(note{
		action:  "application.updated",
		subject: "application:" + a.ID,
		text:    "application " + a.Name + " was " + done,
		before:  factsOfApplication(before),
		after:   factsOfApplication(*a),
	})
	return nil
}

// applicationNameTaken is a conflict as the fault that it is here; any other error
// stays what it is.
func applicationNameTaken(err error) error {
	if errors.Is(err, store.ErrConflict) {
		return fault.Of(fault.Name, fault.Taken, "Another application of this environment has this name.")
	}
	return err
}

// DeleteApplication removes an application; its tokens are worth nothing from then on.
// Seen gets the application as it is and may refuse; nil: it does not.
func (s *Service) DeleteApplication(
	ctx context.Context, by By, id string, seen func(store.Application) error,
) (a store.Application, err error) {
	err = s.act(ctx, by, DeleteApplication, func(t *turn) (err error) {
		if a, err = t.Application(ctx, t.env(), id); err == nil {
			err = ask(seen, a)
		}
		if err != nil {
			return err
		}
		t.did(note{
			action:  "application.deleted",
			subject: "application:" + a.ID,
			text:    "application " + a.Name + " was deleted",
			before:  factsOfApplication(a),
		})
		_, err = t.goes(ctx, store.ApplicationGoes, a.ID)
		return err
	})
	return a, err
}

// The types, the values of the groups claim and the ways of PKCE that there are.
var (
	applicationTypes = []string{store.WebApplication, store.NativeApplication, store.SinglePage}
	claimValues      = []string{store.GroupNames, store.GroupDisplayNames, store.GroupIDs, store.GroupObjects}
	enforcements     = []string{store.PKCES256, store.PKCERequired, store.PKCEOptional}
	algorithms       = []string{store.RS256, store.ES256}
)

// checkApplication is [checkApplication], and refuses a source of groups that there is
// not. One that was there may be gone: nobody has its groups.
func (t *turn) checkApplication(ctx context.Context, a, before store.Application) error {
	l := checkApplication(a, before)
	if a.Protocol == store.SAML {
		more, err := t.checkServiceProvider(ctx, a)
		if err != nil {
			return err
		}
		l = append(l, more...)
	} else {
		l = append(l, checkOpenID(a)...)
		l = append(l, t.service.checkReach(a, before)...)
	}
	access, err := t.checkAccess(ctx, a.AccessRule(), before.AccessRule())
	if err != nil {
		return err
	}
	l = append(l, access...)
	policies, err := t.checkAssigned(ctx, a, before)
	if err != nil {
		return err
	}
	l = append(l, policies...)
	for i, id := range a.Groups.Sources {
		known, err := t.isSource(ctx, id)
		if err != nil {
			return err
		}
		if !known && !slices.Contains(before.Groups.Sources, id) {
			l = append(l, wrong(fault.GroupsClaim, i+1, "%q is no gateway and no identity provider of this environment.", id)...)
		}
	}
	return l.Err()
}

// mostAccess is how many groups the people of an application may have to be in.
const mostAccess = 100

// checkAccess refuses groups that are not there. One that was kept before may be gone: nobody
// is in it.
func (t *turn) checkAccess(ctx context.Context, rule, before store.AccessRule) (l fault.List, err error) {
	if len(rule.Access) > mostAccess {
		return wrong(fault.Access, 0, "There are at most %d groups.", mostAccess), nil
	}
	for i, id := range rule.Access {
		_, err := t.Group(ctx, t.env(), id)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		if err != nil && !slices.Contains(before.Access, id) {
			l = append(l, wrong(fault.Access, i+1, "This environment has no such group.")...)
		}
	}
	return l, nil
}

// isSource tells whether groups come from what has an ID.
// An error of the store is no answer.
func (t *turn) isSource(ctx context.Context, id string) (bool, error) {
	_, err := t.Gateway(ctx, t.env(), id)
	if errors.Is(err, store.ErrNotFound) {
		_, err = t.IdentityProvider(ctx, t.env(), id)
	}
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// checkApplication tells what may not be kept of an application of any protocol, which was before.
// A name that was kept before may be too long for now: see checkLength.
func checkApplication(a, before store.Application) (l fault.List) {
	l = checkName("application", before.Name, a.Name)
	if !slices.Contains(claimValues, a.Groups.Value) {
		l = append(l, wrong(fault.GroupsClaim, 0, "It must be one of %q.", claimValues)...)
	}
	if home := a.Kept.HomePage; home != nil && *home != "" && !samePage(home, before.Kept.HomePage) {
		l = append(l, checkHome(*home)...)
	}
	return l
}

// samePage tells whether a home page is as it was.
func samePage(now, before *string) bool { return before != nil && *now == *before }

// checkHome says what is wrong with a home page: it is a link for people, so it must be a page.
func checkHome(text string) fault.List {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return wrong(fault.HomePage, 0, "%q is no whole address of a page, as in https://app.example.com.", text)
	}
	return nil
}

// checkOpenID tells what may not be kept of an application of OpenID Connect.
func checkOpenID(a store.Application) (l fault.List) {
	if !slices.Contains(applicationTypes, a.Type) {
		l = append(l, wrong(fault.ApplicationType, 0, "It must be one of %q.", applicationTypes)...)
	}
	if len(a.RedirectURIs) == 0 {
		l = append(l, fault.Of(fault.Redirects, fault.Missing, "Say where people come back to after they have signed on.")...)
	}
	for i, uri := range a.RedirectURIs {
		l = append(l, checkRedirect(fault.Redirects, i+1, uri, a.Type)...)
	}
	for i, uri := range a.SignOffURIs {
		l = append(l, checkRedirect(fault.SignOffs, i+1, uri, a.Type)...)
	}
	if a.Groups.Bytes < store.NoGroupBytes || a.Groups.Bytes > store.MostGroupBytes {
		l = append(l, wrong(fault.GroupBytes, 0, "It must be a number from 0 to %d.", store.MostGroupBytes)...)
	}
	if to := a.OpenID.BackChannel; to != "" {
		l = append(l, checkRedirect(fault.BackChannel, 0, to, store.WebApplication)...)
	}
	if how := a.OpenID.Algorithm; how != "" && !slices.Contains(algorithms, how) {
		l = append(l, wrong(fault.TokenAlgorithm, 0, "It must be one of %q.", algorithms)...)
	}
	l = append(l, checkClientKeys(a)...)
	l = append(l, checkResources(fault.Resources, a.OpenID.Resources)...)
	l = append(l, checkResources(fault.Audiences, a.OpenID.Audiences)...)
	return append(l, checkPKCE(a)...)
}

// mostResources is how many APIs an application may be, or call.
const mostResources = 50

// checkResources holds identifiers of APIs to RFC 8707 section 2.
func checkResources(field fault.Field, all []string) (l fault.List) {
	if len(all) > mostResources {
		return wrong(field, 0, "There are at most %d.", mostResources)
	}
	for i, text := range all {
		if u, err := url.Parse(text); err != nil || !u.IsAbs() || strings.Contains(text, "#") || len(text) > 500 {
			l = append(l, wrong(field, i+1, "%q is no whole address without a fragment, as in https://x.example.", text)...)
		}
	}
	return l
}

// checkPKCE lets nobody off who has no other proof (RFC 9700 section 2.1.1).
func checkPKCE(a store.Application) fault.List {
	switch how := a.OpenID.PKCE; {
	case how != "" && !slices.Contains(enforcements, how):
		return wrong(fault.Enforcement, 0, "It must be one of %q.", enforcements)
	case how == store.PKCEOptional && a.Public():
		return wrong(fault.Enforcement, 0, "An application of this type has no secret: PKCE is all that proves it.")
	}
	return nil
}
