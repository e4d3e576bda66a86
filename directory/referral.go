package directory

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// mostHops is how far a reference of a reference is followed.
const mostHops = 3

var errNotFollowed = errors.New("follow_referrals is off")

// follower follows search references and referrals of one group search, to hosts that
// the configuration allows.
type follower struct {
	query  *groupQuery
	filter string
	seen   map[string]bool // server and base
}

// references goes on with what a server referred to, and notes what stays aside.
func (f *follower) references(ctx context.Context, list []string, hop int) {
	for _, reference := range list {
		if f.query.harmless(reference) {
			continue
		}
		if err := f.reference(ctx, reference, hop); err != nil {
			f.query.reasons = append(f.query.reasons, fmt.Sprintf("search reference to %s not followed: %v", reference, err))
			f.query.unfollowed++
		}
	}
}

func (f *follower) reference(ctx context.Context, reference string, hop int) error {
	t, base, err := f.query.client.referralTarget(reference)
	if err != nil {
		return err
	}
	if base == "" {
		base = f.query.base // RFC 4511, 4.1.10: absent means the same
	}
	key := t.url + " " + foldDN(base)
	switch {
	case f.seen[key]:
		return nil
	case hop >= mostHops:
		return fmt.Errorf("it is the %dth in a row", hop+1)
	}
	f.seen[key] = true
	return f.search(ctx, f.query.client.referredServer(t), base, hop)
}

// search asks one server, over a connection of its own that is closed afterwards. The
// server is never in the client's list: nobody is bound there as a user.
func (f *follower) search(ctx context.Context, s *server, base string, hop int) error {
	l, err := s.visit(ctx)
	if err != nil {
		return err
	}
	defer l.retire()
	if !l.enter() {
		return fmt.Errorf("the connection was closed: %w", ErrUnavailable)
	}
	request := func() *ldap.SearchRequest {
		r := f.query.request(f.filter)
		r.BaseDN = base
		return r
	}
	found := l.search(ctx, request())
	if found.cutOff() && l.server.dse.Load().paging && !s.pagesBadly() {
		found = l.pagesInPlaceOf(ctx, found, request)
	}
	for _, e := range found.result.Entries {
		f.query.add(f.query.group(e))
	}
	f.references(ctx, found.result.Referrals, hop+1)
	if onward := referralsOf(found.err); len(onward) > 0 {
		f.references(ctx, onward, hop+1)
		return nil
	}
	return found.typed("group search below " + base)
}

// refusedVisit is how long a server that refused the service account is left alone, so
// that the account does not get locked there.
const refusedVisit = 5 * time.Minute

// visit connects to a server that was referred to, unless it failed just now.
func (s *server) visit(ctx context.Context) (*link, error) {
	if err := s.tooSoon(); err != nil {
		return nil, err
	}
	dialCtx, cancel := context.WithTimeout(ctx, s.client.cfg.DialTimeout)
	defer cancel()
	start := time.Now()
	l, err := s.connectService(dialCtx)
	switch {
	case err == nil:
		s.up()
	case refusedBind(err):
		s.down(err, refusedVisit)
	case ctx.Err() == nil:
		s.down(err, time.Since(start))
	}
	return l, err
}

// referredServer remembers servers that were referred to, for their failures.
func (c *Client) referredServer(t target) *server {
	s, _ := c.referred.LoadOrStore(t.url, c.newServer(t))
	return s.(*server)
}

// referralTarget reads "ldap://host/dn" (RFC 4516) and refuses hosts that are not
// allowed: the service account's password would go there.
func (c *Client) referralTarget(reference string) (t target, base string, err error) {
	if !c.cfg.FollowReferrals {
		return target{}, "", errNotFollowed
	}
	u, err := url.Parse(reference)
	if err != nil {
		return target{}, "", fmt.Errorf("not a URL: %w", err)
	}
	allowed := slices.ContainsFunc(c.cfg.ReferralHosts, func(host string) bool {
		return strings.EqualFold(host, u.Hostname()) || strings.EqualFold(host, u.Host)
	})
	if !allowed {
		return target{}, "", fmt.Errorf("%q is not one of referral_hosts", u.Hostname())
	}
	t, err = parseTarget(u.Scheme + "://" + u.Host)
	return t, strings.TrimPrefix(u.Path, "/"), err
}

// referralsOf returns the URLs of a result 10 (RFC 4511, 4.1.10).
func referralsOf(err error) (urls []string) {
	e, ok := answered(err)
	if !ok || e.ResultCode != ldap.LDAPResultReferral || e.Packet == nil || len(e.Packet.Children) < 2 {
		return nil
	}
	const referral = 3 // the context tag in LDAPResult
	for _, field := range e.Packet.Children[1].Children {
		if field.Tag != referral || field.ClassType != 0x80 {
			continue
		}
		for _, u := range field.Children {
			urls = append(urls, u.Data.String())
		}
	}
	return urls
}
