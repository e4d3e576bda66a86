package provisioner

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"ldap-gateway/cloud/store"
)

// Apply brings the record of the person up to date as far as the rules allow
// it, and records the sign-on in the same transaction. It fills in what so says
// of the record: UserID, Updated, UpdateReason, Verdict, VerdictReason, Added,
// Removed; and ID, EnvironmentID, At and Outcome when they are empty.
//
// When it returns an error nothing of the person was written, nor the sign-on: one of
// the errors above; *EvidenceWanted; store.ErrNotFound when the population, the gateway or
// UserID does not exist; store.ErrConflict when that sign-on was applied before.
func (p *Provisioner) Apply(ctx context.Context, id Identity, so *store.SignOn) (Change, error) {
	if so.Method == store.ByKerberos {
		id.Properties, id.Membership = nil, nil
	}
	done, ok := p.large(ctx, id)
	if !ok {
		id = id.without("its source brings too many large lists of groups at once")
	}
	id = id.storable()
	if id.Known != nil && id.Known.GatewayID == id.SourceID && id.Known.UserTypeID == id.UserTypeID {
		id.askedAs = id.UserTypeID
	}
	s, err := p.planned(ctx, id, so)
	for plans := 1; plans < mostPlans && changedByOthers(err); plans++ {
		id.Known = nil // it may be what has changed
		s, err = p.planned(ctx, id, so)
	}
	if err != nil && s.list != nil || errors.Is(err, errBusy) {
		s, err = p.planned(ctx, id.without(bringing), so)
	}
	var wanted *EvidenceWanted
	if err != nil && !errors.As(err, &wanted) {
		s, err = p.within(ctx, id, so)
	}
	if err != nil {
		done(0)
		return Change{}, fmt.Errorf("provision: %w", err)
	}
	done(s.changes + s.made)
	return s.change, nil
}

// without is the identity with its groups left as they are.
func (id Identity) without(reason string) Identity {
	m := *id.Membership
	m.Verdict, m.Reason = Unknown, reason
	id.Membership = &m
	return id
}

// changedByOthers tells whether an error says that what was planned of is not as it was.
func changedByOthers(err error) bool {
	return errors.Is(err, errOthers) || errors.Is(err, store.ErrStale) || errors.Is(err, store.ErrConflict)
}

// within applies a sign-on within one transaction, reads included: what keeps somebody out
// is decided here, and what others changed between a plan and its turn comes here.
func (p *Provisioner) within(ctx context.Context, id Identity, so *store.SignOn) (*step, error) {
	recorded := *so
	s := &step{id: id, so: &recorded, budget: p}
	if err := p.Store.ProvisionIn(ctx, id.EnvironmentID, func(tx *store.Tx) error {
		s.tx, s.userGroups = tx, tx.UserGroups
		if err := s.apply(ctx); err != nil {
			return err
		}
		s.conclude()
		return tx.RecordSignOn(ctx, s.so, s.activities...)
	}); err != nil {
		p.giveBack(id.SourceID, s.groups, s.changes)
		return s, err
	}
	*so = recorded
	return s, nil
}

// planned applies a sign-on by a plan that was made before the turn: within the turn is
// only what writes, and a look at whether the plan is good still. An error but
// *EvidenceWanted says that it was not, or that there is more to be said within the turn.
func (p *Provisioner) planned(ctx context.Context, id Identity, so *store.SignOn) (*step, error) {
	ctx = p.Store.Current.Held(ctx) // what groups are called now
	recorded := *so
	s := &step{id: id, so: &recorded, budget: p, known: id.read(), ahead: true, userGroups: p.Store.Current.UserGroups}
	plan, err := p.Store.Plan(func(tx *store.Tx) error {
		s.tx = tx
		return s.apply(ctx)
	})
	if err == nil {
		s.conclude()
		err = p.carry(ctx, s, plan)
	}
	if s.list != nil {
		// What is left of it is swept another time.
		_ = s.list.End(context.WithoutCancel(ctx))
	}
	if err != nil {
		p.giveBack(id.SourceID, s.groups, s.changes)
		return s, err
	}
	*so = recorded
	return s, nil
}

// carry writes what was planned and records the sign-on. One that changes nothing, which
// most are, takes no turn among the nodes.
func (p *Provisioner) carry(ctx context.Context, s *step, plan *store.Plan) error {
	of, ok := s.identified()
	if ok && !plan.Writes() && s.list == nil {
		return p.unchanged(ctx, s, of)
	}
	recording, err := p.Store.Plan(func(tx *store.Tx) error { return tx.RecordSignOn(ctx, s.so, s.activities...) })
	if err != nil {
		return err
	}
	return p.Store.ProvisionIn(ctx, s.id.EnvironmentID, func(tx *store.Tx) error {
		if err := s.holds(ctx, tx); err != nil {
			return err
		}
		if err := tx.Carry(ctx, plan, recording); err != nil {
			return err
		}
		if s.list == nil {
			return nil
		}
		return tx.Come(ctx, s.list)
	})
}

// unchanged records a sign-on that writes nothing else.
func (p *Provisioner) unchanged(ctx context.Context, s *step, of store.Identified) error {
	groups, recorded, err := p.Store.RecordUnchanged(ctx, s.so, of, s.activities...)
	if err == nil && !recorded {
		return errOthers
	}
	if err != nil || groups == nil || sameGroups(s.change.Groups, groups) {
		return err
	}
	s.change.Groups = nil // others changed them since they were compared: what is told is what is kept
	if known, err := p.Store.Current.Groups(ctx, s.id.EnvironmentID, groups); err == nil {
		s.change.Groups = known
	}
	return nil
}

// sameGroups tells whether groups are those of some IDs, each of which there is once.
func sameGroups(groups []store.Group, ids []string) bool {
	if groups == nil || len(groups) != len(ids) {
		return false
	}
	listed := make(map[string]bool, len(ids))
	for _, id := range ids {
		listed[id] = true
	}
	return !slices.ContainsFunc(groups, func(g store.Group) bool { return !listed[g.ID] })
}

// holds returns errOthers unless the record is the one that was planned for, and is as it
// was, with as many groups. That one of these was left and another joined meanwhile shows
// when the plan is carried out, or the next time: until then the answer has those that were planned for.
func (s *step) holds(ctx context.Context, tx *store.Tx) error {
	if still, err := s.still(ctx, tx); still || err != nil {
		return err
	}
	now := &step{id: s.id, tx: tx}
	known, err := now.find(ctx)
	if err != nil {
		return err
	}
	after := now.change.User
	if known == s.change.Created || known && (after.ID != s.change.User.ID || !after.MaySignOn() ||
		s.refreshed && !after.UpdatedAt.Equal(s.before)) {
		return errOthers
	}
	if s.had == nil || s.change.Created {
		return nil
	}
	n, err := tx.CountGroupsOf(ctx, s.id.EnvironmentID, s.change.User.ID)
	if err == nil && n != len(s.had) {
		err = errOthers
	}
	return err
}

// still tells whether all of it holds by one look, as with most.
func (s *step) still(ctx context.Context, tx *store.Tx) (bool, error) {
	of, ok := s.identified()
	if !ok || of.GatewayID == "" || s.change.Created {
		return false, nil
	}
	groups := -1
	if s.had != nil {
		groups = len(s.had)
	}
	return tx.Still(ctx, s.id.EnvironmentID, of, groups)
}

// read is the record as the caller has it, if that is enough: the value that decides is
// among its own. What else of it is compared has to be the same still when the sign-on is recorded.
func (id Identity) read() *store.User {
	if id.UserID != "" || id.Known == nil || id.SourceType != store.SourceGateway ||
		id.Known.GatewayID != id.SourceID || len(id.Correlation) == 0 ||
		!slices.Contains(id.Known.Correlation, id.Correlation[0]) {
		return nil
	}
	return id.Known
}

// identified is what leads to the record that was planned for.
func (s *step) identified() (store.Identified, bool) {
	of, ok := s.id.identified()
	of.UserID = s.change.User.ID
	switch {
	case s.refreshed:
		of.UpdatedAt = s.before
	case s.known != nil: // its name is told
		of.UpdatedAt = s.known.UpdatedAt
	}
	return of, ok
}

// identified is what leads to the record, if that is what the store can look for when it
// records a sign-on: the first value, which decides when it leads to one record.
func (id Identity) identified() (store.Identified, bool) {
	switch {
	case id.UserID != "":
		return store.Identified{}, true
	case id.SourceType != store.SourceGateway || len(id.Correlation) == 0:
		return store.Identified{}, false
	}
	return store.Identified{GatewayID: id.SourceID, By: id.Correlation[0]}, true
}
