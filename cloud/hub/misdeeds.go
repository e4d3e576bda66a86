package hub

import (
	"context"
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
