package store

// GroupOrder is by what groups are listed.
type GroupOrder string

// The orders, each of which an index has.
const (
	ByDisplayName GroupOrder = ""
	BySource      GroupOrder = "source"  // ordinary ones, then those of each gateway and provider, by display name
	ByChange      GroupOrder = "changed" // when they were changed last
)

// foundBy is the text that a group is found by.
func (g Group) foundBy() string { return findKey(g.DisplayName) + "\n" + findKey(GroupKey(g.Name)) }

// list is the order as a list.
func (o GroupOrder) list(c conn) list {
	l := list{query: groupColumns, key: "g.display_folded", id: "g.id", word: "group " + string(o)}
	switch o {
	case BySource:
		l.query += c.by("groups_source")
		l.key, l.then = "g.source_type", []string{"g.source_id", "g.display_folded"}
	case ByChange:
		l.query += c.by("groups_changed")
		l.key, l.time = "g.updated_at", true
	}
	return l
}

// key is where a group stands in the order.
func (o GroupOrder) key(g Group) (any, string) {
	switch o {
	case BySource:
		return []string{string(g.SourceType), g.SourceID, Fold(g.DisplayName)}, g.ID
	case ByChange:
		return micros(g.UpdatedAt), g.ID
	}
	return Fold(g.DisplayName), g.ID
}
