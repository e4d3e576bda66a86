package alerts

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"ldap-gateway/cloud/store"
)

// When something about an identity provider is told.
const (
	certificateSoon = 30 * 24 * time.Hour // before it ends, or a third of its life when that is shorter
	certificateNow  = 7 * 24 * time.Hour  // or a twelfth
	secretSoon      = 30 * 24 * time.Hour
	unread          = 24 * time.Hour // that metadata cannot be
	recent          = 24 * time.Hour // that something happened
	burst           = 10 * time.Minute
	refusedOften    = 3 // answers within burst
)

// ofProviders returns what is wrong with the identity providers of an environment.
// One that is disabled is left out: what is wrong with it keeps nobody from anything.
// Its alerts end.
func (w *Watch) ofProviders(ctx context.Context, env string) (all []store.Alert, err error) {
	for page := (store.Page{Limit: store.MaxLimit}); ; {
		some, next, err := w.Store.IdentityProviders(ctx, env, page)
		if err != nil {
			return nil, err
		}
		for _, p := range some {
			if !p.Enabled {
				continue // nobody is meant to sign on through it
			}
			certificates, err := w.certificatesOf(ctx, p)
			if err != nil {
				return nil, err
			}
			all = append(all, ofProvider(p, certificates, w.now())...)
		}
		if page.Cursor = next; next == "" {
			return all, nil
		}
	}
}

// certificatesOf returns those that a SAML provider signs with.
func (w *Watch) certificatesOf(ctx context.Context, p store.IdentityProvider) (all []*x509.Certificate, err error) {
	if p.Config.SAML == nil {
		return nil, nil
	}
	// One that is named and not kept any more signs nothing.
	for _, id := range p.Config.SAML.CertificateIDs {
		_, parsed, err := w.certificate(ctx, p.EnvironmentID, id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, parsed)
	}
	return all, nil
}

// certificate returns one that is kept, and what is in it; store.ErrNotFound when it is not
// kept any more.
func (w *Watch) certificate(ctx context.Context, env, id string) (store.Certificate, *x509.Certificate, error) {
	c, err := w.Store.Certificate(ctx, env, id)
	if err != nil {
		return c, nil, err
	}
	parsed, err := x509.ParseCertificate(c.DER)
	return c, parsed, err
}

// providerAlerts gathers those of one provider.
type providerAlerts struct {
	p   store.IdentityProvider
	all []store.Alert
}

// add makes an alert that has the same key as long as it is the same kind and provider,
// so that it is told once, whatever its text comes to say.
func (a *providerAlerts) add(code, remedy, format string, args ...any) {
	a.all = append(a.all, store.Alert{
		Key:    code + "/" + a.p.ID + "/",
		Code:   code,
		Text:   "Identity provider " + a.p.Name + ": " + fmt.Sprintf(format, args...),
		Remedy: remedy,
	})
}

// ofProvider returns what is wrong with one provider now.
func ofProvider(p store.IdentityProvider, certificates []*x509.Certificate, now time.Time) []store.Alert {
	// It asks nobody: what sign-ons and reading left behind in the store is all it goes
	// by.
	a := &providerAlerts{p: p}
	a.certificates(certificates, now)
	h := p.Health
	// Metadata that cannot be read for a moment is nothing to wake anybody for.
	if h.Problem != "" && now.Sub(h.ProblemSince) >= unread {
		a.add("providerUnread",
			"Look whether the address is right and can be reached from here: Check on the provider's page tells.",
			"%s It is so since %s; the last good state is used.", h.Problem, h.ProblemSince.UTC().Format(time.RFC3339))
	}
	// One answer that is signed wrongly may be anybody's; several in a row, with none
	// right between, are a change or an attack.
	if n := refusedFor(h, now, burst, "unknown_key", "signature"); n >= refusedOften {
		a.add("providerKeyUnknown",
			"It may have changed its keys or certificates: read its metadata, or add the new certificate. "+
				"If it has not, somebody sends forged answers, which sign nobody on.",
			"%d answers within ten minutes were signed by a key that is not known, and none by one that is.", n)
	}
	if refusedFor(h, now, recent, "unstable") > 0 {
		a.add("providerSubjectUnstable",
			"Have it send a persistent name ID, or state the attribute that identifies people.",
			// Nothing tells that all groups came since, so it is over a day after the
			// last time.
			"it says of people only who they are this once, so nobody is signed on.")
	}
	if now.Sub(h.CutAt) < recent {
		a.add("providerGroupsCut",
			"Have it send only the groups that are assigned to this application, or roles in their place.",
			"somebody has more groups than it sends: memberships were left as they were.")
	}
	if h.Absent >= store.ManyAbsent {
		a.add("providerGroupsAbsent",
			"Compare the mapping of groups with the claims that came, on the provider's page.",
			"the last %d sign-ons said nothing about groups.", h.Absent)
	}
	if h.InfoFailed >= store.ManyAbsent {
		a.add("providerUserInfo",
			"Compare the UserInfo endpoint and the scopes with what the provider wants, or take it out of the settings.",
			"UserInfo did not answer at the last %d sign-ons, so nobody lost a group.", h.InfoFailed)
	}
	if h.SkewSeconds != 0 {
		a.add("providerClock",
			"Have the clocks of both set by a time server.",
			"its clock is off by %d seconds.", h.SkewSeconds)
	}
	// The day is what an administrator stated, since no provider tells it.
	if ends := p.Config.SecretEnds; !ends.IsZero() && ends.Sub(now) < secretSoon {
		a.add("providerSecretEnds",
			"Make a new client secret there and state it here.",
			"the client secret ends on %s.", ends.UTC().Format(time.DateOnly))
	}
	return a.all
}

// certificates looks at the last that ends: what comes before it is a rollover.
// The three are kinds of their own, so that each is told anew as the end comes nearer.
func (a *providerAlerts) certificates(all []*x509.Certificate, now time.Time) {
	if a.p.Config.SAML == nil || len(all) == 0 {
		return
	}
	longest := slices.MaxFunc(all, func(x, y *x509.Certificate) int { return x.NotAfter.Compare(y.NotAfter) })
	last := longest.NotAfter
	remedy := "Have the provider make the next certificate, and add it here beside the old one."
	switch left := last.Sub(now); {
	case left <= 0:
		a.add("providerCertificateEnded", remedy, "its last certificate ended on %s: nobody signs on through it.",
			last.UTC().Format(time.DateOnly))
	case left < min(certificateNow, lifeOf(longest)/12):
		a.add("providerCertificateEndsNow", remedy, "its last certificate ends on %s.", last.UTC().Format(time.DateOnly))
	case left < soon(longest):
		a.add("providerCertificateEnds", remedy, "its last certificate ends on %s.", last.UTC().Format(time.DateOnly))
	}
}

// soon is how long before its end a certificate is told: one that is good for a week or a month is
// renewed by a machine, and is no news for most of its life.
func soon(c *x509.Certificate) time.Duration { return min(certificateSoon, lifeOf(c)/3) }

// lifeOf is how long a certificate is good in all.
func lifeOf(c *x509.Certificate) time.Duration { return c.NotAfter.Sub(c.NotBefore) }

// refusedFor counts the refusals of those kinds within a time.
// It cannot be more than what is remembered: the last three.
func refusedFor(h store.ProviderHealth, now time.Time, within time.Duration, kinds ...string) (n int) {
	for _, r := range h.Refusals {
		if now.Sub(r.At) < within && slices.Contains(kinds, r.Kind) {
			n++
		}
	}
	return n
}
