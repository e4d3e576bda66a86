package signonpage

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"ldap-gateway/cloud/oidc"
	"ldap-gateway/cloud/store"
)

var _ oidc.Sessions = (*Sessions)(nil)

// Wrap gives the requests of a handler their session, in their context.
func (s *Sessions) Wrap(h http.Handler) http.Handler { return s.manager.LoadAndSave(h) }

// Person returns who has signed on in an environment; false when nobody has, or
// the user may not sign on any more.
func (s *Sessions) Person(ctx context.Context, env string) (by store.SignedOn, ok bool) {
	kept := s.manager.GetBytes(ctx, env)
	if kept == nil || json.Unmarshal(kept, &by) != nil {
		return store.SignedOn{}, false
	}
	u, err := s.store.User(ctx, env, by.UserID)
	if err != nil || !u.Enabled {
		return store.SignedOn{}, false
	}
	return by, true
}

// PersonOf is Person for a request that Wrap has not seen.
func (s *Sessions) PersonOf(r *http.Request, env string) (by store.SignedOn, ok bool, err error) {
	cookie, err := r.Cookie(s.manager.Cookie.Name)
	if err != nil {
		return by, false, nil // the only error is that there is none
	}
	ctx, err := s.manager.Load(bare{r.Context()}, cookie.Value)
	if err != nil {
		return by, false, err
	}
	by, ok = s.Person(ctx, env)
	return by, ok, nil
}

// bare is a context without its values: among them may be the session of another
// kind of page, which would be taken for ours.
type bare struct{ context.Context }

// Value implements context.Context.
func (bare) Value(any) any { return nil }

// begin keeps who has signed on, under a new token: one that was there before,
// whoever planted it, is worth nothing.
func (s *Sessions) begin(ctx context.Context, so store.SignOn) (store.SignedOn, error) {
	by := store.SignedOn{UserID: so.UserID, SignOnID: so.ID, Method: so.Method, At: so.At.UTC().Truncate(time.Second)}
	b, err := json.Marshal(by)
	if err == nil {
		err = s.manager.RenewToken(ctx)
	}
	if err == nil {
		s.manager.Put(ctx, so.EnvironmentID, b)
	}
	return by, err
}

// End forgets who has signed on in an environment.
func (s *Sessions) End(ctx context.Context, env string) error {
	if err := s.manager.RenewToken(ctx); err != nil {
		return err
	}
	s.manager.Remove(ctx, env)
	return nil
}
