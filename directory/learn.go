package directory

import (
	"context"
	"fmt"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// missed is when a search for somebody's groups last left some out, and how many.
type missed struct {
	groups int
	at     time.Time
}

// partial is why a membership was last read in part, and when.
type partial struct {
	told string
	at   time.Time
}

// missedFor is how long either stays a problem.
const missedFor = 24 * time.Hour

// learn takes from what was seen that the way in which m was read was wrong. That it
// may only have been read a moment too early, or before a kind of groups was known, is
// asked once more before that.
func (c *Client) learn(ctx context.Context, ut *UserType, e Entry, m Membership, asked []Asked, out []Sight) {
	if len(differing(m, asked, out)) == 0 || ctx.Err() != nil {
		return
	}
	if m.byMemberOf {
		now, err := c.reread(ctx, e)
		if err != nil {
			return
		}
		e = now
	}
	c.forgetKinds() // a kind of groups may be new here
	again := c.directGroups(ctx, ut, e)
	wrong := differing(again, asked, out)
	switch {
	case len(wrong) == 0 || again.Verdict == Unknown:
	case again.byMemberOf:
		c.contradict(len(wrong))
		c.cfg.Logger.Warn("memberOf and the members of groups differ", "person", e.DN, "groups", wrong)
	default:
		c.missed.Store(&missed{len(wrong), time.Now()})
		c.cfg.Logger.Warn("a search for groups leaves some out", "person", e.DN, "groups", wrong)
	}
}

// differing returns the groups of which m and what was seen say opposite things.
func differing(m Membership, asked []Asked, out []Sight) (wrong []string) {
	listed := m.spellings()
	for i, s := range out {
		if listed.otherwise(asked[i]) {
			continue // both are in it, under two names
		}
		in := listed.has(asked[i].DN) || s.DN != "" && listed.has(s.DN)
		if in && (s.Finding == Seen || s.Finding == Renamed || s.Finding == Gone) || !in && s.Finding == Still {
			wrong = append(wrong, asked[i].DN)
		}
	}
	return wrong
}

// reread returns the entry with the memberOf that it has now.
func (c *Client) reread(ctx context.Context, e Entry) (Entry, error) {
	found := c.search(ctx, e.Server, func(*rootDSE) *ldap.SearchRequest {
		return ldap.NewSearchRequest(e.DN, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false, rootDSEFilter,
			union([]string{"memberOf", "primaryGroupID", "objectSid"}, c.personAttributes()), nil)
	})
	if err := found.typed("read memberOf"); err != nil || len(found.result.Entries) != 1 {
		return e, fmt.Errorf("memberOf could not be read again: %w", err)
	}
	e.readMembership(found.result.Entries[0])
	c.readNames(&e, found.result.Entries[0])
	return e, nil
}
