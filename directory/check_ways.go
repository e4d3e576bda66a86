package directory

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// wayTime is what groups there are by one attribute, and how long a search by it took.
type wayTime struct {
	attribute string
	groups    int // that have members in it; mostCounted: at least so many
	took      time.Duration
	slow      bool // as one without an index
}

const (
	// slowSearch is what a search by an indexed attribute never takes; below fastSearch
	// nobody can tell. Between them one that takes so many times longer than the
	// reading of one entry goes through all of them.
	slowSearch  = 500 * time.Millisecond
	fastSearch  = 5 * time.Millisecond
	slowByTimes = 10
	timeTries   = 3 // the quickest counts
	mostCounted = 500
)

// timeWays searches by each attribute that groups here have members in, for a member
// that nobody is.
func (c *Client) timeWays(ctx context.Context) (times []wayTime, err error) {
	attributes := []string{"member"}
	if !c.currentDSE().activeDirectory() {
		absent := c.absentBelow(ctx, "", c.cfg.BaseDN)
		for _, a := range c.memberAttributes() {
			if !absent[a] {
				attributes = append(attributes, a)
			}
		}
	}
	missing, told := c.Unindexed(ctx, attributes)
	entry, err := c.quickest(ctx, c.cfg.BaseDN, ldap.ScopeBaseObject, rootDSEFilter)
	for _, a := range attributes {
		if err != nil {
			return nil, err
		}
		w := wayTime{attribute: a, groups: c.countWay(ctx, a)}
		w.took, err = c.quickest(ctx, c.cfg.BaseDN, ldap.ScopeWholeSubtree, "("+a+"="+ldap.EscapeFilter(c.cfg.BaseDN)+")")
		w.slow = w.took > slowSearch || w.took > fastSearch && w.took > slowByTimes*entry
		if told {
			w.slow = slices.Contains(missing, a)
		}
		times = append(times, w)
	}
	return times, err
}

// countWay counts the entries that have an attribute, up to mostCounted.
func (c *Client) countWay(ctx context.Context, attribute string) int {
	found := c.search(ctx, "", func(*rootDSE) *ldap.SearchRequest {
		return ldap.NewSearchRequest(c.cfg.BaseDN, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, mostCounted, 0, false,
			"("+attribute+"=*)", []string{"1.1"}, nil)
	})
	return len(found.result.Entries)
}

func (c *Client) quickest(ctx context.Context, base string, scope int, filter string) (took time.Duration, err error) {
	for n := range timeTries {
		start := time.Now()
		found := c.search(ctx, "", func(*rootDSE) *ldap.SearchRequest {
			return ldap.NewSearchRequest(base, scope, ldap.NeverDerefAliases, 1, 0, false, filter, []string{"1.1"}, nil)
		})
		if found.err != nil {
			return 0, found.typed("search for groups by a member")
		}
		if d := time.Since(start); n == 0 || d < took {
			took = d
		}
	}
	return took, nil
}

// waysRow tells by what groups are found, how fast, and which index is missing.
func waysRow(vendor string, times []wayTime) Check {
	var found, lines []string
	for _, w := range times {
		count := strconv.Itoa(w.groups)
		if w.groups >= mostCounted {
			count += " or more"
		}
		found = append(found, fmt.Sprintf("%s by %s in %s", count, w.attribute, w.took.Round(time.Millisecond/10)))
		if w.slow {
			lines = append(lines, indexLine(vendor, w.attribute))
		}
	}
	row := Check{State: OK, Detail: "can be read; found " + strings.Join(found, ", ")}
	if len(lines) > 0 {
		row.State, row.Remedy = Warning, "a search by an attribute without an index goes through every entry: "+strings.Join(
			lines,
			"; ",
		)
	}
	return row
}

// indexLine is what an administrator of the server writes to have an index for equality.
func indexLine(vendor, attribute string) string {
	switch vendor {
	case VendorOpenLDAP:
		return fmt.Sprintf("olcDbIndex: %[1]s eq (in slapd.conf: index %[1]s eq, and then slapindex)", attribute)
	case Vendor389:
		return fmt.Sprintf("dsconf INSTANCE backend index add --attr %s --index-type eq --reindex BACKEND", attribute)
	case VendorAD, VendorSamba:
		return "set bit 1 of searchFlags of " + attribute + " in the schema"
	}
	return "index " + attribute + " for equality"
}

const asideRemedy = "name the servers that have the rest, allow them by follow_referrals and referral_hosts, " +
	"or narrow base_dn: until then each membership is partial, and of groups elsewhere nothing is known"

// warn adds something to tell, if there is anything.
func (row *Check) warn(detail, remedy string) {
	if detail == "" {
		return
	}
	row.State, row.Detail = Warning, row.Detail+"; "+detail
	if row.Remedy != "" {
		remedy = row.Remedy + "; " + remedy
	}
	row.Remedy = remedy
}

// leftAside says which references a search below the base leads to that are not
// followed; empty when there are none.
func (c *Client) leftAside(ctx context.Context) string {
	found := c.search(ctx, "", func(*rootDSE) *ldap.SearchRequest { // for what nothing has: references come all the same
		return ldap.NewSearchRequest(c.cfg.BaseDN, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
			"(member="+ldap.EscapeFilter(c.cfg.BaseDN)+")", []string{"1.1"}, nil)
	})
	var aside []string
	q := &groupQuery{dse: c.currentDSE()}
	for _, reference := range found.result.Referrals {
		if _, _, err := c.referralTarget(reference); err != nil && !q.harmless(reference) {
			aside = append(aside, reference)
		}
	}
	if len(aside) == 0 {
		return ""
	}
	return "the server refers to others for a part, which are not asked: " + strings.Join(aside, ", ")
}
