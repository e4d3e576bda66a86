package provisioner

import (
	"context"

	"ldap-gateway/cloud/store"
)

// identityID is the group identity that goes by the directory's immutable ID.
const identityID = "ID"

// catalogue finds known groups of one source.
type catalogue struct {
	byID   map[string]*store.Group // directory ID
	byName map[string]*store.Group // group key
	source store.Source            // type of it
	strict bool                    // identity is the ID: a name does not find a group that has another ID
}

// newCatalogue begins with the groups that the user is in, which are most of those that
// are looked for.
func newCatalogue(source store.Source, identity string, groups []store.Group) *catalogue {
	c := &catalogue{
		byID:   make(map[string]*store.Group, len(groups)),
		byName: make(map[string]*store.Group, len(groups)),
		source: source,
		strict: identity == identityID,
	}
	c.add(groups)
	return c
}

// add takes in groups, which are its from then on. Of several under one name, the one without a directory
// ID is found by it, then the oldest.
func (c *catalogue) add(groups []store.Group) {
	for i := range groups {
		g := &groups[i]
		if g.DirectoryID != "" {
			if c.byID[g.DirectoryID] == nil {
				c.byID[g.DirectoryID] = g
			}
			if c.strict {
				continue
			}
		}
		key := g.Key()
		if old := c.byName[key]; old == nil || better(g, old) {
			c.byName[key] = g
		}
	}
}

// better tells which of two groups under one name is found by it: the one that has no
// ID yet, then the older.
func better(a, b *store.Group) bool {
	if (a.DirectoryID == "") != (b.DirectoryID == "") {
		return a.DirectoryID == ""
	}
	return a.ID < b.ID
}

// find returns the known group that g is, or nil. A group that was made by name
// is taken over by the ID that its name comes with.
func (c *catalogue) find(g Group) *store.Group {
	if found := c.byID[g.ID]; found != nil && g.ID != "" {
		return found
	}
	key := store.NameKey(c.source, g.Name)
	found := c.byName[key]
	if g.ID != "" {
		delete(c.byName, key) // a second ID under that name is another group
	}
	return found
}

// lookUp adds to the catalogue the groups that the user is not in yet. All of
// them are asked for at once.
func (s *step) lookUp(ctx context.Context, known *catalogue, groups []Group) error {
	var ids, keys []string
	for _, g := range groups {
		if g.ID != "" && known.byID[g.ID] == nil {
			ids = append(ids, g.ID)
		}
		keys = append(keys, s.key(g.Name))
	}
	found, err := s.tx.GroupsByDirectoryID(ctx, s.id.EnvironmentID, s.id.SourceType, s.id.SourceID, ids)
	if err != nil {
		return err
	}
	known.add(found)
	found, err = s.tx.GroupsByKey(ctx, s.id.EnvironmentID, s.id.SourceType, s.id.SourceID, known.missing(groups, keys))
	known.add(found)
	return err
}

// missing returns those of keys, one for each of groups, that nothing is known for.
func (c *catalogue) missing(groups []Group, keys []string) []string {
	var rest []string
	for i, key := range keys {
		if c.byName[key] == nil && (groups[i].ID == "" || c.byID[groups[i].ID] == nil) {
			rest = append(rest, key)
		}
	}
	return rest
}

// key is the form in which the source's names of groups are compared.
func (s *step) key(name string) string { return store.NameKey(s.id.SourceType, name) }
