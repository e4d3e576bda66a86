package hub

import (
	"context"
	"errors"
	"ldap-gateway/cloudlink/wire"
	"time"
)

// misdeedEvery is how often it is kept of one instance that it says what none says: each
// time is a write, and an alert needs the last alone.
const (
	misdeedEvery = 10 * time.Minute
	misdeedTime  = 5 * time.Second // that the write may take
)

// misdeed keeps that an instance said something that none of ours says, in words of ours:
// its administrators are told by an alert that names it.
func (h *Hub) misdeed(ctx context.Context, instance, what string) {
	now := time.Now()
	h.mu.Lock()
	last, before := h.misdeeds[instance]
	told := before && now.Sub(last) < misdeedEvery
	if !told {
		h.misdeeds[instance] = now
	}
	h.mu.Unlock()
	if told {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), misdeedTime)
	defer cancel()
	if err := h.Store.NoteBadAnswer(ctx, instance, what, now); err != nil {
		h.Logger.Warn("what an instance said is not kept for an alert", "instance", instance, "said", what, "error", err)
	}
}

// suspect keeps why a link ends when nothing of ours would have ended it so.
func (l *link) suspect(ctx context.Context, err error) {
	switch {
	case errors.Is(err, wire.ErrFrame):
		l.hub.misdeed(ctx, l.live.Instance, "it sent what is no message")
	case errors.Is(err, errTalks), errors.Is(err, errRotates):
		l.hub.misdeed(ctx, l.live.Instance, err.Error())
	}
}
