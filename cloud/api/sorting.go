package api

import (
	"strings"

	"ldap-gateway/cloud/store"
)

// sorting is the attribute that stands for an order of a list.
type sorting[T any] struct {
	by    string
	order T
}

// userSortings are what users are sorted by; the first without a word.
func userSortings() []sorting[store.UserOrder] {
	return []sorting[store.UserOrder]{
		{"username", store.ByUsername},
		{"name.family", store.ByName},
		{"email", store.ByEmail},
		{"lastSignOn.at", store.ByLastSignOn},
	}
}

// groupSortings are what groups are sorted by; the first without a word.
func groupSortings() []sorting[store.GroupOrder] {
	return []sorting[store.GroupOrder]{
		{"displayName", store.ByDisplayName},
		{"sourceType", store.BySource},
		{"updatedAt", store.ByChange},
	}
}

// sortedBy reads the order of a list, by the words of RFC 7644 section 3.4.2.3. Those there are have indexes with
// any filter: others would be sorted anew for each part of a list.
func sortedBy[T any](c *call, sortings []sorting[T]) (order T, descending bool, err error) {
	by, way := c.query("sortBy"), c.query("sortOrder")
	descending = strings.EqualFold(way, "descending")
	if !descending && way != "" && !strings.EqualFold(way, "ascending") {
		return order, false, invalid(wrong("sortOrder", "It must be ascending or descending."))
	}
	var known []string
	for i, s := range sortings {
		if strings.EqualFold(by, s.by) || by == "" && i == 0 {
			return s.order, descending, nil
		}
		known = append(known, s.by)
	}
	return order, false, invalid(wrong("sortBy", "It must be one of: %s.", strings.Join(known, ", ")))
}

// userSorting is the order of a list of users. Who has signed on last comes first, or the list would pass all
// sign-ons of before on the way to it.
func userSorting(c *call) (order store.UserOrder, descending bool, err error) {
	order, descending, err = sortedBy(c, userSortings())
	if err == nil && order == store.ByLastSignOn && !descending {
		err = invalid(wrong("sortOrder", "Users are listed by lastSignOn.at descending alone."))
	}
	return order, descending, err
}
