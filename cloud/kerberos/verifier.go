package kerberos

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/provisioner"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloud/vault"
)

// Verifier takes sign-ons by ticket. Safe for concurrent use.
type Verifier struct {
	Store       *store.Store
	Vault       *vault.Vault
	Provisioner *provisioner.Provisioner
	Services    []string // of this cloud's names, as in "HTTP/id.example.com"
	Logger      hclog.Logger
	Counted     func(store.SignOn) // told of each that was recorded; nil: nobody
	Now         func() time.Time   // nil: time.Now
	UnderWay    *throttle.Queue    // sign-ons, by environment; nil: any number
	Bounds      *throttle.Bounds   // of what is refused; nil: nobody counts

	once  sync.Once
	wrong throttle.Window
	gate  throttle.Gate

	refusals throttle.Sample // that are written
	lines    throttle.Sample // of the log, about them
}

// Request is a browser that has sent a token.
type Request struct {
	EnvironmentID string
	Header        string // Authorization, as it came
	Address       string // of the person; may be empty
}

// Answer is how a token fared.
type Answer struct {
	SignOn  store.SignOn
	Header  string   // for WWW-Authenticate; may be empty
	Refusal *Refusal // nil: the person is signed on
}

// SignOn takes a token to its end. An error means that nothing could be recorded;
// the form is to be shown. It is throttle.ErrFull when too many sign-ons are under way.
// It is recorded whether it succeeded or not, but for what the throttle turns away. The
// replay is looked for after all else, so that a token which was refused may come again
// when what refused it is mended.
func (d *Verifier) SignOn(ctx context.Context, r Request) (Answer, error) {
	gone, ok := d.admit(ctx, r.Address)
	if !ok {
		return Answer{Refusal: &Refusal{ReasonBusy, ""}}, nil
	}
	defer gone()
	leave, err := d.enter(ctx, r)
	if err != nil {
		return Answer{}, err
	}
	defer leave()
	start := d.now()
	so := store.SignOn{
		ID:            uuid.Must(uuid.NewV7()).String(),
		EnvironmentID: r.EnvironmentID,
		At:            start,
		Method:        store.ByKerberos,
		Address:       r.Address,
	}
	p, err := d.prove(ctx, r)
	if err == nil {
		err = d.onlyOnce(ctx, p.Ticket)
	}
	if err == nil {
		err = d.record(ctx, &so, p)
	}
	so.Duration = d.now().Sub(start)
	refusal, refused := refusalOf(err)
	if refused {
		d.count(r.Address)
		err = d.refused(ctx, &so, p, refusal)
	}
	if err == nil && d.Counted != nil {
		d.Counted(so)
	}
	level := hclog.Info
	if so.Outcome != store.SignedOnOK {
		level = d.lines.Level("refused", hclog.Info)
	}
	line := []any{"signOn", so.ID, "environment", r.EnvironmentID, "user", so.UserID, "gateway", so.GatewayID,
		"outcome", so.Outcome, "reason", so.Reason}
	if err != nil {
		line = append(line, "error", err)
	}
	d.Logger.Log(level, "answered", line...)
	return Answer{so, p.Header(), refusal}, err
}

// Proof is a ticket with whose it is.
type Proof struct {
	Ticket
	Gateway store.Gateway
	User    store.User
}

// Explain says how a token would fare, without a sign-on. The same token is good
// for one afterwards. Its error may be a *Refusal; what is known by then is in the proof.
// It uses nothing up, and records nothing.
func (d *Verifier) Explain(ctx context.Context, r Request) (Proof, error) {
	leave, err := d.enter(ctx, r)
	if err != nil {
		return Proof{}, err
	}
	defer leave()
	return d.prove(ctx, r)
}

// prove tries the gateways one after the other: the first whose keys open the
// ticket and who knows the person. Of several refusals the one that came furthest counts.
func (d *Verifier) prove(ctx context.Context, r Request) (best Proof, err error) {
	domains, err := d.domains(ctx, r.EnvironmentID)
	if err != nil {
		return Proof{}, err
	}
	best, err = Proof{}, &Refusal{Reason: ReasonOff}
	for _, a := range domains {
		p, err2 := a.prove(ctx, r.Header)
		refusal, refused := refusalOf(err2)
		if !refused {
			return p, err2
		}
		if worst, _ := refusalOf(err); rank[refusal.Reason] >= rank[worst.Reason] {
			best, err = p, err2
		}
	}
	return best, err
}

// domain is a gateway that takes tickets.
type domain struct {
	*Verifier
	gateway    store.Gateway
	acceptance Acceptance
}

// domains returns the gateways of an environment that take tickets, with their keys.
// A gateway whose keys cannot be opened fails all of them: it is our own fault, and
// must be seen.
func (d *Verifier) domains(ctx context.Context, env string) (all []domain, err error) {
	var opened error
	err = d.each(ctx, env, func(g store.Gateway) {
		a, err := d.acceptance(ctx, g)
		all, opened = append(all, domain{d, g, a}), errors.Join(opened, err)
	})
	return all, errors.Join(err, opened)
}

// each calls visit with the gateways of an environment that take tickets.
func (d *Verifier) each(ctx context.Context, env string, visit func(store.Gateway)) error {
	var page store.Page
	for {
		gateways, next, err := d.Store.Gateways(ctx, env, page)
		if err != nil {
			return err
		}
		for _, g := range gateways {
			if g.Enabled && g.Kerberos != nil {
				visit(g)
			}
		}
		if next == "" {
			return nil
		}
		page.Cursor = next
	}
}

// acceptance opens the keys of a gateway.
func (d *Verifier) acceptance(ctx context.Context, g store.Gateway) (Acceptance, error) {
	a := Acceptance{Services: d.Services, Realms: g.Kerberos.Realms, AllowRC4: g.Kerberos.AllowRC4, Now: d.now()}
	sets, err := d.Store.KerberosKeys(ctx, g.EnvironmentID, g.ID, a.Now)
	if err != nil {
		return a, err
	}
	for _, s := range sets {
		b, err := d.Vault.Open(PurposeKey, s.ID, s.Sealed)
		if err != nil {
			return a, fmt.Errorf("keys of gateway %s: %w", g.Name, err)
		}
		keys, err := read(b, s.Origin == OriginPassword)
		if err != nil {
			return a, err
		}
		a.Keys = append(a.Keys, keys...)
	}
	return a, nil
}

// prove takes a token by the keys of one gateway, and finds whose it is among its
// people. What is known by then is in the proof, also with a Refusal: it is recorded.
func (d domain) prove(ctx context.Context, header string) (Proof, error) {
	p := Proof{Gateway: d.gateway}
	t, err := Accept(header, d.acceptance)
	if err != nil {
		return p, err
	}
	p.Ticket = t
	p.User, err = d.find(ctx, t)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return p, refuse(ReasonUnknown, "It is %s.", t.whose())
	case err == nil && !p.User.MaySignOn():
		return p, &Refusal{Reason: ReasonDisabled}
	}
	return p, err
}

// find returns the one record that a ticket leads to, or store.ErrNotFound.
// A principal that leads to a record with another SID is refused: the name was given to
// somebody else since.
// The template is a plain text with two names in it, and the value is compared whole.
func (d domain) find(ctx context.Context, t Ticket) (store.User, error) {
	if t.SID != "" {
		u, err := d.only(ctx, sidAttribute, t.SID)
		if !errors.Is(err, store.ErrNotFound) {
			return u, err
		}
	}
	k := d.gateway.Kerberos
	if k.Attribute == "" {
		return store.User{}, store.ErrNotFound
	}
	u, err := d.only(
		ctx,
		k.Attribute,
		strings.NewReplacer("${principal}", t.Principal, "${realm}", t.Realm).Replace(k.Value),
	)
	if err == nil && t.SID != "" && otherSID(u, t.SID) {
		return store.User{}, store.ErrNotFound // a name that was another person's
	}
	return u, err
}

// sidAttribute is where a record has its SID, when the user type correlates by it.
const sidAttribute = "objectSid"

// otherSID tells whether a record is of another SID than this.
func otherSID(u store.User, sid string) bool {
	for _, c := range u.Correlation {
		if strings.EqualFold(c.Attribute, sidAttribute) {
			return c.Value != sid
		}
	}
	return false
}

// only returns the one user of the gateway with a correlation value.
// Two are as good as none: nobody is signed on as one of them by chance.
func (d domain) only(ctx context.Context, attribute, value string) (store.User, error) {
	users, err := d.Store.UsersByCorrelation(ctx, d.gateway.EnvironmentID, d.gateway.ID, attribute, value)
	if err == nil && len(users) != 1 {
		err = store.ErrNotFound
	}
	if err != nil {
		return store.User{}, err
	}
	return users[0], nil
}

// onlyOnce refuses a token that was taken before, by whichever node.
// Store.UseAssertion keeps the hash over all nodes until the clock has passed it by.
func (d *Verifier) onlyOnce(ctx context.Context, t Ticket) error {
	err := d.Store.UseAssertion(ctx, t.Once, t.Until)
	if errors.Is(err, store.ErrUsed) {
		return &Refusal{Reason: ReasonReplay}
	}
	return err
}

// record writes the sign-on's own rows, and none besides.
// The provisioner is told no properties, so that it changes nothing: rule 3.
func (d *Verifier) record(ctx context.Context, so *store.SignOn, p Proof) error {
	so.Username = p.Principal + "@" + p.Realm
	so.UserID, so.GatewayID, so.UserTypeID = p.User.ID, p.Gateway.ID, p.User.UserTypeID
	so.Outcome, so.Message = store.SignedOnOK, "You are signed on."
	so.Reason = fmt.Sprintf("ticket for %s, %s", p.Service, ETypeName(p.EType))
	_, err := d.Provisioner.Apply(context.WithoutCancel(ctx), provisioner.Identity{
		EnvironmentID: so.EnvironmentID,
		SourceType:    store.SourceGateway,
		SourceID:      p.Gateway.ID,
		UserTypeID:    p.User.UserTypeID,
		UserID:        p.User.ID,
		SignOnID:      so.ID,
		Username:      so.Username,
		At:            so.At,
	}, so)
	if errors.Is(err, provisioner.ErrDisabled) {
		return &Refusal{Reason: ReasonDisabled}
	}
	return err
}

// keptRefusals is how many tokens that were not taken are written within an hour, of one
// environment at one node; others are counted.
const keptRefusals = 600

// refused records a token that was not taken, one of so many.
// The person sees Told, the activity the remedy as well.
func (d *Verifier) refused(ctx context.Context, so *store.SignOn, p Proof, r *Refusal) error {
	if p.Principal != "" {
		so.Username = p.Principal + "@" + p.Realm
	}
	so.GatewayID, so.UserID, so.UserTypeID = p.Gateway.ID, p.User.ID, p.User.UserTypeID
	so.Outcome, so.Reason, so.Message = r.Reason.outcome(), r.Error(), r.Reason.Told()
	so.UpdateReason = "the sign-on did not succeed"
	if keep, _ := d.refusals.Keep(d.now(), so.EnvironmentID, keptRefusals); !keep {
		return nil
	}
	subject := ""
	if so.UserID != "" {
		subject = "user:" + so.UserID
	}
	return d.Store.RecordSignOn(context.WithoutCancel(ctx), so, store.Activity{
		Action:  "sign-on",
		Actor:   "system",
		Subject: subject,
		Text:    fmt.Sprintf("Sign-on by Kerberos ticket was refused (%s). %s", r.Reason, r.Error()),
		Detail: map[string]any{
			"outcome": so.Outcome,
			"method":  store.ByKerberos,
			"reason":  r.Error(),
			"why":     string(r.Reason),
			"remedy":  r.Reason.Remedy(),
			"gateway": so.GatewayID,
			"address": so.Address,
		},
	})
}

// now is the time of day, which tests set.
func (d *Verifier) now() time.Time {
	if d.Now != nil {
		return d.Now()
	}
	return time.Now()
}

// Taken tells whether any gateway of an environment takes tickets.
// The sign-on page offers the way by ticket only then.
func (d *Verifier) Taken(ctx context.Context, env string) (bool, error) {
	taken := false
	err := d.each(ctx, env, func(store.Gateway) { taken = true })
	return taken, err
}

// Asks tells whether browsers at an address are asked for a ticket by themselves.
// A prefix that is none matches nobody.
func (d *Verifier) Asks(ctx context.Context, env string, from netip.Addr) (asks bool, err error) {
	err = d.each(ctx, env, func(g store.Gateway) {
		for _, network := range g.Kerberos.Networks {
			p, err := netip.ParsePrefix(network)
			asks = asks || err == nil && p.Contains(from)
		}
	})
	return asks, err
}
