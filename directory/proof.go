package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// proof is what was found out about memberOf in the directory itself.
type proof struct {
	direct bool
	// against is a contradiction, not a mere lack of evidence; parents that memberOf
	// was seen to list groups that a user is in only through others.
	against, parents bool
	why              string // names no entry: it leaves the machine
	example          string // which entries showed it
}

// inFull is why with the example, for whoever looks on this machine.
func (p proof) inFull() string {
	if p.example == "" {
		return p.why
	}
	return p.why + ": " + p.example
}

// ProveMemberOf finds out whether memberOf can be trusted to list exactly the direct
// groups, by what stands in the directory, and keeps the answer for GroupMethod and
// DirectGroups. It needs a nested pair: a group in a group, with a user in it who is
// not in the outer one. Of that user memberOf must not list the outer group; and no
// kind of group may be in use that memberOf leaves out. On Active Directory it is
// direct by nature and nothing is asked. The second value says why, for people on this
// machine: it names entries.
//
// A contradiction that a sign-on found (see DirectGroups) stands until the client is
// opened anew.
func (c *Client) ProveMemberOf(ctx context.Context) (direct bool, why string, err error) {
	l, err := c.eachServer(ctx, "", func(s *server) (*link, error) { return s.service(ctx) })
	if err != nil {
		return false, "", err
	}
	dse := l.server.dse.Load()
	l.leave()
	if dse.activeDirectory() {
		return true, "memberOf lists direct groups only on " + dse.vendor, nil
	}
	found, err := c.proveOver(ctx, l.server)
	if err != nil {
		found = proof{why: "whether memberOf is direct could not be found out: " + Told(err), example: err.Error()}
	}
	c.keepProof(found)
	return found.direct, found.inFull(), err
}

// proveOver has a connection of its own: it does not wait behind sign-ons, nor they
// behind it.
func (c *Client) proveOver(ctx context.Context, s *server) (proof, error) {
	own, err := s.extraLink(ctx)
	if err != nil {
		return proof{}, err
	}
	defer own.retire()
	return prover{client: c, link: own}.prove(ctx)
}

// keepProof never replaces what a sign-on has contradicted.
func (c *Client) keepProof(p proof) {
	for {
		old := c.proof.Load()
		if old != nil && old.against {
			return
		}
		if c.proof.CompareAndSwap(old, &p) {
			c.proofMade.Do(func() { close(c.proved) })
			if old == nil || old.direct != p.direct {
				c.cfg.Logger.Info("meaning of memberOf", "direct", p.direct, "because", p.inFull())
			}
			return
		}
	}
}

// contradict is for a sign-on that found memberOf wrong.
func (c *Client) contradict(groups int) {
	c.proof.Store(&proof{
		against: true,
		why:     fmt.Sprintf("memberOf and the groups' own members differ in %d memberships of one person", groups),
	})
}

// startProving proves now and every ProveEvery, until Close.
func (c *Client) startProving() {
	wanted := c.cfg.ProveEvery > 0 && c.cfg.GroupsFrom == GroupsMemberOf
	if !wanted || !c.proving.CompareAndSwap(false, true) || !c.life.begin() {
		return
	}
	go func() {
		defer c.life.end()
		for {
			ctx, cancel := context.WithTimeout(c.ctx, time.Minute)
			_, _, _ = c.ProveMemberOf(ctx) // it has logged what it found, and keeps why it did not
			cancel()
			if !pause(c.ctx, c.cfg.ProveEvery) {
				return
			}
		}
	}()
}

// awaitProof has the first membership wait for the first proof, where the file has
// memberOf be read: until then groups would be searched for, and a burst of that is what
// the file avoids.
func (c *Client) awaitProof(ctx context.Context) {
	if c.cfg.GroupsFrom != GroupsMemberOf || c.cfg.ProveEvery == 0 || c.proof.Load() != nil {
		return
	}
	l, err := c.eachServer(ctx, "", func(s *server) (*link, error) { return s.service(ctx) }) // which begins the proof
	if err != nil {
		return
	}
	l.leave()
	if l.server.dse.Load().activeDirectory() {
		return
	}
	limited, cancel := l.limited(ctx)
	defer cancel()
	select {
	case <-c.proved:
	case <-limited.Done():
	}
}

const (
	groupEntries = "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=group))"
	proofGroups  = 10 // nested groups, parents and users that are looked at
	proofSample  = 50 // groups whose members must have them in memberOf
)

// prover asks one server over one connection, since the answers belong together.
type prover struct {
	client *Client
	link   *link
}

func (p prover) prove(ctx context.Context) (proof, error) {
	pair, err := p.nestedPair(ctx)
	if err != nil || !pair.direct {
		return pair, err
	}
	if gap, err := p.gap(ctx); err != nil || gap.why != "" {
		return gap, err
	}
	return pair, nil
}

// ask searches; a size limit that was reached is no failure here.
func (p prover) ask(
	ctx context.Context, base string, scope, limit int, filter string, attributes ...string,
) ([]*ldap.Entry, error) {
	if !p.link.enter() {
		return nil, fmt.Errorf("%w: the connection was closed", ErrUnavailable)
	}
	found := p.link.search(ctx,
		ldap.NewSearchRequest(base, scope, ldap.NeverDerefAliases, limit, 0, false, filter, attributes, nil))
	e, ok := answered(found.err)
	if ok && (e.ResultCode == ldap.LDAPResultSizeLimitExceeded || e.ResultCode == ldap.LDAPResultNoSuchObject) ||
		errors.Is(found.err, ldap.ErrSizeLimitExceeded) {
		return found.result.Entries, nil
	}
	return found.result.Entries, found.typed("search for what memberOf means")
}

func (p prover) below(ctx context.Context, limit int, filter string, attributes ...string) ([]*ldap.Entry, error) {
	return p.ask(ctx, p.client.cfg.BaseDN, ldap.ScopeWholeSubtree, limit, filter, attributes...)
}

// holds says whether a group has an entry as a direct member.
func (p prover) holds(ctx context.Context, group, member string) (bool, error) {
	dn := ldap.EscapeFilter(member)
	found, err := p.ask(ctx, group, ldap.ScopeBaseObject, 1, "(|(member="+dn+")(uniqueMember="+dn+"))", "1.1")
	return len(found) == 1, err
}

// nesting is a group and one that holds it.
type nesting struct{ child, parent string }

// nestedPair looks for the pair and judges the first one that says something.
func (p prover) nestedPair(ctx context.Context) (proof, error) {
	nested, err := p.nestedByMemberOf(ctx)
	if err == nil && len(nested) == 0 {
		nested, err = p.nestedByMember(ctx)
	}
	if err != nil {
		return proof{}, err
	}
	for _, n := range nested {
		if found, err := p.judge(ctx, n.child, n.parent); err != nil || found.why != "" {
			return found, err
		}
	}
	return proof{
		why: "nothing proves that memberOf is direct here: no group with users is found in another group by memberOf",
	}, nil
}

func (p prover) nestedByMemberOf(ctx context.Context) (out []nesting, err error) {
	inner, err := p.below(ctx, proofGroups, "(&"+groupEntries+"(memberOf=*))", "memberOf")
	for _, child := range inner {
		for _, parent := range first(child.GetEqualFoldAttributeValues("memberOf"), proofGroups) {
			// Without a direct hold it is a grand-parent; then the parent shows the same.
			holds, err := p.holds(ctx, parent, child.DN)
			if err != nil {
				return nil, err
			}
			if holds {
				out = append(out, nesting{child.DN, parent})
			}
		}
	}
	return out, err
}

// nestedByMember is for servers on which groups have no memberOf, or one that cannot
// be searched by presence, as with OpenLDAP's dynlist.
func (p prover) nestedByMember(ctx context.Context) (out []nesting, err error) {
	sample, err := p.below(ctx, proofSample, groupEntries, "1.1")
	for _, child := range sample {
		dn := ldap.EscapeFilter(child.DN)
		parents, err := p.below(ctx, 1, "(|(member="+dn+")(uniqueMember="+dn+"))", "1.1")
		if err != nil {
			return nil, err
		}
		for _, parent := range parents {
			out = append(out, nesting{child.DN, parent.DN})
		}
	}
	return out, err
}

// judge looks for a user of child who is not in parent; without one it says nothing.
func (p prover) judge(ctx context.Context, child, parent string) (proof, error) {
	// Groups are left out here and not by a "not": of an object class that a server does
	// not know, that would be undefined, and nobody would be found.
	users, err := p.below(ctx, proofSample, "(memberOf="+ldap.EscapeFilter(child)+")", "memberOf", "objectClass")
	if err != nil {
		return proof{}, err
	}
	for _, user := range users {
		if isGroup(user) {
			continue
		}
		inChild, err := p.holds(ctx, child, user.DN)
		if err != nil {
			return proof{}, err
		}
		inParent, err := p.holds(ctx, parent, user.DN)
		switch {
		case err != nil:
			return proof{}, err
		case !inChild || inParent:
			continue
		case containsDN(user.GetEqualFoldAttributeValues("memberOf"), parent):
			return proof{parents: true, why: "memberOf lists parent groups",
				example: fmt.Sprintf("that of %q has %q, which holds only %q", user.DN, parent, child)}, nil
		}
		return proof{direct: true, why: "memberOf is proven direct",
			example: fmt.Sprintf("%q is in %q, which is in %q, and memberOf has only the first", user.DN, child, parent)}, nil
	}
	return proof{}, nil
}

func isGroup(e *ldap.Entry) bool {
	return slices.ContainsFunc(e.GetEqualFoldAttributeValues("objectClass"), func(class string) bool {
		return strings.EqualFold(class, "groupOfNames") || strings.EqualFold(class, "groupOfUniqueNames") ||
			strings.EqualFold(class, "group")
	})
}

// gap returns what memberOf leaves out; nothing when it leaves nothing out.
func (p prover) gap(ctx context.Context) (proof, error) {
	posix, err := p.below(ctx, 1, "(&(objectClass=posixGroup)(memberUid=*)(!(member=*)))", "1.1")
	if err != nil {
		return proof{}, err
	}
	if len(posix) > 0 {
		return proof{
			why:     "memberOf never lists a posixGroup, and there are some",
			example: fmt.Sprintf("%q", posix[0].DN),
		}, nil
	}
	for _, attribute := range []string{"uniqueMember", "member"} {
		sample, err := p.below(ctx, proofSample, "("+attribute+"=*)", "1.1")
		if err != nil {
			return proof{}, err
		}
		for _, group := range sample {
			if left, err := p.leftOut(ctx, group.DN, attribute); err != nil || left {
				return proof{why: "memberOf leaves out a group with " + attribute + "; it may be older than what keeps memberOf",
					example: fmt.Sprintf("%q", group.DN)}, err
			}
		}
	}
	return proof{}, nil
}

// leftOut says whether a group has members that exist and are no groups, and is in the
// memberOf of none.
func (p prover) leftOut(ctx context.Context, group, attribute string) (bool, error) {
	listed, err := p.below(ctx, 1, "(memberOf="+ldap.EscapeFilter(group)+")", "1.1")
	if err != nil || len(listed) > 0 {
		return false, err
	}
	whole, err := p.ask(ctx, group, ldap.ScopeBaseObject, 1, rootDSEFilter, attribute)
	if err != nil || len(whole) != 1 {
		return true, err
	}
	for _, member := range first(whole[0].GetEqualFoldAttributeValues(attribute), proofGroups) {
		there, err := p.ask(ctx, member, ldap.ScopeBaseObject, 1, rootDSEFilter, "objectClass")
		if err != nil || len(there) > 0 && !isGroup(there[0]) {
			return true, err
		}
	}
	return false, nil
}

func first(list []string, n int) []string { return list[:min(n, len(list))] }

func containsDN(list []string, dn string) bool {
	folded := foldDN(dn)
	return slices.ContainsFunc(list, func(other string) bool { return foldDN(other) == folded })
}
