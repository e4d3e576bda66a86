package management

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/kerberos"
	"ldap-gateway/cloud/store"
)

// wrong is a value that cannot be; item is which of a list, from 1, or 0.
func wrong(field fault.Field, item int, format string, args ...any) fault.List {
	return fault.List{{Field: field, Item: item, Kind: fault.Invalid, Message: fmt.Sprintf(format, args...)}}
}

// UsualKerberos is how a gateway takes tickets unless it says otherwise.
// People of every realm that a key is of are taken then.
func UsualKerberos() *store.Kerberos {
	return &store.Kerberos{RetainMinutes: kerberos.DefaultRetainMinutes}
}

// checkKerberos says what is wrong with how a gateway takes tickets; nil: it takes none.
// Realms are compared as they are written (RFC 4120 section 6.1), and a domain of
// Active Directory is a realm in capitals: one in small letters would match no ticket.
func checkKerberos(k *store.Kerberos) (l fault.List) {
	if k == nil {
		return nil
	}
	if k.RetainMinutes < 0 || k.RetainMinutes > kerberos.MostRetainMinutes {
		l = append(l, wrong(fault.Retain, 0, "It must be from 0, which is not at all, to %d.", kerberos.MostRetainMinutes)...)
	}
	if k.Attribute != "" && !strings.Contains(k.Value, "${principal}") {
		l = append(l, wrong(fault.PrincipalValue, 0, "It must have ${principal} in it, or everybody would be one person.")...)
	}
	for i, n := range k.Networks {
		if _, err := netip.ParsePrefix(n); err != nil {
			l = append(l, wrong(fault.Networks, i+1, "%q is not a network, as in 10.0.0.0/8.", n)...)
		}
	}
	for i, r := range k.Realms {
		if r == "" || r != strings.ToUpper(r) {
			l = append(l, wrong(fault.Realms, i+1, "A realm is in capitals, as in CORP.EXAMPLE.COM.")...)
		}
	}
	return l
}

// checkAccount says what is wrong with a service account. Without a password the
// keys of before stay in use, so it must be the account of before; where there are no keys
// yet, no ticket can be read until a password or a keytab comes.
func checkAccount(d Draft, before *store.Kerberos, keys int) fault.List {
	if d.Kerberos == nil {
		return nil
	}
	account := d.Kerberos.ServiceAccount
	name, suffix, _ := strings.Cut(account, "@")
	known := before != nil && before.ServiceAccount == account || keys == 0
	switch {
	case account == "" && d.ServicePassword == "":
	case name == "" || suffix == "":
		return wrong(fault.ServiceAccount, 0, "It must be a user principal name, as in svc-sso@corp.example.com.")
	case d.ServicePassword == "" && !known:
		return fault.Of(fault.ServicePassword, fault.Missing, "Give the password of the service account.")
	}
	return nil
}

// useAccount puts the keys of a service account's password in use, if one was given.
// The password is turned into keys and forgotten.
func (t *turn) useAccount(ctx context.Context, d Draft) error {
	if d.ServicePassword == "" || d.Kerberos == nil {
		return nil
	}
	n := kerberos.NewKeys{Account: d.Kerberos.ServiceAccount, Password: d.ServicePassword}
	_, err := t.useKeys(ctx, d.Gateway, n)
	return err
}

// useKeys seals new keys and puts them in use. That they are none is a fault; their
// contents are in no error and no activity, only their descriptions.
func (t *turn) useKeys(ctx context.Context, g store.Gateway, n kerberos.NewKeys) (store.KerberosKeys, error) {
	n.By = t.by.Actor()
	k, err := t.service.Keys.Seal(g, n)
	if errors.Is(err, kerberos.ErrKeys) {
		return k, wrong(fault.Keys, 0, "%s.", err)
	}
	if err != nil {
		return k, err
	}
	if err := t.ReplaceKerberosKeys(ctx, &k, kerberos.Retained(*g.Kerberos)); err != nil {
		return k, err
	}
	t.did(note{
		action:  "kerberosKeys.replaced",
		subject: "gateway:" + g.ID,
		text:    "the Kerberos keys of gateway " + g.Name + " were replaced",
		more:    facts{"origin": k.Origin, "keys": k.Entries},
	})
	return k, nil
}

// UseKeys puts a keytab, or the keys of an account's password, in use. A gateway
// that took no tickets does from then on.
// Errors are a fault.List, *HigherError and store.ErrNotFound.
func (s *Service) UseKeys(
	ctx context.Context, by By, gateway string, n kerberos.NewKeys,
) (k store.KerberosKeys, err error) {
	err = s.act(ctx, by, UseKeys, func(t *turn) error {
		before, err := t.gateway(ctx, gateway)
		if err != nil {
			return err
		}
		g := copyOf(before)
		if g.Kerberos == nil {
			g.Kerberos = UsualKerberos()
		}
		if g.Kerberos.ServiceAccount = n.Account; before.Kerberos == nil || before.Kerberos.ServiceAccount != n.Account {
			text := "how gateway " + g.Name + " takes Kerberos tickets was changed"
			if err := t.saveGateway(ctx, &g, before, text); err != nil {
				return err
			}
		}
		k, err = t.useKeys(ctx, g, n)
		return err
	})
	return k, err
}

// DeleteKeys forgets one set of a gateway's Kerberos keys.
// Whatever was made with it opens nothing from then on: it is for keys that others
// know.
func (s *Service) DeleteKeys(ctx context.Context, by By, gateway, id string) error {
	return s.act(ctx, by, DeleteKeys, func(t *turn) error {
		g, err := t.gateway(ctx, gateway)
		if err != nil {
			return err
		}
		if id == "" {
			return store.ErrNotFound
		}
		t.did(note{
			action:  "kerberosKeys.deleted",
			subject: "gateway:" + g.ID,
			text:    "Kerberos keys of gateway " + g.Name + " were deleted",
			more:    facts{"keys": id},
		})
		return t.DeleteKerberosKeys(ctx, t.env(), g.ID, id)
	})
}

// StopKerberos has a gateway take no tickets any more, and forgets every key. It is
// a change of the gateway.
// The keys go with it, those that were retained too: who stops it because a key leaked
// is done by that.
func (s *Service) StopKerberos(ctx context.Context, by By, gateway string) error {
	return s.act(ctx, by, ChangeGateway, func(t *turn) error {
		before, err := t.gateway(ctx, gateway)
		if err != nil {
			return err
		}
		g := copyOf(before)
		g.Kerberos = nil
		if err := t.saveGateway(ctx, &g, before, "gateway "+g.Name+" takes no Kerberos tickets any more"); err != nil {
			return err
		}
		return t.DeleteKerberosKeys(ctx, t.env(), g.ID, "")
	})
}
