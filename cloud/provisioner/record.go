package provisioner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ldap-gateway/cloud/store"
)

// find looks for the record that the sign-on is of, and tells whether there is one.
func (s *step) find(ctx context.Context) (known bool, err error) {
	if s.known != nil {
		s.change.User = *s.known
		return true, nil
	}
	if s.id.UserID != "" {
		s.change.User, err = s.tx.User(ctx, s.id.EnvironmentID, s.id.UserID)
		return err == nil, err
	}
	if s.id.SourceType != store.SourceGateway {
		return s.findBySubject(ctx)
	}
	if known, err = s.findByCorrelation(ctx); known || err != nil {
		return known, err
	}
	return s.findByUsername(ctx)
}

// findBySubject finds whom the identity provider has been linked to. Nothing else that
// a provider says leads to a record: names and addresses are what it likes.
func (s *step) findBySubject(ctx context.Context) (known bool, err error) {
	s.change.User, err = s.tx.UserBySubject(ctx, s.id.EnvironmentID, s.id.SourceID, s.id.Subject)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// findByCorrelation tries the attributes in the user type's order. ErrAmbiguousRecord
// when none led to exactly one record, and some to several: to take one of them would
// sign somebody on as another.
func (s *step) findByCorrelation(ctx context.Context) (bool, error) {
	ambiguous := ""
	for _, c := range s.id.Correlation {
		users, err := s.tx.UsersByCorrelation(ctx, s.id.EnvironmentID, s.id.SourceID, c.Attribute, c.Value)
		if err != nil {
			return false, err
		}
		if len(users) == 1 {
			s.change.User = users[0]
			return true, nil
		}
		if len(users) > 1 {
			ambiguous = c.Attribute
		}
	}
	if ambiguous != "" {
		return false, fmt.Errorf("%w by %s", ErrAmbiguousRecord, ambiguous)
	}
	return false, nil
}

// findByUsername finds a record that an administrator linked to the gateway
// before the person's first sign-on: one without correlation values.
func (s *step) findByUsername(ctx context.Context) (bool, error) {
	name := s.id.Properties["username"]
	if name == "" {
		name = s.id.Username
	}
	u, err := s.tx.UserByUsername(ctx, s.id.EnvironmentID, name)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil || u.GatewayID != s.id.SourceID || len(u.Correlation) > 0 {
		return false, err
	}
	s.change.User = u
	return true, nil
}

// mayHave returns ErrUsernameOfOthers when a username is for other user types alone. An
// identity provider may have none that a user type claims.
func (s *step) mayHave(ctx context.Context, username string) error {
	all, err := s.tx.Claimants(ctx, s.id.EnvironmentID, username)
	if err != nil || len(all) == 0 {
		return err
	}
	mine := store.UserTypeRef{Gateway: s.id.SourceID, UserType: s.id.UserTypeID}
	if s.id.SourceType == store.SourceGateway && slices.Contains(all, mine) {
		return nil
	}
	return ErrUsernameOfOthers
}

// createUser makes the record of somebody who has none. ErrNoUsername, ErrUsernameTaken
// and ErrUsernameOfOthers keep them out: a record under a name that was made up would
// never be found again.
func (s *step) createUser(ctx context.Context) error {
	u := store.User{
		EnvironmentID: s.id.EnvironmentID,
		PopulationID:  s.id.PopulationID,
		Enabled:       true,
		DN:            s.id.DN,
		Correlation:   s.id.Correlation,
	}
	if s.id.SourceType == store.SourceGateway {
		u.GatewayID, u.UserTypeID = s.id.SourceID, s.id.UserTypeID
	}
	s.fill(&u)
	if u.Username == "" {
		return ErrNoUsername
	}
	if u.PopulationID == "" && s.id.SourceType == store.SourceIDP {
		return ErrUnknownRecord // the provider is not to make anybody
	}
	if err := s.mayHave(ctx, u.Username); err != nil {
		return err
	}
	if u.PopulationID == "" {
		p, err := s.tx.DefaultPopulation(ctx, u.EnvironmentID)
		if err != nil {
			return fmt.Errorf("default population: %w", err)
		}
		u.PopulationID = p.ID
	}
	if err := s.tx.CreateUser(ctx, &u); errors.Is(err, store.ErrConflict) {
		return fmt.Errorf("%w: %w", ErrUsernameTaken, err)
	} else if err != nil {
		return err
	}
	s.change.User, s.change.Created = u, true
	s.userCreated()
	return s.link(ctx)
}

// link keeps that the new user is whom the identity provider speaks of.
func (s *step) link(ctx context.Context) error {
	if s.id.SourceType != store.SourceIDP {
		return nil
	}
	return s.tx.LinkAccount(ctx, &store.LinkedAccount{
		EnvironmentID: s.id.EnvironmentID,
		ProviderID:    s.id.SourceID,
		UserID:        s.change.User.ID,
		Subject:       s.id.Subject,
		CreatedAt:     s.so.At,
	})
}

// updateUser makes the record's properties those of the directory, and writes
// it only when one differs.
func (s *step) updateUser(ctx context.Context) error {
	before := s.change.User
	after := before
	after.Attributes = maps.Clone(before.Attributes)
	s.fill(&after)
	if s.id.SourceType == store.SourceGateway && before.GatewayID == s.id.SourceID {
		after.DN = cmp.Or(s.id.DN, before.DN)
		if len(s.id.Correlation) > 0 {
			after.Correlation = s.id.Correlation
		}
	}
	if err := s.keepUsername(ctx, before, &after); err != nil {
		return err
	}
	s.change.Fields = differences(before, after)
	if len(s.change.Fields) == 0 {
		return nil
	}
	if err := s.tx.UpdateUser(ctx, &after); err != nil {
		return err
	}
	s.change.User = after
	s.userUpdated()
	return nil
}

// keepUsername leaves the username as it was when the new one cannot be had:
// the person's sign-on succeeds all the same.
func (s *step) keepUsername(ctx context.Context, before store.User, after *store.User) error {
	if after.Username == before.Username {
		return nil
	}
	if after.Username == "" {
		after.Username = before.Username
		s.refuse(s.origin()+" has no value for the username: kept", nil)
		return nil
	}
	other, err := s.tx.UserByUsername(ctx, before.EnvironmentID, after.Username)
	if errors.Is(err, store.ErrNotFound) {
		err = s.mayHave(ctx, after.Username)
		if errors.Is(err, ErrUsernameOfOthers) {
			s.refuse(err.Error()+": kept", map[string]any{"username": after.Username})
			after.Username, err = before.Username, nil
		}
		return err
	}
	if err != nil || other.ID == before.ID {
		return err
	}
	s.refuse("the username is taken by another user: kept", map[string]any{
		"username": after.Username,
		"takenBy":  other.ID,
	})
	after.Username = before.Username
	return nil
}

// fill puts the mapped properties into u.
func (s *step) fill(u *store.User) {
	for _, name := range s.mapped(u) {
		value := s.id.Properties[name]
		if s.filled(u, name) {
			continue
		}
		if p := builtIn(u, name); p != nil {
			*p = value
			continue
		}
		if value == "" {
			delete(u.Attributes, name)
			continue
		}
		if u.Attributes == nil {
			u.Attributes = map[string]string{}
		}
		u.Attributes[name] = value
	}
}

// filled tells whether a property that is filled once was.
func (s *step) filled(u *store.User, name string) bool {
	if !slices.Contains(s.id.Once, name) {
		return false
	}
	if p := builtIn(u, name); p != nil {
		return *p != ""
	}
	return u.Attributes[name] != ""
}

// mapped lists the properties that the source decides on.
func (s *step) mapped(u *store.User) []string {
	if s.id.Mapped != nil {
		return s.id.Mapped
	}
	names := []string{"username", "name.given", "name.family", "email", "externalId"}
	names = slices.AppendSeq(names, maps.Keys(u.Attributes))
	return slices.AppendSeq(names, maps.Keys(s.id.Properties))
}

// builtIn returns where a user keeps a property; nil for one among the attributes.
func builtIn(u *store.User, name string) *string {
	switch name {
	case "username":
		return &u.Username
	case "name.given":
		return &u.GivenName
	case "name.family":
		return &u.FamilyName
	case "email":
		return &u.Email
	case "externalId":
		return &u.ExternalID
	}
	return nil
}

// differences lists what differs between two states of a record, by name.
func differences(before, after store.User) []FieldChange {
	var all []FieldChange
	add := func(name, b, a string) {
		if b != a {
			all = append(all, FieldChange{name, b, a})
		}
	}
	for _, name := range []string{"username", "name.given", "name.family", "email", "externalId"} {
		add(name, *builtIn(&before, name), *builtIn(&after, name))
	}
	names := slices.Collect(maps.Keys(before.Attributes))
	names = slices.AppendSeq(names, maps.Keys(after.Attributes))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		add(name, before.Attributes[name], after.Attributes[name])
	}
	add("dn", before.DN, after.DN)
	add("correlation", correlationText(before.Correlation), correlationText(after.Correlation))
	return all
}

// correlationText is how activities show what identifies an entry.
func correlationText(all []store.Correlation) string {
	words := make([]string, 0, len(all))
	for _, c := range all {
		words = append(words, fmt.Sprintf("%s=%q", c.Attribute, c.Value))
	}
	return strings.Join(words, " ")
}
