package hub

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloudlink/wire"
)

// quarantine keeps an instance out, and everyone who has its key, until it is
// paired anew: nobody can tell which of two is the right one.
func (h *Hub) quarantine(ctx context.Context, i store.Instance, why string) {
	h.Logger.Error("an instance is put in quarantine", "instance", i.ID, "because", why)
	if err := h.Store.QuarantineInstance(ctx, i.ID, why, time.Now()); err != nil {
		h.Logger.Error("an instance could not be put in quarantine", "instance", i.ID, "error", err)
		// Without the mark in the store the instance could come back at once, so the
		// link is left alone.
		return
	}
	h.Revoked(i.ID)
	text := "Instance " + i.Hostname + " was put in quarantine: " + why + ". Pair it anew."
	h.tell(ctx, i, "instance.quarantined", text, map[string]any{"reason": why})
}

// databaseWentBack tells that the database lacks links of an instance: it is of a time
// before them. No instance is at fault.
func (h *Hub) databaseWentBack(ctx context.Context, i store.Instance, missing uint64) {
	h.Logger.Warn("the database went back in time: it lacks links that this instance had."+
		" What was revoked or changed meanwhile is as it was before", "instance", i.ID, "links", missing)
	text := fmt.Sprintf("The database lacks %d links that instance %s had: an older copy of it was put back."+
		" What was revoked or changed since that copy is as it was before. Look through it.", missing, i.Hostname)
	h.tell(ctx, i, "database.wentBack", text, map[string]any{"links": missing})
}

// quarantineLive puts an instance in quarantine of which only the ID is at hand.
func (h *Hub) quarantineLive(ctx context.Context, instance, why string) {
	i, err := h.Store.Instance(ctx, instance)
	if err != nil {
		h.Logger.Error("an instance could not be put in quarantine", "instance", instance, "error", err)
		return
	}
	h.quarantine(ctx, i, why)
}

// tell records what happened to an instance.
// An activity that is not kept is logged and no more: what happened has happened.
func (h *Hub) tell(ctx context.Context, i store.Instance, action, text string, detail map[string]any) {
	err := h.Store.AddActivity(ctx, store.Activity{
		EnvironmentID: i.EnvironmentID,
		At:            time.Now(),
		Action:        action,
		Actor:         "instance:" + i.ID,
		Subject:       "instance:" + i.ID,
		Text:          text,
		Detail:        detail,
	})
	if err != nil {
		h.Logger.Error("an activity was not recorded", "action", action, "error", err)
	}
}

// rotatesPerHour is how often an instance may change its keys; it does so every 30 days,
// or when somebody asks it to.
const rotatesPerHour = 10

var errRotates = errors.New("it changes its keys too often")

// rotate replaces the instance's keys by those that it asks for.
// An error ends the link.
func (l *link) rotate(ctx context.Context, f wire.Frame) error {
	if l.hub.rotates.Begin(time.Now(), throttle.Limit{Key: l.live.Instance, Most: rotatesPerHour}) > 0 {
		return errRotates
	}
	var r wire.Rotate
	if err := f.Decode(&r); err != nil {
		return err
	}
	i, err := l.hub.Store.Instance(ctx, l.live.Instance)
	if err != nil {
		return err
	}
	// It is signed by the old key and by the new: who has only the link cannot put keys
	// of their own in.
	if err := r.Check(i.ID, i.PublicKey); err != nil {
		return err
	}
	fingerprint := wire.Fingerprint(r.PublicKey, r.SealKey)
	if err := l.hub.Store.RotateKeys(ctx, i.ID, r.PublicKey, r.SealKey, fingerprint); err != nil {
		return err
	}
	text := "Instance " + i.Hostname + " changed its keys: the fingerprint is " + fingerprint + " now"
	l.hub.tell(ctx, i, "instance.rotated", text, map[string]any{"before": i.Fingerprint, "after": fingerprint})
	answer, err := wire.NewFrame(wire.KindRotated, f.ID, 0, wire.Rotated{Fingerprint: fingerprint})
	if err != nil {
		return err
	}
	return l.queue(outgoing{frame: answer})
}

// rotateSoon tells the agent that it should change its keys.
func (l *link) rotateSoon() {
	f, err := wire.NewFrame(wire.KindRotateSoon, 0, 0, nil)
	if err != nil {
		return // it has no body: cannot be
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.queue(outgoing{frame: f}) // a link that takes no more is about to end
}
