package management

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/idp"
	"ldap-gateway/cloud/idp/samlsp"
	"ldap-gateway/cloud/store"
)

// People says what becomes of the links of a provider's people.
type People string

// What may become of them.
const (
	AskPeople  People = ""     // the change is refused while there are any
	KeepPeople People = "keep" // the same subjects are the same people there
	DropPeople People = "drop" // they are others: the links end
)

// DeleteProvider removes an identity provider with its just-in-time groups, the links of
// its people, and the certificates that came by its metadata. *DependentsError when it
// has people or groups, or something names it or one of those, unless force is set: people
// stay then, signed off.
// Certificates that an owner added stay: somebody may use them elsewhere.
func (s *Service) DeleteProvider(
	ctx context.Context, by By, id string, force bool, seen func(store.IdentityProvider) error,
) error {
	return s.act(ctx, by, DeleteProvider, func(t *turn) error {
		p, err := t.IdentityProvider(ctx, t.env(), id)
		if err != nil {
			return err
		}
		if err := ask(seen, p); err != nil {
			return err
		}
		e, err := t.hanging(ctx, id)
		if err != nil {
			return err
		}
		if !force && e.Users+e.Groups+len(e.Named) > 0 {
			return e
		}
		t.did(note{
			action:  "identityProvider.deleted",
			subject: "provider:" + p.ID,
			text:    "identity provider " + p.Name + " was deleted",
			before:  factsOfProvider(p),
			more:    facts{"users": e.Users, "groups": e.Groups, "roles": namesOf(e.Roles)},
		})
		var certificates []string // that came by its metadata
		if p.Config.SAML != nil {
			certificates = p.Config.SAML.FromMetadata
		}
		done, err := t.goes(ctx, store.ProviderGoes, append([]string{id}, certificates...)...)
		if err != nil || !done {
			return err
		}
		return idp.DropUnused(ctx, t.Store, t.env(), certificates)
	})
}

// hanging counts what would end with an identity provider.
// Ten people are named at most, and every group that gives a role.
func (t *turn) hanging(ctx context.Context, id string) (*DependentsError, error) {
	e := &DependentsError{Provider: true}
	var err error
	if e.Users, err = t.LinkedUsers(ctx, t.env(), id); err != nil {
		return nil, err
	}
	if e.Some, err = t.SomeLinkedUsers(ctx, t.env(), id); err != nil {
		return nil, err
	}
	if e.Groups, err = t.CountGroups(ctx, t.env(), store.SourceIDP, id); err != nil {
		return nil, err
	}
	if e.Roles, err = t.RolesOfSource(ctx, t.env(), store.SourceIDP, id); err != nil {
		return nil, err
	}
	e.Named, err = NamedBy(ctx, t.Store, t.env(), id)
	return e, err
}

// namesOf returns the names of groups, as the activity has them.
func namesOf(roles []store.NamedRole) (names []string) {
	for _, r := range roles {
		names = append(names, r.Name)
	}
	return names
}

// identityOf is what makes a subject of a provider one person: the field that says it,
// and its value.
// A subject is unique only within these: with another issuer the same text is somebody
// else. A provider may give each client other subjects (Core section 8), and does give
// another format of name IDs others.
func identityOf(p store.IdentityProvider) map[fault.Field]string {
	if o := p.Config.OIDC; o != nil {
		return map[fault.Field]string{fault.Issuer: o.Issuer, fault.ClientID: o.ClientID}
	}
	if s := p.Config.SAML; s != nil {
		all := map[fault.Field]string{fault.EntityID: s.EntityID, fault.SubjectFrom: s.SubjectFrom}
		if s.SubjectFrom == "" {
			all[fault.NameIDFormat] = cmp.Or(s.NameIDFormat, samlsp.Persistent)
		}
		return all
	}
	return nil
}

// settlePeople refuses to have a subject mean somebody else while people are linked,
// unless it is said what becomes of their links. It returns what was done, in words, and
// whether they are to be dropped, which ends what they have open, too. A fault stands for each field that would be
// another.
func (t *turn) settlePeople(
	ctx context.Context, d ProviderDraft, before store.IdentityProvider,
) (done string, drop bool, err error) {
	was, is := identityOf(before), identityOf(d.IdentityProvider)
	var l fault.List
	fields := []fault.Field{fault.Issuer, fault.ClientID, fault.EntityID, fault.SubjectFrom, fault.NameIDFormat}
	for _, field := range fields {
		if _, counts := is[field]; counts && was[field] != is[field] {
			l = append(l, fault.Of(field, fault.Depended, "")...)
		}
	}
	if len(l) == 0 || d.People == KeepPeople {
		return "changed", false, nil
	}
	people, err := t.LinkedUsers(ctx, t.env(), before.ID)
	if err != nil || people == 0 {
		return "changed", false, err
	}
	if d.People == DropPeople {
		return "changed, and the links of its people dropped", true, nil
	}
	for i := range l {
		l[i].Message = fmt.Sprintf("People linked so far: %d. Say whether the same subjects are the same people "+
			"there, so that the links are kept, or whether the links are dropped.", people)
	}
	return "", false, l.Err()
}

// keepRead keeps what the cloud itself noted of the metadata, while it is the same: no
// face writes it.
// With another address or entity ID the metadata is read anew, whether or not it has
// changed.
func (d *ProviderDraft) keepRead(before store.IdentityProvider) {
	was, is := before.Config.SAML, d.Config.SAML
	if was == nil || is == nil {
		return
	}
	is.MetadataETag = ""
	if was.MetadataURL == is.MetadataURL && was.EntityID == is.EntityID {
		is.MetadataETag = was.MetadataETag
	}
	off := func(id string) bool { return !slices.Contains(is.CertificateIDs, id) }
	is.FromMetadata = slices.DeleteFunc(slices.Clone(was.FromMetadata), off)
}

// keepCore refuses to take away a core mapping, or to have it fill something else. It
// stays with its ID and in its own spelling.
// New people get their username by it.
func (d *ProviderDraft) keepCore(before store.IdentityProvider) (l fault.List) {
	for _, core := range before.Mappings {
		if !core.Core {
			continue
		}
		i := slices.IndexFunc(d.Mappings, func(m store.ProviderMapping) bool { return m.ID == core.ID })
		switch {
		case i < 0:
			l = append(l, fault.Of(fault.ClaimName, fault.ReadOnly,
				"The mapping of "+core.Name+" is a core one: it is changed, and not deleted.")...)
		case !strings.EqualFold(d.Mappings[i].Name, core.Name):
			l = append(l, fault.Of(fault.ClaimName, fault.ReadOnly,
				"The mapping of "+core.Name+" is a core one: it fills nothing else.")...)
		default:
			d.Mappings[i].Name = core.Name
		}
	}
	return l
}
