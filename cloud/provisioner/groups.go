package provisioner

import (
	"context"
	"fmt"

	"ldap-gateway/cloud/store"
)

// follow makes the memberships those of the directory, as far as the verdict allows.
func (s *step) follow(ctx context.Context) error {
	m := s.id.Membership
	if m == nil {
		return nil
	}
	verdict, reason := judge(*m)
	s.change.Verdict = verdict.String()
	s.so.Verdict, s.so.VerdictReason = s.change.Verdict, reason
	if verdict == Unknown {
		s.refuse(fmt.Sprintf("membership unknown: %s: nothing added or removed", orUnsaid(reason)), map[string]any{"verdict": s.change.Verdict})
		return nil
	}
	if verdict == Partial {
		s.refuse(fmt.Sprintf("membership partial: %s: nothing removed", orUnsaid(reason)), map[string]any{"verdict": s.change.Verdict})
	}
	current, err := s.current(ctx)
	if err != nil {
		return err
	}
	wanted, err := s.resolve(ctx, m.Groups, current)
	if err != nil {
		return err
	}
	if err := s.join(ctx, current, wanted); err != nil {
		return err
	}
	if verdict != Complete {
		return nil
	}
	return s.leave(ctx, current, wanted)
}

// judge trusts a list no further than its content: a group without a name
// cannot be told from the one that it was before, so it may not remove it.
func judge(m Membership) (Verdict, string) {
	switch m.Verdict {
	case Complete:
		for _, g := range m.Groups {
			if store.GroupKey(g.Name) == "" {
				return Partial, "a group came without a name"
			}
		}
		return Complete, m.Reason
	case Partial:
		return Partial, m.Reason
	}
	return Unknown, m.Reason
}

func orUnsaid(reason string) string {
	if reason == "" {
		return "no reason given"
	}
	return reason
}

// current returns the user's groups of this source.
func (s *step) current(ctx context.Context) ([]store.Group, error) {
	if s.change.Created {
		return nil, nil
	}
	all, err := s.tx.UserGroups(ctx, s.id.EnvironmentID, s.change.User.ID)
	var mine []store.Group
	for _, m := range all {
		if m.Group.SourceType == s.id.SourceType && m.Group.SourceID == s.id.SourceID {
			mine = append(mine, m.Group)
		}
	}
	return mine, err
}

// join adds the memberships that are wanted and missing.
func (s *step) join(ctx context.Context, current, wanted []store.Group) error {
	s.change.Added = without(wanted, current)
	s.memberships("membership.added", s.change.Added)
	return s.tx.AddMemberships(ctx, s.id.EnvironmentID, s.change.User.ID, idsOf(s.change.Added), s.so.At)
}

// leave removes the memberships that are not wanted.
func (s *step) leave(ctx context.Context, current, wanted []store.Group) error {
	s.change.Removed = without(current, wanted)
	s.memberships("membership.removed", s.change.Removed)
	return s.tx.RemoveMemberships(ctx, s.id.EnvironmentID, s.change.User.ID, idsOf(s.change.Removed))
}

// without returns those of all that are not among others.
func without(all, others []store.Group) []store.Group {
	drop := make(map[string]bool, len(others))
	for _, g := range others {
		drop[g.ID] = true
	}
	var rest []store.Group
	for _, g := range all {
		if !drop[g.ID] {
			rest = append(rest, g)
		}
	}
	return rest
}

// resolve returns the cloud's groups for those of the directory, each once. It
// creates the missing ones and brings names up to date.
func (s *step) resolve(ctx context.Context, groups []Group, current []store.Group) ([]store.Group, error) {
	groups = s.distinct(groups)
	known := newCatalogue(s.id.GroupIdentity, current)
	if err := s.lookUp(ctx, known, groups); err != nil {
		return nil, err
	}
	resolved := make([]*store.Group, len(groups))
	var missing []*store.Group
	for i, g := range groups {
		found := known.find(g)
		if found == nil {
			found = s.newGroup(g)
			missing = append(missing, found)
		} else if err := s.rename(ctx, found, g); err != nil {
			return nil, err
		}
		resolved[i] = found
	}
	if err := s.tx.CreateGroups(ctx, missing); err != nil {
		return nil, err
	}
	s.groupsCreated(missing)
	return eachOnce(resolved), nil
}

// distinct drops groups without a name and those that are named twice.
func (s *step) distinct(groups []Group) []Group {
	seen := make(map[string]bool, len(groups))
	var rest []Group
	for _, g := range groups {
		key := store.GroupKey(g.Name)
		if key == "" {
			continue
		}
		if s.id.GroupIdentity != identityID {
			g.ID = ""
		}
		if g.ID != "" {
			key = "\x00" + g.ID
		}
		if !seen[key] {
			rest = append(rest, g)
		}
		seen[key] = true
	}
	return rest
}

func (s *step) newGroup(g Group) *store.Group {
	return &store.Group{EnvironmentID: s.id.EnvironmentID, Name: g.Name, DisplayName: displayName(g, g.Name), DirectoryID: g.ID,
		SourceType: s.id.SourceType, SourceID: s.id.SourceID}
}

func displayName(g Group, name string) string {
	if g.DisplayName == "" {
		return name
	}
	return g.DisplayName
}

// rename writes what the directory changed of a known group. Names that differ
// by case or blanks alone are one name.
func (s *step) rename(ctx context.Context, known *store.Group, g Group) error {
	after := *known
	if store.GroupKey(g.Name) != store.GroupKey(known.Name) {
		after.Name = g.Name // only a group found by its ID gets here
	}
	after.DisplayName = displayName(g, after.Name)
	if g.ID != "" {
		after.DirectoryID = g.ID
	}
	if after == *known {
		return nil
	}
	if err := s.tx.UpdateGroup(ctx, &after); err != nil {
		return err
	}
	s.groupRenamed(*known, after)
	*known = after
	return nil
}

// eachOnce returns the groups without repetition: an entry with an ID and one
// without may have led to the same.
func eachOnce(groups []*store.Group) []store.Group {
	seen := make(map[string]bool, len(groups))
	all := make([]store.Group, 0, len(groups))
	for _, g := range groups {
		if !seen[g.ID] {
			all = append(all, *g)
		}
		seen[g.ID] = true
	}
	return all
}
