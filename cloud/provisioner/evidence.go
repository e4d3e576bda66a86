package provisioner

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"

	"ldap-gateway/cloud/store"
)

// Finding is what a directory shows of the user and one group.
type Finding uint8

// The findings.
const (
	Untold Finding = 0 // nothing: it is as if nobody had asked
	Member Finding = 1 // the user is in the group
	Left   Finding = 2 // the user is not
	Gone   Finding = 3 // nothing that counts has that name any more; the list may have its new one
)

// Sight is a finding on one group.
type Sight struct {
	Finding Finding
	Reason  string // of Untold: a code, which the membership keeps
	Words   string // what the code means
}

// Question is one group that a sign-on would take away, or join by a list that the
// directory does not vouch for.
type Question struct {
	Key         string // names it in Evidence
	Name        string // DN
	DirectoryID string // empty when groups go by name
	Stamp       string // as in Group, when the user joined
}

// Evidence answers questions.
type Evidence struct {
	Of     map[string]Sight // by Question.Key
	Beyond Sight            // of a group that was not among the questions
}

// MostQuestions is how many groups one sign-on is asked about. Of more, those that
// nobody asked about for the longest time come first.
const MostQuestions = 200

// EvidenceWanted is the error of an Apply that would take groups away, or join
// unconfirmed ones, without evidence. Nothing was written: it is to be called again
// with the answers.
type EvidenceWanted struct{ Questions []Question }

// Error counts the questions.
func (e *EvidenceWanted) Error() string {
	return fmt.Sprintf("%d memberships would change without evidence", len(e.Questions))
}

// keyOf names a question: a group by the key of its name, and by its ID where that
// counts.
func keyOf(name, id string) string { return store.GroupKey(name) + "\x00" + id }

// of returns what was seen of a group.
func (e *Evidence) of(key string) Sight {
	if seen, ok := e.Of[key]; ok {
		return seen
	}
	return e.Beyond
}

// changes is what a list and the evidence make of somebody's memberships.
type changes struct {
	leave  []store.Group
	kept   map[string][]string // group IDs by reason: it cannot be told
	words  map[string]string   // of the reasons
	stay   int                 // groups that stay without being in the list
	still  int                 // of these, those that the user was seen in
	settle []string            // group IDs that are in doubt no more
}

// confirmed leaves out of an unconfirmed list what is new and not confirmed.
func (s *step) confirmed(m Membership, current []store.GroupMembership) ([]Group, []Question) {
	if !m.Unconfirmed {
		return m.Groups, nil
	}
	held := map[string]bool{}
	for _, c := range current {
		held[store.GroupKey(c.Group.Name)] = true
	}
	var groups []Group
	var questions []Question
	for _, g := range m.Groups {
		key := keyOf(g.Name, "")
		switch {
		case held[store.GroupKey(g.Name)]:
			groups = append(groups, g)
		case s.id.Evidence == nil:
			questions = append(questions, Question{Key: key, Name: g.Name})
		case s.id.Evidence.of(key).Finding == Member:
			groups = append(groups, g)
		case s.id.Evidence.of(key).Finding == Untold:
			s.unconfirmed++
			if _, asked := s.id.Evidence.Of[key]; !asked {
				s.unasked++
			}
		}
	}
	return groups, questions
}

// questions asks about the memberships that the list would end, the ones first that
// nobody asked about for the longest time, and about what it would join. Of too many each
// kind has its half, so that both come to an end.
func (s *step) questions(absent []store.GroupMembership, joining []Question) []Question {
	slices.SortStableFunc(absent, func(a, b store.GroupMembership) int { return a.DoubtedAt.Compare(b.DoubtedAt) })
	var all []Question
	for _, m := range absent {
		all = append(all, s.question(m))
	}
	all = all[:min(len(all), max(MostQuestions/2, MostQuestions-len(joining)))]
	all = append(all, joining...)
	return all[:min(len(all), MostQuestions)]
}

// question is about one membership.
func (s *step) question(m store.GroupMembership) Question {
	q := Question{Name: m.Group.Name, Stamp: m.Stamp}
	if s.id.GroupIdentity == identityID {
		q.DirectoryID = m.Group.DirectoryID
	}
	q.Key = keyOf(q.Name, q.DirectoryID)
	return q
}

// decide says what becomes of each membership that there is. Only a gateway's need
// evidence: what an identity provider lists is all that it says.
func (s *step) decide(complete bool, held, absent []store.GroupMembership) changes {
	d := changes{kept: map[string][]string{}, words: map[string]string{}}
	for _, m := range held {
		if m.Doubt != "" {
			d.settle = append(d.settle, m.Group.ID)
		}
	}
	for _, m := range absent {
		switch {
		case s.needsEvidence():
			s.weigh(&d, m)
		case complete:
			d.leave = append(d.leave, m.Group)
		}
	}
	return d
}

// weigh decides on one membership that is not in the list.
func (s *step) weigh(d *changes, m store.GroupMembership) {
	key := s.question(m).Key
	switch seen := s.id.Evidence.of(key); seen.Finding {
	case Gone:
		if s.short() {
			d.stay++
			d.words["gone"] = "what is left aside may have their new names"
			return
		}
		d.leave = append(d.leave, m.Group)
	case Left:
		d.leave = append(d.leave, m.Group)
	case Member:
		d.stay++
		d.still++
		if m.Doubt != "" || s.inTurn() {
			d.settle = append(d.settle, m.Group.ID)
		}
	default:
		d.stay++
		d.words[seen.Reason] = cmp.Or(seen.Words, seen.Reason)
		if _, asked := s.id.Evidence.Of[key]; asked && (m.Doubt != seen.Reason || s.inTurn()) {
			d.kept[seen.Reason] = append(d.kept[seen.Reason], m.Group.ID)
		}
	}
}

// short says that the list has groups which this sign-on does not bring, and a later one
// may: a group that has another name now is among them, and must not be lost meanwhile.
func (s *step) short() bool { return s.leftOut+s.unasked > 0 }

// inTurn says that there are more groups than one sign-on is asked about, so that when
// each was asked about has to be kept.
func (s *step) inTurn() bool { return len(s.id.Evidence.Of) >= MostQuestions }

// needsEvidence tells whether a list's silence proves nothing: a directory leaves out
// what may not be seen.
func (s *step) needsEvidence() bool { return s.id.SourceType == store.SourceGateway }

// doubts yields the memberships that could not be told, by the reason, in its order; last those that can be
// told now, without one.
func (d changes) doubts() iter.Seq2[string, []string] {
	return func(yield func(string, []string) bool) {
		for _, reason := range slices.Sorted(maps.Keys(d.kept)) {
			if !yield(reason, d.kept[reason]) {
				return
			}
		}
		yield("", d.settle)
	}
}

// whyKept says in words why groups stay that the list does not have; empty when none do.
func (s *step) whyKept(d changes) string {
	var words []string
	if d.still > 0 {
		words = append(words, fmt.Sprintf("the user is in %s that the answer left out", groupCount(d.still)))
	}
	if n := d.stay - d.still; n > 0 {
		words = append(words, stays(n)+", as it cannot be told whether the user left: "+joined(d.words))
	}
	if s.unconfirmed > 0 {
		words = append(words, groupCount(s.unconfirmed)+" of memberOf could not be confirmed")
	}
	return joinWords(words)
}

// stays counts groups that stay, in words.
func stays(n int) string {
	if n == 1 {
		return "1 group stays"
	}
	return fmt.Sprintf("%d groups stay", n)
}

// groupsOf drops what is known of memberships besides their groups.
func groupsOf(memberships []store.GroupMembership) []store.Group {
	groups := make([]store.Group, len(memberships))
	for i, m := range memberships {
		groups[i] = m.Group
	}
	return groups
}
