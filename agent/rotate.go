package agent

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"slices"
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
	switch others := i.others(paired); {
	case len(others) > 0 && refusedKeys(link):
		i.Logger.Info("the cloud does not take these keys, trying another pair")
		err = i.turn(paired, others)
	case link.State().Connected && (due || i.State.RotationWished()):
		err = i.rotate(ctx, link, paired)
	}
	if err != nil && ctx.Err() == nil {
		i.Logger.Warn("the keys were not changed, trying again", "error", err)
	}
}

// mostRetired is how many pairs are kept from which the instance has changed.
const mostRetired = 4

// others returns the pairs beside the instance's. When the program ended between two
// writes its own may be among those that are kept.
func (i *Instance) others(paired state.Instance) []state.OtherKeys {
	return slices.DeleteFunc(i.State.OtherKeys(paired.ID), func(k state.OtherKeys) bool {
		return bytes.Equal(k.Signing(), paired.Keys.Signing())
	})
}

// turn makes the first of the other pairs the instance's, and its own the last of them.
// Each is in one of the two files at every moment.
func (i *Instance) turn(paired state.Instance, others []state.OtherKeys) error {
	// What is to come, or is the newest, is that still when its turn comes again.
	mine := state.OtherKeys{Keys: paired.Keys, Before: slices.ContainsFunc(others, newest)}
	all := append(others, mine)
	if err := i.State.SaveOtherKeys(paired.ID, all); err != nil {
		return err
	}
	if err := i.become(paired, all[0].Keys); err != nil {
		return err
	}
	return i.State.SaveOtherKeys(paired.ID, all[1:])
}

// newest tells whether a pair is that of no change that is done.
func newest(k state.OtherKeys) bool { return !k.Before }

// refusedKeys tells whether the cloud says that the instance is not proven.
func refusedKeys(link *cloudlink.Link) bool {
	s := link.State()
	var refusal *wire.Refusal
	return !s.Connected && errors.As(s.LastError, &refusal) && refusal.Code == wire.RefusedAssertion
}

// rotate makes new keys, keeps them, has the cloud take them, and becomes them.
// Wherever it is interrupted, one of the pairs that are kept is good; afterwards those
// before stay, for a cloud whose database goes back.
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
	return i.changed(paired, keys)
}

// changed makes the pair that the cloud has taken the instance's, and keeps those before.
func (i *Instance) changed(paired state.Instance, keys state.Keys) error {
	before := append([]state.OtherKeys{{Keys: paired.Keys, Before: true}}, i.retired(paired)...)
	if err := i.become(paired, keys); err != nil {
		return err // the new pair is among the others, and is tried when the cloud refuses this one
	}
	before = before[:min(len(before), mostRetired)]
	return errors.Join(i.State.SaveOtherKeys(paired.ID, before), i.State.DropWish())
}

// retired returns the pairs from which the instance has changed, the last first.
func (i *Instance) retired(paired state.Instance) []state.OtherKeys {
	return slices.DeleteFunc(i.others(paired), newest)
}

// nextKeys returns the pair that a change under way is to, or begins one: they are kept
// before the cloud hears of them.
func (i *Instance) nextKeys(paired state.Instance) (state.Keys, error) {
	others := i.others(paired)
	if at := slices.IndexFunc(others, newest); at >= 0 {
		return others[at].Keys, nil
	}
	keys, err := state.NewKeys()
	if err != nil {
		return state.Keys{}, err
	}
	return keys, i.State.SaveOtherKeys(paired.ID, append([]state.OtherKeys{{Keys: keys}}, i.retired(paired)...))
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
