package signonpage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/web"
)

var _ applications.Sessions = (*Sessions)(nil)

// Wrap gives the requests of a handler their session, in their context.
func (s *Sessions) Wrap(h http.Handler) http.Handler { return s.manager.LoadAndSave(h) }

// kept is what a session has of who has signed on.
type kept struct {
	store.SignedOn
	SignOffs int       // of the user when the session began
	Until    time.Time // that it lasts at most; zero: as long as any
	ID       string    // of the store's record of it; empty: it began before there were any
}

// Person returns who has signed on in an environment; false when nobody has, or
// the user may not sign on any more, or was signed off everywhere since, or the identity
// provider that it was through is disabled.
func (s *Sessions) Person(ctx context.Context, env string) (by store.SignedOn, ok bool) {
	// A store that cannot be asked is nobody, too: the page asks for the sign-on again.
	b := s.manager.GetBytes(ctx, env)
	var has kept
	if b == nil || json.Unmarshal(b, &has) != nil {
		return store.SignedOn{}, false
	}
	u, err := s.store.SignedOnUser(ctx, env, has.SignedOn)
	over := !has.Until.IsZero() && !time.Now().Before(has.Until)
	if err != nil || over || u.SignOffs != has.SignOffs {
		return store.SignedOn{}, false
	}
	if has.ID != "" {
		if here, err := s.store.HasPersonSession(ctx, env, has.ID); err != nil || !here {
			return store.SignedOn{}, false
		}
	}
	return has.SignedOn, true
}

// id returns the ID of the session in an environment; empty when nobody has signed on.
func (s *Sessions) id(ctx context.Context, env string) string {
	var has kept
	if json.Unmarshal(s.manager.GetBytes(ctx, env), &has) != nil {
		return ""
	}
	return has.ID
}

// PersonOf is Person for a request that Wrap has not seen.
// It reads and never writes, so that it does not make the session last longer.
func (s *Sessions) PersonOf(r *http.Request, env string) (by store.SignedOn, ok bool, err error) {
	cookie, err := r.Cookie(s.manager.Cookie.Name)
	if err != nil {
		return by, false, nil // the only error is that there is none
	}
	ctx, err := s.manager.Load(web.Bare(r.Context()), cookie.Value)
	if err != nil {
		return by, false, err
	}
	by, ok = s.Person(ctx, env)
	return by, ok, nil
}

// begin keeps who has signed on, under a new token: one that was there before,
// whoever planted it, is worth nothing.
func (s *Sessions) begin(r *http.Request, so store.SignOn) (store.SignedOn, error) {
	by := store.SignedOn{
		UserID:     so.UserID,
		SignOnID:   so.ID,
		Method:     so.Method,
		ProviderID: so.ProviderID,
		At:         so.At.UTC().Truncate(time.Second),
	}
	return by, s.keep(r, so.EnvironmentID, by, time.Time{})
}

// keep is begin for who proved it elsewhere, and until when that is good.
// One cookie holds the sessions of several environments, each under its ID.
func (s *Sessions) keep(r *http.Request, env string, by store.SignedOn, until time.Time) error {
	ctx := r.Context()
	u, err := s.store.User(ctx, env, by.UserID)
	if err != nil {
		return err
	}
	record := store.PersonSession{
		EnvironmentID: env,
		SignedOn:      by,
		SignOffs:      u.SignOffs,
		Address:       web.Address(r),
		Browser:       browserOf(r.UserAgent()),
		ExpiresAt:     time.Now().Add(s.manager.Lifetime),
	}
	if err := s.store.AddPersonSession(ctx, &record, s.id(ctx, env)); err != nil {
		return err
	}
	b, err := json.Marshal(kept{by, u.SignOffs, until, record.ID})
	if err == nil {
		err = s.manager.RenewToken(ctx)
	}
	if err == nil {
		s.manager.Put(ctx, env, b)
		s.manager.Remove(ctx, offKey(env))
	}
	return err
}

// End forgets who has signed on in an environment, and remembers that somebody had: a
// browser in which nobody had is given nothing to keep.
// Those of other environments go on under the new token.
func (s *Sessions) End(ctx context.Context, env string) error {
	if !s.manager.Exists(ctx, env) {
		return nil
	}
	var has kept
	if json.Unmarshal(s.manager.GetBytes(ctx, env), &has) == nil && has.ID != "" {
		err := s.store.EndPersonSession(ctx, env, has.UserID, has.ID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	if err := s.manager.RenewToken(ctx); err != nil {
		return err
	}
	s.manager.Remove(ctx, env)
	s.manager.Put(ctx, offKey(env), true)
	return nil
}

// SignedOff tells whether the last thing that happened in an environment was a sign-off:
// whoever signed off is not to be signed on again without a word.
func (s *Sessions) SignedOff(ctx context.Context, env string) bool {
	return s.manager.Exists(ctx, offKey(env))
}

// ask remembers that a person was asked whether to go on; of several windows the last.
func (s *Sessions) ask(ctx context.Context, env, flow string, by store.SignedOn) {
	s.manager.Put(ctx, askKey(env), question(flow, by))
}

// asked tells whether that was the question.
func (s *Sessions) asked(ctx context.Context, env, flow string, by store.SignedOn) bool {
	return s.manager.GetString(ctx, askKey(env)) == question(flow, by)
}

// question is short, whatever the application's wish has in it.
func question(flow string, by store.SignedOn) string {
	sum := sha256.Sum256([]byte(flow + " " + by.SignOnID))
	return hex.EncodeToString(sum[:])
}

func askKey(env string) string { return "asked " + env }

func offKey(env string) string { return "off " + env }
