package idp

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"ldap-gateway/cloud/idp/samlsp"
	"ldap-gateway/cloud/store"
)

// How often metadata is read, again after it could not be, and looked whether it is due.
const (
	readEvery  = 24 * time.Hour
	retryEvery = time.Hour
	lookEvery  = 10 * time.Minute
)

// errEntity says that metadata describes another provider than it did.
var errEntity = errors.New("the metadata does not describe this entity ID any more")

// Run reads the metadata of SAML providers when it is due, until ctx ends, so that new
// certificates come and old ones go by themselves.
// It begins at once. Every node does it: what one has read is due for none of them.
func (d *Desk) Run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := d.Refresh(ctx); err != nil && ctx.Err() == nil {
			d.Logger.Warn("metadata could not be refreshed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Refresh reads what is due in all environments. That a provider does not answer is no
// error: its health says so.
// An error is the store's, and ends the round: the next one begins anew.
func (d *Desk) Refresh(ctx context.Context) error {
	environments, err := d.Store.Environments(ctx)
	if err != nil {
		return err
	}
	for _, e := range environments {
		for page := (store.Page{Limit: store.MaxLimit}); ; {
			all, next, err := d.Store.IdentityProviders(ctx, e.ID, page)
			if err != nil {
				return err
			}
			for _, p := range all {
				if err := d.refresh(ctx, p); err != nil {
					return err
				}
			}
			if page.Cursor = next; next == "" {
				break
			}
		}
	}
	return nil
}

// due tells whether a provider's metadata is to be read now.
func (d *Desk) due(p store.IdentityProvider) bool {
	if p.Config.SAML == nil || p.Config.SAML.MetadataURL == "" {
		return false
	}
	every := readEvery
	if p.Health.Problem != "" {
		every = retryEvery
	}
	return d.now().Sub(p.Health.MetadataReadAt) >= every
}

// refresh notes when it was read, whatever came of it, so that one which fails is not
// asked at each look.
func (d *Desk) refresh(ctx context.Context, p store.IdentityProvider) error {
	if !d.due(p) {
		return nil
	}
	s := p.Config.SAML
	described, etag, err := d.ReadMetadata(ctx, s.MetadataURL, s.EntityID, s.MetadataETag)
	if err == nil && described.EntityID != s.EntityID {
		err = errEntity
	}
	if err == nil {
		err = d.follow(ctx, p, described, etag)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	now := d.now()
	return d.Store.SeeProvider(ctx, p.EnvironmentID, p.ID, func(h *store.ProviderHealth) {
		h.MetadataReadAt = now
		switch {
		case err == nil:
			h.MetadataUntil = described.ValidUntil
		case errors.Is(err, errSame):
			err = samlsp.Expired(h.MetadataUntil, now) // it ends although it stays the same
		}
		switch {
		case err == nil:
			h.Problem, h.ProblemSince = "", time.Time{}
		case h.Problem == "":
			h.ProblemSince = now
			fallthrough
		default:
			h.Problem = "The metadata cannot be used: " + sentence(err)
		}
	})
}

// follow makes those certificates of a provider that came by its metadata the ones that
// it lists, which came from the address that an owner stated. Settings that somebody
// changed meanwhile stay theirs.
// It is read again within the transaction, and compared with what the metadata was read
// for.
func (d *Desk) follow(ctx context.Context, read store.IdentityProvider, m samlsp.Described, etag string) error {
	return d.Store.Provision(ctx, func(tx *store.Tx) error {
		db := tx.Store()
		p, err := db.IdentityProvider(ctx, read.EnvironmentID, read.ID)
		if err != nil || p.Config.SAML == nil || p.UpdatedAt != read.UpdatedAt {
			return err
		}
		before := *p.Config.SAML
		if err := keepCertificates(ctx, db, &p, m.Certificates); err != nil {
			return err
		}
		changed := !slices.Equal(before.CertificateIDs, p.Config.SAML.CertificateIDs)
		p.Config.SAML.MetadataETag = etag
		if !changed && before.MetadataETag == etag && slices.Equal(before.FromMetadata, p.Config.SAML.FromMetadata) {
			return nil
		}
		if err := db.UpdateIdentityProvider(ctx, &p); err != nil || !changed {
			return err
		}
		if err := DropUnused(ctx, db, p.EnvironmentID, before.FromMetadata); err != nil {
			return err
		}
		return db.AddActivity(ctx, store.Activity{
			EnvironmentID: p.EnvironmentID,
			At:            d.now(),
			Action:        "identityProvider.certificates",
			Actor:         "system",
			Subject:       "provider:" + p.ID,
			Text:          "certificates of " + p.Name + " follow its metadata",
			Detail:        map[string]any{"before": before.CertificateIDs, "after": p.Config.SAML.CertificateIDs},
		})
	})
}

// keepCertificates keeps those that are new, and takes off those that came by metadata
// and are not listed any more. One that somebody added by hand stays; from when it is
// listed it follows the metadata, too.
// An error leaves everything as it was, as the transaction ends with it.
func keepCertificates(ctx context.Context, db *store.Store, p *store.IdentityProvider, all []*x509.Certificate) error {
	s := p.Config.SAML
	have, err := certificatesOf(ctx, db, *p)
	if err != nil {
		return err
	}
	var listed, added []string
	for _, c := range all {
		id, is := have[string(c.Raw)]
		if !is {
			kept := store.Certificate{
				EnvironmentID: p.EnvironmentID,
				Name:          c.Subject.String(),
				Usage:         "SIGNING",
				DER:           c.Raw,
			}
			if err := db.CreateCertificate(ctx, &kept); err != nil {
				return err
			}
			id = kept.ID
			added = append(added, id)
		}
		listed = append(listed, id)
	}
	gone := func(id string) bool { return slices.Contains(s.FromMetadata, id) && !slices.Contains(listed, id) }
	ids := append(slices.DeleteFunc(slices.Clone(s.CertificateIDs), gone), added...)
	if len(ids) > samlsp.MostCertificates {
		return fmt.Errorf("with those that were added by hand there are %d certificates, and at most %d are taken",
			len(ids), samlsp.MostCertificates)
	}
	s.CertificateIDs, s.FromMetadata = ids, listed
	return nil
}

// certificatesOf returns the IDs of a provider's certificates by what they are.
// One that is named and not kept any more is left out.
func certificatesOf(ctx context.Context, db *store.Store, p store.IdentityProvider) (map[string]string, error) {
	have := map[string]string{}
	for _, id := range p.Config.SAML.CertificateIDs {
		c, err := db.Certificate(ctx, p.EnvironmentID, id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		have[string(c.DER)] = id
	}
	return have, nil
}

// DropUnused deletes those certificates that no provider uses any more.
// It must be called in the transaction that took them off, or one that is chosen
// meanwhile would go.
func DropUnused(ctx context.Context, db *store.Store, env string, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	used := map[string]bool{}
	for page := (store.Page{Limit: store.MaxLimit}); ; {
		all, next, err := db.IdentityProviders(ctx, env, page)
		if err != nil {
			return err
		}
		for _, p := range all {
			for _, id := range Uses(p) {
				used[id] = true
			}
		}
		if page.Cursor = next; next == "" {
			break
		}
	}
	for _, id := range ids {
		if used[id] {
			continue
		}
		if err := db.DeleteCertificate(ctx, env, id); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}
