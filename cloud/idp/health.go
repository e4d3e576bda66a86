package idp

import (
	"slices"
	"time"

	"ldap-gateway/cloud/evidence"
	"ldap-gateway/cloud/store"
)

// How seldom a provider's health is written for what repeats itself.
const (
	seldom   = time.Hour
	refusing = 10 * time.Second
)

// mostRefusals is how many refusals a provider's health remembers.
const mostRefusals = 3

// seen notes what a sign-on that succeeded says of its provider.
// A sign-on that succeeded proves the keys that are known, and not that the groups
// came.
func seen(h *store.ProviderHealth, v visit, list evidence.List, mapped bool) {
	h.Names = v.evidence.Names()
	h.CertificateID = v.evidence.Key
	h.SkewSeconds = 0
	h.Refusals = slices.DeleteFunc(h.Refusals, ofKeys) // its keys are still those that are known
	if off := v.evidence.Skew; off.Abs() > store.MuchSkew {
		h.SkewSeconds = int(off.Round(10 * time.Second).Seconds())
	}
	switch {
	case mapped && list.Absent:
		h.Absent = min(h.Absent+1, store.ManyAbsent)
	default:
		h.Absent = 0
	}
	if h.InfoFailed++; !v.evidence.Failed {
		h.InfoFailed = 0
	}
	h.InfoFailed = min(h.InfoFailed, store.ManyAbsent)
	if list.Cut && v.begun.Sub(h.CutAt) > seldom {
		h.CutAt = v.begun
	}
}

// ofKeys tells whether an answer was refused for its signature. Anybody can send such a
// one, so they say something of a provider only while it signs nobody on.
func ofKeys(r store.ProviderRefusal) bool {
	kind := evidence.Kind(r.Kind)
	return kind == evidence.UnknownKey || kind == evidence.Signature
}

// Remedy says what an administrator does about a kind of refusals; empty when there is
// no such kind.
func Remedy(kind string) string { return evidence.Refuse(evidence.Kind(kind), "").Remedy() }

// refusedOnce notes a refusal, those in a row not each.
// What a stranger can send at will must not be written at will.
func refusedOnce(h *store.ProviderHealth, id string, kind evidence.Kind, now time.Time) {
	if n := len(h.Refusals); n > 0 && now.Sub(h.Refusals[n-1].At) < refusing {
		return
	}
	h.Refusals = append(h.Refusals, store.ProviderRefusal{At: now.UTC(), ID: id, Kind: string(kind)})
	h.Refusals = h.Refusals[max(0, len(h.Refusals)-mostRefusals):]
}
