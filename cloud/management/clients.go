package management

import (
	"cmp"
	"context"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
)

// factsOfClient leaves the hash of the secret out.
func factsOfClient(c store.Client) facts { return facts{"name": c.Name, "role": c.Role} }

// CreateClient adds an API client, and returns its secret. Only this answer has it.
// Two may have one name: they are known by their IDs.
// Errors: a fault.List of the name and the role, and *HigherError for a role that the
// actor does not have.
func (s *Service) CreateClient(ctx context.Context, by By, c *store.Client) (secret string, err error) {
	err = s.act(ctx, by, CreateClient, func(t *turn) error {
		*c = store.Client{EnvironmentID: t.env(), Name: c.Name, Role: c.Role}
		if err := cmp.Or(checkNamed("client", c.Name, c.Role, ClientRoles()).Err(), t.mayGive(c.Role)); err != nil {
			return err
		}
		secret, c.SecretHash = vault.NewSecret()
		if err := t.Store.CreateClient(ctx, c); err != nil {
			return err
		}
		t.did(note{
			action:  "client.created",
			subject: "client:" + c.ID,
			text:    "API client " + c.Name + " was made",
			after:   factsOfClient(*c),
		})
		return nil
	})
	return secret, err
}

// client returns an API client that the actor may change.
// Whoever has a client's secret has its role, so to change it takes that role.
func (t *turn) client(ctx context.Context, id string) (store.Client, error) {
	c, err := t.Client(ctx, t.env(), id)
	return c, t.needs(c.Role, "the API client "+c.Name, err)
}

// RenewClient gives an API client a new secret, which only this answer has, and leaves the one before good until
// a moment, as RenewApplication does. When it is worth nothing at once, the client's access tokens end too.
func (s *Service) RenewClient(
	ctx context.Context, by By, id string, until time.Time,
) (c store.Client, secret string, err error) {
	err = s.act(ctx, by, RenewClient, func(t *turn) (err error) {
		if c, err = t.client(ctx, id); err == nil {
			c.Former, err = s.former(store.FormerSecret{Hash: c.SecretHash}, until)
		}
		if err != nil {
			return err
		}
		secret, c.SecretHash = vault.NewSecret()
		t.did(note{
			action:  "client.updated",
			subject: "client:" + c.ID,
			text:    "API client " + c.Name + " was given a new secret" + besides(c.Former),
		})
		if c.Former.Hash != nil {
			return t.SetClientSecrets(ctx, &c)
		}
		return t.UpdateClient(ctx, &c)
	})
	return c, secret, err
}

// besides says how long the secret before stays good.
func besides(f store.FormerSecret) string {
	if f.Hash == nil {
		return ""
	}
	return "; the one before is good until " + f.Until.UTC().Format(time.RFC3339)
}

// EndClientSecret has the secret before the present one be worth nothing at once, with the client's access
// tokens. store.ErrNotFound when there is none that is good.
func (s *Service) EndClientSecret(ctx context.Context, by By, id string) (c store.Client, err error) {
	err = s.act(ctx, by, RenewClient, func(t *turn) (err error) {
		if c, err = t.client(ctx, id); err != nil {
			return err
		}
		if !c.Former.Good(s.now()) {
			return store.ErrNotFound
		}
		c.Former = store.FormerSecret{}
		t.did(note{
			action:  "client.updated",
			subject: "client:" + c.ID,
			text:    "API client " + c.Name + " was left with one secret",
		})
		return t.UpdateClient(ctx, &c)
	})
	return c, err
}

// DeleteClient removes an API client with its access tokens.
// A request of it that is under way ends as one of nobody: the role is looked up anew
// in each transaction.
func (s *Service) DeleteClient(ctx context.Context, by By, id string) (c store.Client, err error) {
	err = s.act(ctx, by, DeleteClient, func(t *turn) (err error) {
		if c, err = t.client(ctx, id); err != nil {
			return err
		}
		t.did(note{
			action:  "client.deleted",
			subject: "client:" + c.ID,
			text:    "API client " + c.Name + " was deleted",
			before:  factsOfClient(c),
		})
		return t.Store.DeleteClient(ctx, t.env(), c.ID)
	})
	return c, err
}
