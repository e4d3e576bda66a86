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
	Until    time.Time // that it lasts at most; zero: as long as any
	ID       string    // of the store's record of it; empty: it began before there were any
	Began    time.Time
	FactorAt time.Time // when a factor of ours was proven last; zero: none was
	For      string    // what the first proof was given for, as of [call.purpose]
}

// Person returns who has signed on in an environment; false when nobody has, or
// the user may not sign on any more, or was signed off everywhere since, or the identity
// provider that it was through is disabled. Whether that will do for what they came for is another
// question, which is asked each time anew: see [applications.Meets].
func (s *Sessions) Person(ctx context.Context, env string) (by store.SignedOn, ok bool) {
	by, _, ok = s.person(ctx, env)
	return by, ok
}

// AtOnce implements [applications.Sessions].
func (s *Sessions) AtOnce(
	ctx context.Context, env string, f applications.Flow, now time.Time,
) (by store.SignedOn, ok bool) {
	if f.Choose || f.Consent {
		return by, false
	}
	by, u, ok := s.person(ctx, env)
	return by, ok && goodEnough(f, by, now) && !doubtful(f, u)
}

// person is Person with the user.
func (s *Sessions) person(ctx context.Context, env string) (by store.SignedOn, u store.User, ok bool) {
	has := s.kept(ctx, env)
	if u, ok = s.good(ctx, env, has); !ok {
		return by, u, false
	}
	if has.ID != "" {
		if here, err := s.store.HasPersonSession(ctx, env, has.ID); err != nil || !here {
			return by, u, false
		}
	}
	return has.SignedOn, u, true
}

// kept returns what the session has under a key; nobody when that is nothing.
func (s *Sessions) kept(ctx context.Context, key string) (has kept) {
	if json.Unmarshal(s.manager.GetBytes(ctx, key), &has) != nil {
		return kept{}
	}
	return has
}

// good returns the user of what the session has, if it may still be built upon. A store that cannot
// be asked is no, too: the page asks for the sign-on again.
func (s *Sessions) good(ctx context.Context, env string, has kept) (u store.User, ok bool) {
	if has.UserID == "" || !has.Until.IsZero() && !time.Now().Before(has.Until) {
		return u, false
	}
	u, err := s.store.SignedOnPerson(ctx, env, has.SignedOn)
	return u, err == nil && u.SignOffs == has.SignOffs
}

// id returns the ID of the session in an environment; empty when nobody has signed on.
func (s *Sessions) id(ctx context.Context, env string) string { return s.kept(ctx, env).ID }

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

// signedOn is who has signed on by a sign-on.
func signedOn(so store.SignOn) store.SignedOn {
	return store.SignedOn{
		UserID:     so.UserID,
		SignOnID:   so.ID,
		Method:     so.Method,
		ProviderID: so.ProviderID,
		At:         so.At.UTC().Truncate(time.Second),
	}
}

// keep keeps who has signed on, until when that is good and what it was for, under a new token: one that was
// there before, whoever planted it, is worth nothing.
// One cookie holds the sessions of several environments, each under its ID.
func (s *Sessions) keep(r *http.Request, u store.User, has kept) error {
	if !u.MaySignOn() {
		return nil // they were told to stay out as they came in: the page asks them again
	}
	ctx, env := r.Context(), u.EnvironmentID
	record := store.PersonSession{
		EnvironmentID: env,
		SignedOn:      has.SignedOn,
		SignOffs:      u.SignOffs,
		Address:       web.Address(r),
		Browser:       browserOf(r.UserAgent()),
		ExpiresAt:     time.Now().Add(s.manager.Lifetime),
	}
	if err := s.store.AddPersonSession(ctx, &record, s.id(ctx, env)); err != nil {
		return err
	}
	has.SignOffs, has.ID, has.Began = u.SignOffs, record.ID, s.now()
	if err := s.put(ctx, env, has); err != nil {
		return err
	}
	s.dropHalf(ctx, env)
	s.manager.Remove(ctx, offKey(env))
	return nil
}

// put keeps something under a key and a new token.
func (s *Sessions) put(ctx context.Context, key string, has kept) error {
	b, err := json.Marshal(has)
	if err == nil {
		err = s.manager.RenewToken(ctx)
	}
	if err == nil {
		s.manager.Put(ctx, key, b)
	}
	return err
}

// End forgets who has signed on in an environment, and remembers that somebody had: a
// browser in which nobody had is given nothing to keep.
// Those of other environments go on under the new token.
func (s *Sessions) End(ctx context.Context, env string) error {
	s.dropHalf(ctx, env)
	if !s.manager.Exists(ctx, env) {
		return nil
	}
	if err := s.forget(ctx, env); err != nil {
		return err
	}
	if err := s.manager.RenewToken(ctx); err != nil {
		return err
	}
	s.manager.Put(ctx, offKey(env), true)
	return nil
}

// forget ends what the session has of who has signed on.
func (s *Sessions) forget(ctx context.Context, env string) error {
	if has := s.kept(ctx, env); has.ID != "" {
		err := s.store.EndPersonSession(ctx, env, has.UserID, has.ID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	s.manager.Remove(ctx, env)
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
