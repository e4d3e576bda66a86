package idp

import (
	"encoding/json"

	"ldap-gateway/cloud/evidence"
)

// refusedMark is what the key of an answer begins with that was refused.
const refusedMark = "refused."

// refusal is why an answer was refused that came without the browser's cookie. The
// browser brings it along, sealed: nothing is kept for what proves nothing.
// Nothing that a provider said is in it but the kind.
type refusal struct {
	ID, Provider, Request string
	Kind                  evidence.Kind
}

// refusedKey makes a refusal what the browser comes back with.
func (d *Desk) refusedKey(env, request string, r *Refused) (key string, err error) {
	b, err := json.Marshal(refusal{r.ID, r.Provider, request, r.Kind})
	if err != nil {
		return "", err
	}
	return refusedMark + d.Vault.SealText(purposeRefusal, env, b), nil
}

// arriveRefused is the refusal for the browser that comes back, with what it had begun
// the sign-on for. It was noted when the answer came.
// Another browser that has the address is told the ID alone.
func (d *Desk) arriveRefused(env, key string, cookies []string) error {
	var from refusal
	plain, err := d.Vault.OpenText(purposeRefusal, env, key)
	if err != nil || json.Unmarshal(plain, &from) != nil {
		return d.refused(journey{}, evidence.Refuse(evidence.WrongRequest, "nothing waits under this key"))
	}
	j, err := d.ownJourney(env, arrival{Provider: from.Provider, Request: from.Request}, cookies)
	if err != nil {
		j = journey{Provider: from.Provider} // another browser's: it is told no more
	}
	r := d.refused(j, evidence.Refuse(from.Kind, "the answer was refused"))
	r.ID = from.ID
	return r
}
