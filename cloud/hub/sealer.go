package hub

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"ldap-gateway/cloudlink/wire"
)

// sealerLife is how long one sealing key is used.
const sealerLife = time.Hour

// errOtherKey says that a link is announced with another key than its instance
// was paired with: it has just changed its keys and dials anew, or somebody on the
// bus lies.
var errOtherKey = errors.New("the link is announced with another key than the instance has")

// sealers keeps a sealer for each instance.
// One is kept for an hour, since to make one costs an agreement of keys, and a sign-on
// should not.
type sealers struct {
	mu   sync.Mutex
	byID map[string]timedSealer
}

// timedSealer is a sealer with the key that it seals for, and until when it is used.
type timedSealer struct {
	*wire.Sealer
	until  time.Time
	public []byte // of the instance; it may rotate
}

// sealer returns what seals for a link's instance. The key that the bus names has
// to be the one that the store has: who can write to the bus alone gets no
// password sealed for a key of their own.
// The store is asked once an hour for each instance and after each change of keys.
func (h *Hub) sealer(ctx context.Context, l Live) (*wire.Sealer, error) {
	if have := h.sealers.known(l, time.Now()); have != nil {
		return have, nil
	}
	i, err := h.Store.Instance(ctx, l.Instance)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(i.SealKey, l.SealKey) {
		h.presence.expect(l.Gateway, time.Now())
		return nil, errOtherKey
	}
	return h.sealers.fresh(l, time.Now())
}

// known returns the sealer for a link's key; nil when there is none that is young
// enough.
func (s *sealers) known(l Live, now time.Time) *wire.Sealer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if have, ok := s.byID[l.Instance]; ok && now.Before(have.until) && bytes.Equal(have.public, l.SealKey) {
		return have.Sealer
	}
	return nil
}

// fresh makes the sealer for a link's key.
func (s *sealers) fresh(l Live, now time.Time) (*wire.Sealer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	made, err := wire.NewSealer(l.Instance, l.SealKey)
	if err != nil {
		return nil, err
	}
	if s.byID == nil {
		s.byID = map[string]timedSealer{}
	}
	s.byID[l.Instance] = timedSealer{made, now.Add(sealerLife), l.SealKey}
	return made, nil
}
