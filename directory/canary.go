package directory

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Canary is a user who is known to be a direct member of a group. As long as the
// service account sees that, it can read memberships.
type Canary struct{ User, Group string } // DNs

// canaryEvery is the default of Config.CanaryEvery.
const canaryEvery = time.Minute

// canaryState is the outcome of the last look.
type canaryState struct{ lost string } // why, or ""

// canaryTold is what may be told elsewhere of a canary that is lost; the log says why.
const canaryTold = "memberships cannot be read, all are unknown: the canary is not seen in its group"

// lookForCanary reads the canary's groups as those of anybody. When the directory cannot
// be asked, the last outcome stands. It returns why the canary was not seen, or "".
func (c *Client) lookForCanary(ctx context.Context) (lost string, err error) {
	ut := &UserType{
		cfg: UserTypeConfig{Name: "canary", SearchBase: c.cfg.Canary.User, Groups: &GroupRule{NameAttribute: "cn"}},
	}
	ut.planAttributes()
	e, err := c.findOne(ctx, ut, rootDSEFilter)
	var refused *ResultError
	switch {
	case errors.As(err, &refused), errors.Is(err, ErrNoSuchUser), errors.Is(err, ErrAmbiguousUser):
		lost = fmt.Sprintf("the canary %q cannot be read: %v", c.cfg.Canary.User, err)
	case err != nil:
		return "", err
	default:
		m := c.directGroups(ctx, ut, e)
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if !hasGroup(m, c.cfg.Canary.Group) {
			lost = fmt.Sprintf("the canary %q is not seen as a member of %q (%s answer)", c.cfg.Canary.User, c.cfg.Canary.Group,
				withText(m.Verdict.String(), m.Reason))
		}
	}
	if old := c.canary.Swap(&canaryState{lost}); (old == nil || old.lost == "") && lost != "" {
		c.cfg.Logger.Error("memberships cannot be read any more", "because", lost)
	}
	return lost, nil
}

func hasGroup(m Membership, dn string) bool {
	var dns []string
	for _, g := range m.Groups {
		dns = append(dns, g.DN)
	}
	return containsDN(dns, dn)
}

// canaryLost returns why no membership can be believed, or "". The first caller looks.
func (c *Client) canaryLost(ctx context.Context) string {
	if c.cfg.Canary == (Canary{}) {
		return ""
	}
	if last := c.canary.Load(); last != nil {
		return last.lost
	}
	lost, err := c.lookForCanary(ctx)
	if err != nil {
		return "the canary could not be looked for: " + err.Error()
	}
	return lost
}

// watchCanary looks again every CanaryEvery, until Close.
func (c *Client) watchCanary() {
	if c.cfg.Canary == (Canary{}) || !c.watching.CompareAndSwap(false, true) || !c.life.begin() {
		return
	}
	go func() {
		defer c.life.end()
		for {
			ctx, cancel := context.WithTimeout(c.ctx, 3*c.cfg.Timeout)
			_, _ = c.lookForCanary(ctx) // without an answer the last one stands
			cancel()
			if !pause(c.ctx, c.cfg.CanaryEvery) {
				return
			}
		}
	}()
}

// Problem is something that an administrator should know while the client works on.
type Problem struct {
	Code   string // "canary", "memberOf", "groupSearch", "membershipPartial" or "certificateExpires"
	Text   string
	Remedy string
}

// Problems returns what is wrong at the moment, apart from servers that are down; nil
// when nothing is.
func (c *Client) Problems() []Problem {
	var out []Problem
	if last := c.canary.Load(); last != nil && last.lost != "" {
		out = append(out, Problem{"canary", canaryTold,
			"give the service account back the right to read members of groups, or correct the canary in gateway.hcl"})
	}
	if p := c.proof.Load(); p != nil && (p.against || c.cfg.GroupsFrom == GroupsMemberOf && !p.direct) {
		out = append(out, Problem{"memberOf", p.why, memberOfRemedy(c.cfg.GroupsFrom)})
	}
	if m := c.missed.Load(); m != nil && time.Since(m.at) < missedFor {
		out = append(
			out,
			Problem{
				"groupSearch",
				fmt.Sprintf("a search for the groups of one person left out %d that have them as a member", m.groups),
				"see that the service account may search every group by its members; the log of this gateway names the groups",
			},
		)
	}
	if p := c.partial.Load(); p != nil && time.Since(p.at) < missedFor {
		out = append(out, Problem{"membershipPartial", "not all groups of a person could be read: " + p.told,
			"run \"ldap-gateway check\" and \"ldap-gateway explain\", which name what is left aside"})
	}
	for _, s := range c.list() {
		if shown := s.certificate.Load(); shown != nil && endsSoon(shown) {
			out = append(
				out,
				Problem{
					"certificateExpires",
					fmt.Sprintf("the certificate of %s ends on %s", s.url, shown.NotAfter.Format(time.DateOnly)),
					"renew the server's certificate",
				},
			)
		}
	}
	return out
}

func memberOfRemedy(groupsFrom string) string {
	if groupsFrom == GroupsMemberOf {
		return `leave groups_from out, or set it to "search": what memberOf lists here is not proven to be the direct groups`
	}
	return "nothing has to be done: groups are searched for instead; the directory's memberOf is not what its groups say"
}
