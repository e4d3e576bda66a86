package management

import (
	"context"

	"ldap-gateway/cloud/store"
)

// Decide is Select, before anything is done.
func (s *Service) Decide(ctx context.Context, by By, selection Selection) (store.Going, error) {
	return s.decide(ctx, by, selection)
}

// Some does one turn of a selection.
func (s *Service) Some(ctx context.Context, g store.Going) (store.Going, bool, error) {
	return s.some(ctx, g)
}
