package idp

import (
	"context"
	"errors"
	"maps"
	"slices"

	"ldap-gateway/cloud/evidence"
	"ldap-gateway/cloud/mapping"
	"ldap-gateway/cloud/store"
)

// Trial is what a sign-on would do, of one that writes nothing.
type Trial struct {
	Provider   store.IdentityProvider
	Subject    string
	Qualifiers string
	Claims     []Claim           // that came, by name
	Properties map[string]string // that the mappings make of them
	Yields     []Yield           // of each mapping, groups excepted
	Groups     []string
	Mapped     bool // groups are
	Verdict    string
	Reason     string
	User       *store.User // that would be signed on; nil: one would be made
	Refused    string      // why nobody would be; empty: somebody would
	Joins      []string    // names of groups
	Leaves     []string
}

// Yield is what a mapping made of what came.
type Yield struct {
	store.ProviderMapping
	Filled  string   // empty: nothing
	Missing []string // claims that it names and that did not come
}

// Claim is one claim with its values.
type Claim struct {
	Name   string
	Values []string
	More   int // values that are left out here
}

// mostShown is how many values of a claim a trial shows.
const mostShown = 20

// yields says what each mapping makes of what came, groups excepted: they are a list with
// a verdict.
func yields(p store.IdentityProvider, properties map[string]string, names []string) (all []Yield) {
	for _, m := range p.Mappings {
		if m.Name != mapping.Groups {
			all = append(all, Yield{m, properties[m.Name], mapping.Missing(m.Value, names)})
		}
	}
	return all
}

// trial says what a sign-on would do.
// Its error is the store's. What keeps somebody from signing on is in the trial.
func (d *Desk) trial(ctx context.Context, v visit, list evidence.List, mapped bool) (*Trial, error) {
	t := &Trial{
		Provider:   v.provider,
		Subject:    v.evidence.Subject,
		Qualifiers: v.evidence.Qualifiers,
		Claims:     claims(v.evidence),
		Properties: mapping.Claimed(v.provider, v.evidence),
		Groups:     list.Names,
		Mapped:     mapped,
		Verdict:    verdict(list.Verdict).String(),
		Reason:     list.Reason,
	}
	t.Yields = yields(t.Provider, t.Properties, v.evidence.Names())
	u, err := d.Store.UserBySubject(ctx, v.env, v.provider.ID, store.Subject{ID: t.Subject, Qualifiers: t.Qualifiers})
	if errors.Is(err, store.ErrNotFound) {
		t.Joins = list.Names
		return t, d.newcomer(ctx, v, t)
	}
	if err != nil {
		return nil, err
	}
	t.User = &u
	if !u.MaySignOn() {
		t.Refused = "the user is disabled in the cloud"
	}
	return t, d.moves(ctx, v, list, t)
}

// newcomer says whether somebody would be made.
// It asks what the provisioner would, in the same order, and writes nothing.
func (d *Desk) newcomer(ctx context.Context, v visit, t *Trial) error {
	name := t.Properties["username"]
	switch {
	case v.provider.PopulationID == "":
		t.Refused = "nobody is linked to this subject, and the provider makes nobody"
	case name == "":
		t.Refused = "there is no value for the username"
	default:
		_, err := d.Store.UserByUsername(ctx, v.env, name)
		if err == nil {
			t.Refused = "the username is taken by another user"
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}

// moves says which groups a known user would join and leave.
// Groups that are not mapped, or of which nothing is known, leave memberships alone.
func (d *Desk) moves(ctx context.Context, v visit, list evidence.List, t *Trial) error {
	all, err := d.Store.UserGroups(ctx, v.env, t.User.ID)
	if err != nil || !t.Mapped || list.Verdict == evidence.Unknown {
		return err
	}
	has := map[string]string{}
	for _, m := range all {
		if m.Group.SourceType == store.SourceIDP && m.Group.SourceID == v.provider.ID {
			has[m.Group.Key()] = m.Group.Name
		}
	}
	if _, rule, _ := mapping.GroupClaim(v.provider); rule != store.Always && len(has) > 0 {
		return nil // once, and that was
	}
	for _, name := range list.Names {
		if _, in := has[name]; !in {
			t.Joins = append(t.Joins, name)
		}
		delete(has, name)
	}
	if list.Verdict == evidence.Complete {
		t.Leaves = slices.Sorted(maps.Values(has))
	}
	return nil
}

// claims lists what came, for people.
// Of a claim with very many values the first are shown, and the rest counted.
func claims(e evidence.Evidence) (all []Claim) {
	for _, name := range e.Names() {
		values := e.Shown(evidence.Named(name))
		c := Claim{Name: name, Values: values[:min(len(values), mostShown)]}
		c.More = len(values) - len(c.Values)
		all = append(all, c)
	}
	return all
}
