package state

import "crypto/rand"

const policyKeyFile = "policy.json"

const policyKeySize = 32

// storedPolicyKey is what a policy's hash is keyed with.
type storedPolicyKey struct {
	Key atRest `json:"key"`
}

// PolicyKey returns what the hash of the policy is keyed with, so that nobody who is told
// the hash can guess what the policy keeps back. It is made when there is none that is any good. Together
// with an error it is good for this run of the program alone.
func (f Folder) PolicyKey() ([]byte, error) {
	var kept storedPolicyKey
	if err := f.readJSON(policyKeyFile, &kept); err == nil && len(kept.Key) == policyKeySize {
		return kept.Key, nil
	}
	key := make([]byte, policyKeySize)
	rand.Read(key)                                               // never fails: crypto/rand ends the program instead
	return key, f.writeJSON(policyKeyFile, storedPolicyKey{key}) // also in the place of one that others may read
}
