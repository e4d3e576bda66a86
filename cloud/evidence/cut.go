package evidence

import (
	"encoding/json"
	"slices"
	"strings"
)

// overflow is in an ID token of a cloud like this one in place of groups that are too
// many for it: its UserInfo, which comes first here, has them all.
const overflow = "groups_overflow"

// cutShort tells whether claims say that groups were left out for their number, in any
// of the ways seen. What says so without saying of what is taken to be of groups: that
// keeps memberships, which is the safe way to be wrong.
func (r *reader) cutShort(claims map[string]any) bool {
	for name, v := range claims {
		if r.elsewhere(name) || isFlag(name) && says(v) {
			return true
		}
	}
	return r.sourced(claims)
}

// sourced tells whether the groups are said to be elsewhere (Core section 5.6.2). One
// half without the other, or of another type, says so of all.
func (r *reader) sourced(claims map[string]any) bool {
	names, sources := claims["_claim_names"], claims["_claim_sources"]
	object, wellFormed := names.(map[string]any)
	switch {
	case names == nil:
		return says(sources)
	case !wellFormed:
		return true
	}
	for name := range object {
		if r.means(name) {
			return true
		}
	}
	return false
}

// means tells whether a name that a claim source has is the claim that is read.
func (r *reader) means(name string) bool {
	return strings.EqualFold(name, r.Path.Whole) ||
		len(r.Path.Steps) > 0 && strings.EqualFold(name, r.Path.Steps[0]) ||
		strings.EqualFold(name, "groups") && r.aboutGroups()
}

// aboutGroups tells whether the claim is named after groups.
func (r *reader) aboutGroups() bool {
	return strings.Contains(strings.ToLower(r.Path.String()), "group")
}

// elsewhere tells whether a claim's name alone says that the groups are at an address.
func (r *reader) elsewhere(name string) bool {
	claim, _, source := strings.Cut(name, ":src")
	if source && (strings.EqualFold(claim, "groups") || r.means(claim)) {
		return true
	}
	name = strings.ToLower(name)
	return name == "groups.link" || strings.HasSuffix(name, "/groups.link")
}

// isFlag tells whether a claim of that name says that there are groups which it has not.
func isFlag(name string) bool {
	name = strings.ToLower(name)
	return name == "hasgroups" || strings.HasPrefix(name, "_group_claim")
}

// says tells whether a claim that may deny what its name says does not.
func says(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return !slices.Contains([]string{"", "false", "0", "no"}, strings.ToLower(strings.TrimSpace(v)))
	case json.Number:
		f, err := v.Float64()
		return err != nil || f != 0
	case []any:
		return slices.ContainsFunc(v, says)
	case map[string]any:
		return len(v) > 0
	}
	return true
}
