package signon

import (
	"context"
	"fmt"
	"strings"

	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/directory"
)

// mostParents bounds of how many direct groups the parents are looked for when
// the cloud asks; the command of this machine looks for all.
const mostParents = 50

// Explain says what a sign-on of a person would bring. It makes no bind. What the
// file's policy keeps back is counted, not named.
func (s *Service) Explain(ctx context.Context, m wire.Explain) (wire.Explained, Trace) {
	e, trace, said := s.explained(ctx, m)
	e.ID = m.ID
	line := []any{"question", m.ID, logUserType, m.UserType, logOutcome, e.Outcome, logReason, e.Reason}
	s.log("explained", trace.Asked, append(line, detail(said)...))
	return e, trace
}

func (s *Service) explained(ctx context.Context, m wire.Explain) (e wire.Explained, _ Trace, said error) {
	if reason := s.Policy.RefuseExplain(); reason != "" {
		return wire.Explained{Outcome: wire.OutcomeNotAllowed, Reason: reason}, Trace{}, nil
	}
	t, refusal := s.admit(ctx, wire.SignOn{
		ID:         m.ID,
		UserType:   m.UserType,
		Revision:   m.Revision,
		Identifier: m.Identifier,
		Want:       wire.WantRecord,
	})
	if refusal != nil {
		return wire.Explained{Outcome: refusal.Outcome, Reason: refusal.Reason}, Trace{}, nil
	}
	entry, err := s.People.FindUser(ctx, t.UserType, m.Identifier)
	if err != nil {
		f := failed(ctx, err)
		return wire.Explained{Outcome: f.Outcome, Reason: f.Reason}, Trace{Asked: true}, err
	}
	trace := Trace{entry.DN, true}
	if !s.Persons.allow(entry.DN, s.Policy.File.SignOnsPerPerson) {
		return wire.Explained{
			Outcome: wire.OutcomeNotAllowed,
			Reason:  "more sign-ons of this person than policy.sign_ons_per_person_per_minute allows",
		}, trace, nil
	}
	told := s.cut(entry, m.ID)
	e = wire.Explained{
		Outcome: wire.OutcomeOK,
		Server:  entry.Server,
		Account: s.accountOf(ctx, entry),
		Entry: &wire.Entry{
			DN:          told.DN,
			Correlation: correlation(told),
			Attributes:  told.Attributes,
			TooLarge:    told.TooLarge,
		},
	}
	if t.Groups() != nil {
		s.groupsOf(ctx, &e, t.UserType, entry)
	}
	return e, trace, nil
}

func (s *Service) accountOf(ctx context.Context, entry directory.Entry) []wire.AccountFact {
	facts, err := s.People.AccountState(ctx, entry)
	if err != nil {
		return []wire.AccountFact{{Name: "account", State: "notReadable", Detail: directory.Told(err)}}
	}
	words := map[directory.FactState]string{
		directory.Hinders:     "hinders",
		directory.Depends:     "depends",
		directory.NotReadable: "notReadable",
		directory.Fine:        "fine",
	}
	all := make([]wire.AccountFact, len(facts))
	for i, f := range facts {
		all[i] = wire.AccountFact{Name: f.Name, State: words[f.State], Detail: f.Told()}
	}
	return all
}

// groupsOf adds the groups that would come, and those that would not.
func (s *Service) groupsOf(ctx context.Context, e *wire.Explained, t *directory.UserType, entry directory.Entry) {
	method, why := s.People.GroupMethod(t)
	e.Method = method + ": " + why
	found := s.People.DirectGroups(ctx, t, entry)
	skipped := found.Skipped
	direct := found.Groups[:min(len(found.Groups), mostParents)]
	if found.Verdict != directory.Unknown {
		for _, p := range Parents(ctx, s.People, t, entry, direct) {
			skipped = append(skipped, directory.Skipped{DN: p.DN, Reason: "not direct: it holds a group that holds the person"})
		}
	}
	m := s.Policy.Groups(found)
	e.Membership = membership(m)
	e.Withheld = uint32(len(found.Groups) - len(m.Groups))
	for _, one := range skipped {
		if s.Policy.LeaveOut(one.DN) != "" {
			e.Withheld++
			continue
		}
		e.Skipped = append(e.Skipped, wire.Skipped{DN: one.DN, Reason: one.Reason})
	}
}

// Parents finds the groups that hold one of the direct groups but not the person.
func Parents(
	ctx context.Context, people People, t *directory.UserType, entry directory.Entry, direct []directory.Group,
) (out []directory.Skipped) {
	seen := map[string]bool{}
	for _, g := range direct {
		seen[strings.ToLower(g.DN)] = true
	}
	for _, g := range direct {
		above := people.DirectGroups(ctx, t, directory.Entry{DN: g.DN, Server: entry.Server})
		for _, parent := range above.Groups {
			if key := strings.ToLower(parent.DN); !seen[key] {
				seen[key] = true
				out = append(out, directory.Skipped{
					DN:     parent.DN,
					Reason: fmt.Sprintf("not direct: it holds %q, which holds the person", g.Name),
				})
			}
		}
	}
	return out
}
