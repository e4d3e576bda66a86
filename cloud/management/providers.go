package management

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/google/uuid"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/idp"
	"ldap-gateway/cloud/idp/samlsp"
	"ldap-gateway/cloud/providers"
	"ldap-gateway/cloud/store"
)

// Vault keeps secrets so that the database does not show them; *vault.Vault does.
type Vault interface {
	Seal(purpose, owner string, secret []byte) []byte
	Open(purpose, owner string, sealed []byte) ([]byte, error)
}

// ProviderDraft is an identity provider as it is to be.
type ProviderDraft struct {
	store.IdentityProvider
	// People says what becomes of the links of its people when a change makes a subject
	// somebody else's: another issuer, entity ID or subject attribute.
	People People
	// Secret is the client's, new. Empty: the one that there is stays, while the
	// provider is the same: a secret goes to the token endpoint that it was given for.
	Secret string
}

// factsOfProvider has neither the secret nor the health: the one is nobody's to read,
// the other is no setting.
func factsOfProvider(p store.IdentityProvider) facts {
	return facts{
		"name":        p.Name,
		"description": p.Description,
		"type":        p.Type,
		"enabled":     p.Enabled,
		"population":  p.PopulationID,
		"config":      p.Config,
		"mappings":    slices.Clone(p.Mappings),
		"hasSecret":   len(p.Sealed) > 0,
	}
}

// CreateProvider adds an identity provider, and fills in what is usual, IDs and times.
// Errors are a fault.List. It may be enabled at once, if its settings let it sign
// people on.
func (s *Service) CreateProvider(ctx context.Context, by By, d *ProviderDraft) error {
	return s.act(ctx, by, CreateProvider, func(t *turn) error { return t.createProvider(ctx, d) })
}

// createProvider is for both ways to make one, in a turn that is under way.
func (t *turn) createProvider(ctx context.Context, d *ProviderDraft) error {
	d.ID, d.EnvironmentID, d.Sealed, d.Health = uuid.NewString(), t.env(), nil, store.ProviderHealth{}
	providers.Complete(&d.IdentityProvider, idp.OwnEntityID(t.service.URL, t.env()))
	if err := t.keepCallbacksApart(ctx, &d.IdentityProvider); err != nil {
		return err
	}
	if err := t.isFirst(ctx, &d.IdentityProvider); err != nil {
		return err
	}
	d.seal(t.service.Vault)
	if err := t.checkProvider(ctx, *d, store.IdentityProvider{}, nil); err != nil {
		return err
	}
	if err := t.CreateIdentityProvider(ctx, &d.IdentityProvider); err != nil {
		return providerNameTaken(err)
	}
	t.did(note{
		action:  "identityProvider.created",
		subject: "provider:" + d.ID,
		text:    "identity provider " + d.Name + " was created",
		after:   factsOfProvider(d.IdentityProvider),
	})
	return nil
}

// isFirst notes whether a new provider is the environment's first source of groups.
func (t *turn) isFirst(ctx context.Context, p *store.IdentityProvider) error {
	gateways, _, err := t.Gateways(ctx, t.env(), store.Page{Limit: 1})
	if err != nil {
		return err
	}
	others, _, err := t.IdentityProviders(ctx, t.env(), store.Page{Limit: 1})
	p.Config.First = len(gateways)+len(others) == 0
	return err
}

// CreateProviderWith is CreateProvider of a SAML provider as its metadata describes it.
// The certificates are kept besides, and a key of ours is made when it wants our requests
// signed. Without a name it has the front of its entity ID.
func (s *Service) CreateProviderWith(ctx context.Context, by By, d *ProviderDraft, m samlsp.Described) error {
	d.Name = cmp.Or(d.Name, cut(m.EntityID, maxName))
	var own madeKey
	if m.WantsSigned && May(by.Role, CreateProvider) {
		var err error
		if own, err = newKey(KeyDraft{Name: cut("ldap-cloud "+d.Name, maxName)}, s.now()); err != nil {
			return err
		}
	}
	return s.act(ctx, by, CreateProvider, func(t *turn) error {
		for _, parsed := range m.Certificates {
			c, err := t.addCertificate(ctx, cut(parsed.Subject.String(), maxGroupName), Signing, parsed)
			if err != nil {
				return err
			}
			d.Config.SAML.CertificateIDs = append(d.Config.SAML.CertificateIDs, c.ID)
		}
		d.Config.SAML.FromMetadata = slices.Clone(d.Config.SAML.CertificateIDs)
		if m.WantsSigned {
			c, err := t.addKey(ctx, own)
			if err != nil {
				return err
			}
			d.Config.SAML.SignsRequests, d.Config.SAML.KeyID = true, c.ID
		}
		return t.createProvider(ctx, d)
	})
}

// cut is the front of a text that nobody typed, as long as may be.
func cut(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most])
	}
	return text
}

// seal seals a new secret.
func (d *ProviderDraft) seal(v Vault) {
	if d.Secret != "" {
		d.Sealed = v.Seal(idp.PurposeSecret, d.ID, []byte(d.Secret))
	}
}

// ChangeProvider changes an identity provider; its type stays.
func (s *Service) ChangeProvider(
	ctx context.Context, by By, id string, change func(*ProviderDraft) error,
) (p store.IdentityProvider, err error) {
	err = s.act(ctx, by, ChangeProvider, func(t *turn) error {
		p, err = t.changeProvider(ctx, id, change)
		return err
	})
	return p, err
}

// changeProvider is for every way to change one, in a turn that is under way.
func (t *turn) changeProvider(
	ctx context.Context, id string, change func(*ProviderDraft) error,
) (p store.IdentityProvider, err error) {
	before, err := t.IdentityProvider(ctx, t.env(), id)
	if err != nil {
		return p, err
	}
	copied, err := copyOfProvider(before)
	if err != nil {
		return p, err
	}
	d := ProviderDraft{IdentityProvider: copied}
	if err := change(&d); err != nil {
		return p, err
	}
	l := d.keep(before)
	providers.Complete(&d.IdentityProvider, idp.OwnEntityID(t.service.URL, t.env()))
	if err := t.keepCallbacksApart(ctx, &d.IdentityProvider); err != nil {
		return p, err
	}
	d.seal(t.service.Vault)
	if err := t.checkProvider(ctx, d, before, l); err != nil {
		return p, err
	}
	done, drop, err := t.settlePeople(ctx, d, before)
	if err != nil {
		return p, err
	}
	if now := t.service.RedirectURI(d.IdentityProvider); d.Config.OIDC != nil && now != t.service.RedirectURI(before) {
		done += ", and has a redirect URI of its own now, to be entered there: " + now
	}
	p = d.IdentityProvider
	if err := t.saveProvider(ctx, &p, before, done); err != nil || !drop {
		return p, err
	}
	return p, t.UnlinkProvider(ctx, t.env(), p.ID)
}

// keep has what no change may touch be as it was, and says what was to be touched.
func (d *ProviderDraft) keep(before store.IdentityProvider) fault.List {
	d.ID, d.EnvironmentID, d.Sealed = before.ID, before.EnvironmentID, before.Sealed
	d.Config.First = before.Config.First
	if was, is := before.Config.OIDC, d.Config.OIDC; was != nil && is != nil {
		is.OwnCallback = was.OwnCallback
		if moved(*was, *is) {
			d.Sealed = nil // else whoever may change an address reads the secret there
		}
	}
	d.keepRead(before)
	return d.keepCore(before)
}

// AddProviderCertificate keeps a certificate, in PEM or DER, and has a SAML provider's
// answers proven by it, beside those that there are. Of another kind of provider it is
// store.ErrNotFound.
func (s *Service) AddProviderCertificate(
	ctx context.Context, by By, id string, file []byte,
) (p store.IdentityProvider, err error) {
	parsed, err := readCertificate(file)
	if err != nil {
		return p, err
	}
	if !May(by.Role, ChangeProvider) {
		return p, ErrRole
	}
	err = s.act(ctx, by, AddCertificate, func(t *turn) error {
		c, err := t.addCertificate(ctx, cut(parsed.Subject.String(), maxGroupName), Signing, parsed)
		if err != nil {
			return err
		}
		p, err = t.changeProvider(ctx, id, func(d *ProviderDraft) error {
			if d.Config.SAML == nil {
				return store.ErrNotFound
			}
			d.Config.SAML.CertificateIDs = append(d.Config.SAML.CertificateIDs, c.ID)
			return nil
		})
		return err
	})
	return p, err
}

// MakeProviderKey makes a key of ours and has a provider use it. The old one is kept, as
// another provider may use it.
func (s *Service) MakeProviderKey(
	ctx context.Context, by By, id string, k KeyDraft,
) (p store.IdentityProvider, err error) {
	k.complete()
	if err := k.check(); err != nil {
		return p, err
	}
	if !May(by.Role, ChangeProvider) || !May(by.Role, MakeKey) {
		return p, ErrRole // before the work of making one
	}
	own, err := newKey(k, s.now())
	if err != nil {
		return p, err
	}
	err = s.act(ctx, by, MakeKey, func(t *turn) error {
		c, err := t.addKey(ctx, own)
		if err != nil {
			return err
		}
		p, err = t.changeProvider(ctx, id, func(d *ProviderDraft) error {
			if d.Config.SAML != nil {
				d.Config.SAML.KeyID = c.ID
			}
			if d.Config.OIDC != nil {
				d.Config.OIDC.KeyID = c.ID
			}
			return nil
		})
		return err
	})
	return p, err
}

// moved tells whether a client secret would go elsewhere.
// Who may change an address must not have the secret sent there.
func moved(before, after store.OIDCConfig) bool {
	return before.TokenEndpoint != after.TokenEndpoint || before.ClientID != after.ClientID
}

// copyOfProvider returns a provider that can be changed without the other.
// It goes by JSON, as the store does, so that nothing in it is shared.
func copyOfProvider(p store.IdentityProvider) (c store.IdentityProvider, err error) {
	b, err := json.Marshal(p)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	return c, err
}

// saveProvider writes a provider that was checked, and notes what became of it in the
// words of done.
func (t *turn) saveProvider(
	ctx context.Context, p *store.IdentityProvider, before store.IdentityProvider, done string,
) error {
	if err := t.UpdateIdentityProvider(ctx, p); err != nil {
		return providerNameTaken(err)
	}
	t.did(note{
		action:  "identityProvider.updated",
		subject: "provider:" + p.ID,
		text:    "identity provider " + p.Name + " was " + done,
		before:  factsOfProvider(before),
		after:   factsOfProvider(*p),
	})
	return nil
}

// providerNameTaken is a conflict as the fault that it is here; any other error stays
// what it is.
func providerNameTaken(err error) error {
	if errors.Is(err, store.ErrConflict) {
		return fault.Of(fault.Name, fault.Taken, "Another identity provider of this environment has this name.")
	}
	return err
}

// TriedProvider notes that somebody begins a sign-on at a provider to see what it
// would do.
// It comes before the sign-on: what cannot be noted does not begin.
func (s *Service) TriedProvider(ctx context.Context, by By, id string) error {
	return s.act(ctx, by, TryProvider, func(t *turn) error {
		p, err := t.IdentityProvider(ctx, t.env(), id)
		if err != nil {
			return err
		}
		t.did(note{
			action:  "identityProvider.tried",
			subject: "provider:" + p.ID,
			text:    "a sign-on at " + p.Name + " was tried",
		})
		return nil
	})
}

// checkProvider refuses settings that cannot be, by themselves and beside what the
// environment has. L is what is known to be wrong already.
// It returns all that is wrong at once, and no provider is asked anything.
func (t *turn) checkProvider(
	ctx context.Context, d ProviderDraft, before store.IdentityProvider, l fault.List,
) error {
	p := d.IdentityProvider
	l = append(l, providers.Check(p)...)
	if before.ID != "" && p.Type != before.Type {
		l = append(l, fault.Of(fault.ProviderType, fault.ReadOnly, "A provider's type stays: make another one.")...)
	}
	if p.PopulationID != "" {
		_, err := t.Population(ctx, t.env(), p.PopulationID)
		if errors.Is(err, store.ErrNotFound) {
			l = append(l, fault.Of(fault.Population, fault.Invalid, "This environment has no such population.")...)
		} else if err != nil {
			return err
		}
	}
	keys, err := t.checkKeys(ctx, p)
	if err != nil {
		return err
	}
	domains, err := t.checkOwnDomains(ctx, p)
	if err != nil {
		return err
	}
	return append(append(l, keys...), domains...).Err()
}

// checkOwnDomains refuses domains that another provider has.
// A name would lead to one of two at random.
func (t *turn) checkOwnDomains(ctx context.Context, p store.IdentityProvider) (l fault.List, err error) {
	if len(p.Config.Domains) == 0 {
		return nil, nil
	}
	err = t.others(ctx, p, func(other store.IdentityProvider) {
		for _, d := range other.Config.Domains {
			same := func(own string) bool { return store.Fold(own) == store.Fold(d) }
			if slices.ContainsFunc(p.Config.Domains, same) {
				l = append(l, fault.Of(fault.Domains, fault.Taken, d+" leads to "+other.Name+".")...)
			}
		}
	})
	return l, err
}
