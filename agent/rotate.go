package agent

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"time"

	"ldap-gateway/agent/state"
	"ldap-gateway/cloudlink"
	"ldap-gateway/cloudlink/wire"
)

// rotateIfDue changes the instance's keys when they are old enough or somebody
// asked for it, and tries the other pair when the cloud no longer takes this one.
func (i *Instance) rotateIfDue(ctx context.Context, link *cloudlink.Link, paired state.Instance) {
	after := i.now.file.Cloud.RotateKeys
	due := after > 0 && time.Since(paired.KeysSince) > after
	var err error
	switch other, ok := i.State.OtherKeys(paired.ID); {
	case ok && refusedKeys(link):
		i.Logger.Info("the cloud does not take these keys, trying the other pair")
		// What was before this pair is before it still when it comes back.
		mine := state.OtherKeys{Keys: paired.Keys, Before: !other.Before}
		err = errors.Join(i.State.SaveOtherKeys(paired.ID, mine), i.become(paired, other.Keys))
	case link.State().Connected && (due || i.State.RotationWished()):
		err = i.rotate(ctx, link, paired)
	}
	if err != nil && ctx.Err() == nil {
		i.Logger.Warn("the keys were not changed, trying again", "error", err)
	}
}

// refusedKeys tells whether the cloud says that the instance is not proven.
func refusedKeys(link *cloudlink.Link) bool {
	s := link.State()
	var refusal *wire.Refusal
	return !s.Connected && errors.As(s.LastError, &refusal) && refusal.Code == wire.RefusedAssertion
}

// rotate makes new keys, keeps them, has the cloud take them, and becomes them.
// Wherever it is interrupted, one of the two pairs that are kept is good; afterwards the
// pair before stays, for a cloud whose database goes back.
func (i *Instance) rotate(ctx context.Context, link *cloudlink.Link, paired state.Instance) error {
	keys, err := i.nextKeys(paired)
	if err != nil {
		return err
	}
	public, seal, err := keys.Public()
	if err != nil {
		return err
	}
	proof := wire.RotateProof(paired.ID, public, seal)
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := link.Rotate(ctx, wire.Rotate{
		PublicKey: public,
		SealKey:   seal,
		Old:       ed25519.Sign(paired.Keys.Signing(), proof),
		New:       ed25519.Sign(keys.Signing(), proof),
	}); err != nil {
		return err
	}
	before := state.OtherKeys{Keys: paired.Keys, Before: true}
	return errors.Join(i.become(paired, keys), i.State.SaveOtherKeys(paired.ID, before), i.State.DropWish())
}

// nextKeys returns the pair that a change under way is to, or begins one: they are kept
// before the cloud hears of them.
func (i *Instance) nextKeys(paired state.Instance) (state.Keys, error) {
	other, ok := i.State.OtherKeys(paired.ID)
	// When the program ended in the midst of a change the pair may be that of the instance.
	if ok && !other.Before && !bytes.Equal(other.Signing(), paired.Keys.Signing()) {
		return other.Keys, nil
	}
	keys, err := state.NewKeys()
	if err != nil {
		return state.Keys{}, err
	}
	return keys, i.State.SaveOtherKeys(paired.ID, state.OtherKeys{Keys: keys})
}

// become makes keys those of the instance.
func (i *Instance) become(paired state.Instance, keys state.Keys) error {
	public, seal, err := keys.Public()
	if err != nil {
		return err
	}
	paired.Keys, paired.KeysSince, paired.Fingerprint = keys, time.Now().UTC(), wire.Fingerprint(public, seal)
	return i.State.SaveInstance(paired)
}
