package signonpage

import (
	"context"
	"net/http"
	"time"

	"ldap-gateway/cloud/store"
)

// halfLife is how long somebody who has given the first proof may take for the second, and how long
// a proof is fresh enough to change what the person proves themselves by.
const halfLife = 10 * time.Minute

// keepHalf keeps who has given the first proof and is asked for a second one, under a new token. They
// are signed on by nothing of it: [Sessions.Person] does not look there. Whoever else was signed on in
// this browser is so no more.
func (s *Sessions) keepHalf(r *http.Request, u store.User, by store.SignedOn, until time.Time, purpose string) error {
	ctx, env := r.Context(), u.EnvironmentID
	s.dropHalf(ctx, env)
	if has := s.kept(ctx, env); has.UserID != "" && has.UserID != by.UserID {
		if err := s.forget(ctx, env); err != nil {
			return err
		}
	}
	by.SignOffs = u.SignOffs
	first := kept{SignedOn: by, Until: until, Began: s.now(), For: purpose}
	return s.put(ctx, halfKey(env), first)
}

// half returns who has given the first proof a moment ago, and may still sign on.
func (s *Sessions) half(ctx context.Context, env string) (has kept, u store.User, ok bool) {
	has = s.kept(ctx, halfKey(env))
	if has.UserID == "" || s.now().Sub(has.Began) >= halfLife {
		return has, u, false
	}
	u, ok = s.good(ctx, env, has)
	return has, u, ok
}

// late tells whether somebody has given the first proof here, and let the time for the second go by. It is told
// once.
func (s *Sessions) late(ctx context.Context, env string) bool {
	has := s.kept(ctx, halfKey(env))
	late := has.UserID != "" && s.now().Sub(has.Began) >= halfLife
	if late {
		s.dropHalf(ctx, env)
	}
	return late
}

// dropHalf forgets who was asked for a second factor, and what for.
func (s *Sessions) dropHalf(ctx context.Context, env string) {
	for _, key := range []string{halfKey(env), oneTimeKey(env), passkeyKey(env), newPasskeyKey(env), codesKey(env)} {
		s.manager.Remove(ctx, key)
	}
}

// fresh tells whether something was done a moment ago.
func (s *Sessions) fresh(at time.Time) bool { return s.now().Sub(at) < halfLife }

// now is the time of day, which tests set.
func (s *Sessions) now() time.Time {
	if s.clock != nil {
		return s.clock()
	}
	return time.Now()
}

func halfKey(env string) string { return "half " + env }

// What a browser is asked at this moment: a secret that is not kept yet, a passkey, a new passkey, and whether
// the person has recovery codes.
func oneTimeKey(env string) string    { return "one-time " + env }
func passkeyKey(env string) string    { return "passkey " + env }
func newPasskeyKey(env string) string { return "new passkey " + env }
func codesKey(env string) string      { return "codes " + env }

// changedKey is of whether the person has just changed their password, and was not told yet.
func changedKey(env string) string { return "password changed " + env }
