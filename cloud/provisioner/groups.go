package provisioner

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ldap-gateway/cloud/store"
)

// follow makes the memberships those of the directory, as far as verdict and evidence
// allow.
func (s *step) follow(ctx context.Context) error {
	if s.id.Membership == nil {
		return nil
	}
	m := *s.id.Membership
	verdict, reason := judge(m)
	if verdict == Unknown {
		s.told(verdict, reason)
		refusal := fmt.Sprintf("membership unknown: %s: nothing added or removed", orUnsaid(reason))
		s.refuse(refusal, map[string]any{"verdict": s.change.Verdict})
		return nil
	}
	current, err := s.current(ctx)
	if err != nil {
		return err
	}
	if s.id.GroupsOnce && len(current) > 0 {
		s.note("groups are populated once, and the user has some")
		return nil
	}
	groups, joining := s.confirmed(m, current)
	wanted, err := s.resolve(ctx, groups, groupsOf(current))
	if err != nil {
		return err
	}
	held, absent := split(current, wanted)
	if verdict == Partial && !m.Whole {
		absent = nil // a list that was cut off only adds
	}
	if err := s.asked(absent, joining); err != nil {
		return err
	}
	join := s.affordable(without(wanted, groupsOf(current)))
	d := s.decide(verdict == Complete, held, absent)
	s.settle(verdict, reason, d)
	if err := s.join(ctx, join, groups); err != nil {
		return err
	}
	if err := s.leave(ctx, d.leave); err != nil {
		return err
	}
	return s.doubt(ctx, d)
}

// asked returns *EvidenceWanted as long as nobody asked about what would change.
func (s *step) asked(absent []store.GroupMembership, joining []Question) error {
	if !s.needsEvidence() || s.id.Evidence != nil || len(absent)+len(joining) == 0 {
		return nil
	}
	return &EvidenceWanted{Questions: s.questions(absent, joining)}
}

// split tells the memberships that a list has from those that it does not have, these by what people call them.
func split(current []store.GroupMembership, wanted []store.Group) (held, absent []store.GroupMembership) {
	listed := make(map[string]bool, len(wanted))
	for _, g := range wanted {
		listed[g.ID] = true
	}
	held = make([]store.GroupMembership, 0, len(current))
	for _, m := range current {
		if listed[m.Group.ID] {
			held = append(held, m)
		} else {
			absent = append(absent, m)
		}
	}
	slices.SortFunc(absent, func(a, b store.GroupMembership) int {
		byName := cmp.Compare(store.Fold(a.Group.DisplayName), store.Fold(b.Group.DisplayName))
		return cmp.Or(byName, cmp.Compare(a.Group.ID, b.Group.ID))
	})
	return held, absent
}

// settle says how far the memberships are the directory's now: no further than what
// could be told.
func (s *step) settle(verdict Verdict, reason string, d changes) {
	if kept := s.whyKept(d); kept != "" {
		verdict, reason = Partial, joinWords([]string{reason, kept})
	}
	if s.leftOut > 0 {
		left := fmt.Sprintf("%s left aside: their source brings more within an hour than one may", groupCount(s.leftOut))
		verdict, reason = Partial, joinWords([]string{reason, left})
	}
	s.told(verdict, reason)
	if verdict == Partial {
		removed := "nothing removed"
		if len(d.leave) > 0 {
			removed = groupCount(len(d.leave)) + " removed that the user was seen not to be in"
		}
		refusal := fmt.Sprintf("membership partial: %s: %s", orUnsaid(reason), removed)
		s.refuse(refusal, map[string]any{"verdict": s.change.Verdict})
	}
}

// told keeps the verdict in the sign-on and in what is returned.
func (s *step) told(verdict Verdict, reason string) {
	s.change.Verdict = verdict.String()
	s.so.Verdict, s.so.VerdictReason = s.change.Verdict, reason
}

// judge trusts a list no further than its content: a group without a name
// cannot be told from the one that it was before, so it may not remove it.
func judge(m Membership) (Verdict, string) {
	switch m.Verdict {
	case Complete:
		for _, g := range m.Groups {
			if strings.TrimSpace(g.Name) == "" {
				return Partial, "a group came without a name"
			}
		}
		return Complete, m.Reason
	case Partial:
		return Partial, m.Reason
	}
	return Unknown, m.Reason
}

// orUnsaid is a reason, or that there was none.
func orUnsaid(reason string) string {
	if reason == "" {
		return "no reason given"
	}
	return reason
}

// joinWords puts what is said into one text.
func joinWords(words []string) string {
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), "; ")
}

// joined lists words by their codes' order.
func joined(words map[string]string) string {
	var all []string
	for _, reason := range slices.Sorted(maps.Keys(words)) {
		all = append(all, words[reason])
	}
	return strings.Join(all, ", ")
}

// current returns the user's groups of this source.
func (s *step) current(ctx context.Context) ([]store.GroupMembership, error) {
	if s.had = []store.Group{}; s.change.Created {
		return nil, nil
	}
	all, err := s.userGroups(ctx, s.id.EnvironmentID, s.change.User.ID)
	s.had = groupsOf(all)
	mine := make([]store.GroupMembership, 0, len(all))
	for _, m := range all {
		if m.Group.SourceType == s.id.SourceType && m.Group.SourceID == s.id.SourceID {
			mine = append(mine, m)
		}
	}
	return mine, err
}

// without returns those of all that are not among others.
func without(all, others []store.Group) []store.Group {
	drop := make(map[string]bool, len(others))
	for _, g := range others {
		drop[g.ID] = true
	}
	var rest []store.Group
	for i, g := range all {
		if drop[g.ID] {
			continue
		}
		if rest == nil {
			rest = make([]store.Group, 0, len(all)-i)
		}
		rest = append(rest, g)
	}
	return rest
}

// resolve returns the cloud's groups for those of the directory, each once. It
// creates the missing ones and brings names up to date.
func (s *step) resolve(ctx context.Context, groups []Group, current []store.Group) ([]store.Group, error) {
	groups = s.distinct(groups)
	known := newCatalogue(s.id.SourceType, s.id.GroupIdentity, current)
	if err := s.lookUp(ctx, known, groups); err != nil {
		return nil, err
	}
	resolved := make([]*store.Group, 0, len(groups))
	var missing []*store.Group
	var others []renamed
	for _, g := range groups {
		found := known.find(g)
		switch {
		case found != nil:
			if after, writes := s.follows(found, g); writes {
				others = append(others, renamed{*found, after})
				*found = after
			}
		case s.affords():
			found = s.newGroup(g)
			missing = append(missing, found)
		default:
			continue // it may be another's new name: see short
		}
		resolved = append(resolved, found)
	}
	if err := s.rename(ctx, others); err != nil {
		return nil, err
	}
	if err := s.make(ctx, missing); err != nil {
		return nil, err
	}
	return eachOnce(resolved), nil
}

// affords tells whether one more group may be made or renamed; if not it is left aside.
func (s *step) affords() bool {
	groups, changes := s.spend(1, 1)
	if groups+changes == 2 {
		return true
	}
	s.leftOut++
	return false
}

// spend takes from the source's budget what there is left.
func (s *step) spend(groups, changes int) (mayGroups, mayChanges int) {
	mayGroups, mayChanges = s.budget.take(s.id.SourceID, groups, changes)
	s.groups += mayGroups
	s.changes += mayChanges
	return mayGroups, mayChanges
}

// affordable returns those of the groups that may be joined.
func (s *step) affordable(groups []store.Group) []store.Group {
	_, may := s.spend(0, len(groups))
	s.leftOut += len(groups) - may
	return groups[:may]
}

// distinct drops groups without a name and those that are named twice.
func (s *step) distinct(groups []Group) []Group {
	seen := make(map[string]bool, len(groups))
	var rest []Group
	for _, g := range groups {
		key := s.key(g.Name)
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

// newGroup is a group that was never seen, as it is created: by its ID only where
// groups go by that.
func (s *step) newGroup(g Group) *store.Group {
	return &store.Group{
		EnvironmentID: s.id.EnvironmentID,
		Name:          g.Name,
		DisplayName:   displayName(g, g.Name),
		DirectoryID:   g.ID,
		SourceType:    s.id.SourceType,
		SourceID:      s.id.SourceID,
	}
}

// displayName is what the directory calls a group, or name where it says nothing.
func displayName(g Group, name string) string {
	if g.DisplayName == "" {
		return name
	}
	return g.DisplayName
}

// follows returns a known group as the directory has it, and whether that is to be written. Names that
// differ by case or blanks alone are one name.
func (s *step) follows(known *store.Group, g Group) (after store.Group, writes bool) {
	after = *known
	if s.key(g.Name) != s.key(known.Name) {
		after.Name = g.Name // only a group found by its ID gets here
	}
	after.DisplayName = displayName(g, after.Name)
	if g.ID != "" {
		after.DirectoryID = g.ID
	}
	same := after.Name == known.Name && after.DisplayName == known.DisplayName && after.DirectoryID == known.DirectoryID
	return after, !same && s.affords()
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
