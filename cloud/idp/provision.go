package idp

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/google/uuid"

	"ldap-gateway/cloud/evidence"
	"ldap-gateway/cloud/mapping"
	"ldap-gateway/cloud/provisioner"
	"ldap-gateway/cloud/store"
)

// visit is one person who came back.
type visit struct {
	env      string
	provider store.IdentityProvider
	journey  journey
	evidence evidence.Evidence
	address  string
	begun    time.Time
}

// arrive has the records follow the evidence, and says who came.
// The provider's health is written after the records, in a transaction of its own.
func (d *Desk) arrive(ctx context.Context, v visit) (a Arrived, err error) {
	list, mapped := groupsOf(v)
	a = Arrived{
		At:     d.now(),
		Until:  v.evidence.Until,
		Flow:   v.journey.Wish.Flow,
		Then:   v.journey.Wish.Then,
		Cookie: v.journey.Key[:suffixSize],
	}
	// A provider whose clock is ahead must not make the proof younger than it is.
	if at := v.evidence.At; !at.IsZero() && at.Before(a.At) {
		a.At = at
	}
	if v.provider.Config.TrustsMethods {
		a.Methods = v.evidence.Methods
	}
	if v.provider.Config.TrustsFactor && v.evidence.SeveralFactors() {
		a.Factor = store.FactorProvider
	}
	if v.journey.Wish.Trial {
		a.Trial, err = d.trial(ctx, v, list, mapped)
		// Nothing was written, and nobody is signed on.
		return a, err
	}
	so := &a.SignOn
	*so = store.SignOn{
		EnvironmentID: v.env,
		At:            d.now(),
		Method:        store.ByIDP,
		Username:      v.evidence.Subject,
		ProviderID:    v.provider.ID,
		Outcome:       store.SignedOnOK,
		Message:       "You are signed on.",
		Address:       v.address,
	}
	so.Duration = d.now().Sub(v.begun)
	if _, err = d.Provisioner.Apply(ctx, identity(v, list, mapped), so); err != nil {
		return a, d.notProvisioned(ctx, v, err)
	}
	if d.Counted != nil {
		d.Counted(*so)
	}
	d.see(ctx, v.env, v.provider.ID, func(h *store.ProviderHealth) { seen(h, v, list, mapped) })
	return a, nil
}

// see writes a provider's health. That it cannot be written, or that the provider is gone
// meanwhile, changes nothing for the person.
func (d *Desk) see(ctx context.Context, env, provider string, change func(h *store.ProviderHealth)) {
	err := d.Store.SeeProvider(ctx, env, provider, change)
	if err == nil || errors.Is(err, store.ErrNotFound) {
		return
	}
	d.note(func() { d.Logger.Warn("a provider's health is not kept", "provider", provider, "error", err) })
}

// groupsOf reads the groups; false when the provider's settings do not map them.
func groupsOf(v visit) (list evidence.List, mapped bool) {
	path, _, mapped := mapping.GroupClaim(v.provider)
	if !mapped {
		return list, false
	}
	g := v.provider.Config.Groups
	return v.evidence.Groups(evidence.Reading{
		Path:         path,
		Delimiter:    g.Delimiter,
		AbsentIsNone: g.AbsentIsNone,
		Objects:      g.TakesObjects,
		Include:      whole(g.Include),
		Exclude:      whole(g.Exclude),
	}), true
}

// whole compiles patterns of whole names. One that cannot be was refused when it was set.
func whole(patterns []string) (all []*regexp.Regexp) {
	for _, p := range patterns {
		if re, err := regexp.Compile(`^(?:` + p + `)$`); err == nil {
			all = append(all, re)
		}
	}
	return all
}

// identity is what the provisioner is told.
// A property for which nothing came is not mapped this time, so that what the record
// has stays.
func identity(v visit, list evidence.List, mapped bool) provisioner.Identity {
	id := provisioner.Identity{
		EnvironmentID: v.env,
		SourceType:    store.SourceIDP,
		SourceID:      v.provider.ID,
		PopulationID:  v.provider.PopulationID,
		Subject:       store.Subject{ID: v.evidence.Subject, Qualifiers: v.evidence.Qualifiers},
		Username:      v.evidence.Subject,
		Properties:    mapping.Claimed(v.provider, v.evidence),
		Mapped:        []string{},
		Update:        true,
	}
	for _, m := range v.provider.Mappings {
		if id.Properties[m.Name] == "" {
			continue
		}
		id.Mapped = append(id.Mapped, m.Name)
		if m.Update != store.Always {
			id.Once = append(id.Once, m.Name)
		}
	}
	if !mapped {
		return id
	}
	_, rule, _ := mapping.GroupClaim(v.provider)
	id.GroupsOnce = rule != store.Always
	id.Membership = &provisioner.Membership{Verdict: verdict(list.Verdict), Reason: list.Reason}
	for _, name := range list.Names {
		id.Membership.Groups = append(id.Membership.Groups, provisioner.Group{Name: name})
	}
	return id
}

// verdict is unknown for all that is not known here: then nobody is taken out of a
// group.
func verdict(v evidence.Verdict) provisioner.Verdict {
	switch v {
	case evidence.Complete:
		return provisioner.Complete
	case evidence.Partial:
		return provisioner.Partial
	}
	return provisioner.Unknown
}

// notProvisioned says why a person who has proven who they are is not signed on, and
// records it: that is no stranger's doing.
func (d *Desk) notProvisioned(ctx context.Context, v visit, err error) error {
	outcome, reason := "notAllowed", ""
	switch {
	case errors.Is(err, provisioner.ErrUnknownRecord):
		outcome = "noSuchUser"
		reason = "nobody is linked to this subject, and the provider makes nobody: choose a population for it, or link a user"
	case errors.Is(err, provisioner.ErrUsernameTaken):
		reason = "username_taken: another user has the username that the provider gives:" +
			" link that user, or map another username"
	case errors.Is(err, provisioner.ErrUsernameOfOthers):
		reason = "username_of_others: a user type of a gateway is for usernames like the one that the provider gives:" +
			" link the user who has it, or map another username"
	case errors.Is(err, provisioner.ErrNoUsername):
		reason = "the provider gives no value for the username, or none on one line of at most 1024 characters:" +
			" look at its mappings"
	case errors.Is(err, provisioner.ErrDisabled):
		outcome, reason = "accountDisabled", "the user is disabled in the cloud"
	// What is left is an error of ours.
	default:
		return err
	}
	r := d.refused(v.journey, evidence.Refuse(evidence.ProviderError, "%s", reason))
	r.Text = "You are known there, but cannot sign on here. Please ask your administrator."
	so := store.SignOn{
		ID:            r.ID,
		EnvironmentID: v.env,
		At:            d.now(),
		Method:        store.ByIDP,
		Username:      v.evidence.Subject,
		ProviderID:    v.provider.ID,
		Outcome:       outcome,
		Reason:        reason,
		Message:       r.Text,
		Address:       v.address,
		Duration:      d.now().Sub(v.begun),
	}
	if d.Counted != nil {
		d.Counted(so)
	}
	return errors.Join(r, d.Store.RecordSignOn(ctx, &so))
}

// refuse makes any error of a journey what the page shows, notes what it says of the
// provider, and tells the log now and then. Errors of our own stay what they are.
// A provider that is gone has no health to be noted in.
func (d *Desk) refuse(ctx context.Context, env string, j journey, err error) error {
	var why *evidence.Refusal
	if errors.Is(err, ErrOff) {
		why = evidence.Refuse(evidence.Unavailable, "the provider is disabled or gone")
	} else if !errors.As(err, &why) {
		return err
	}
	r := d.refused(j, why)
	d.note(func() {
		d.Logger.Warn("a provider's answer was refused", "id", r.ID, "provider", j.Provider, "kind", why.Kind,
			"detail", why.Detail, "cause", short(why.Cause), "remedy", why.Remedy())
	})
	if j.Provider != "" {
		now := d.now()
		d.see(ctx, env, j.Provider, func(h *store.ProviderHealth) { refusedOnce(h, r.ID, why.Kind, now) })
	}
	return r
}

// refused says of a trial what is wrong there and then: it is an administrator who
// looks.
func (d *Desk) refused(j journey, why *evidence.Refusal) *Refused {
	r := &Refused{
		Refusal:  why,
		ID:       uuid.NewString(),
		Provider: j.Provider,
		Flow:     j.Wish.Flow,
		Then:     j.Wish.Then,
		Silent:   j.Wish.Silent,
	}
	if j.Wish.Trial {
		r.Text = "Refused as " + string(why.Kind) + ". Remedy: " + why.Remedy() + "."
	}
	if j.Key != "" {
		r.Cookie = j.Key[:suffixSize]
	}
	return r
}

// short is as much of an error as a log keeps.
// It is 500 characters, as others decide what is in it.
func short(err error) string {
	if err == nil {
		return ""
	}
	return fmt.Sprintf("%.500s", err)
}
