package directory

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// valueRange is a part of an attribute's values, as Active Directory sends an
// attribute that has more than 1,500 ([MS-ADTS] 3.1.1.3.1.3.3).
type valueRange struct {
	from   int
	values []string
	last   bool // nothing comes after it
}

// rangeOf finds "attribute;range=0-1499" in an entry. ok is false when the entry has
// no values of it in that form.
func rangeOf(raw *ldap.Entry, attribute string) (r valueRange, ok bool) {
	for _, a := range raw.Attributes {
		name, option, _ := strings.Cut(a.Name, ";")
		if !strings.EqualFold(name, attribute) || len(a.Values) == 0 {
			continue
		}
		if from, last, ok := parseRange(option); ok {
			return valueRange{from, a.Values, last}, true
		}
	}
	return valueRange{}, false
}

// parseRange reads "range=0-1499" and "range=1500-*".
func parseRange(option string) (from int, last, ok bool) {
	lower := strings.ToLower(option)
	low, high, found := strings.Cut(strings.TrimPrefix(lower, "range="), "-")
	if !found || !strings.HasPrefix(lower, "range=") {
		return 0, false, false
	}
	from, err := strconv.Atoi(low)
	if err != nil || from < 0 || low[0] == '+' {
		return 0, false, false
	}
	if high == "*" {
		return from, true, true
	}
	to, err := strconv.Atoi(high)
	return from, false, err == nil && to >= from && high[0] != '+'
}

// mostRanges bounds the reading: AD's parts have 1,500 values, and nobody is in
// 150,000 groups.
const mostRanges = 100

// readRanges fetches the rest of a memberOf that was cut off. Each part begins with the
// last value of the part before it: when that is not the same value any more, the
// membership has changed meanwhile and one could have been missed. Then, and when a
// part does not come, the entry stays cut, and the reverse search decides.
func (q *groupQuery) readRanges(ctx context.Context) {
	all := slices.Clone(q.entry.memberOf)
	for range mostRanges {
		if !q.entry.memberOfCut || len(all) == 0 || ctx.Err() != nil {
			return
		}
		at := len(all) - 1
		found := q.client.search(ctx, q.entry.Server, func(*rootDSE) *ldap.SearchRequest {
			return ldap.NewSearchRequest(q.entry.DN, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false, rootDSEFilter,
				[]string{memberOfFrom(at)}, nil)
		})
		if found.err != nil || len(found.result.Entries) != 1 {
			return
		}
		part, ok := rangeOf(found.result.Entries[0], "memberOf")
		if !ok || part.from != at || part.values[0] != all[at] || !part.last && len(part.values) < 2 {
			return
		}
		all = append(all, part.values[1:]...)
		if part.last {
			q.entry.memberOf, q.entry.memberOfCut = all, false
		}
	}
}

// memberOfFrom asks for the values of memberOf from one on.
func memberOfFrom(at int) string { return fmt.Sprintf("memberOf;range=%d-*", at) }
