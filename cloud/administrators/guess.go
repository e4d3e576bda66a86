package administrators

import (
	"context"
	"time"

	"ldap-gateway/cloud/store"
)

// Proof is what of an account can be guessed.
type Proof string

// What can be guessed.
const (
	Password Proof = "password"
	OneTime  Proof = "one-time password"
	Recovery Proof = "recovery code"
	Passkey  Proof = "passkey" // of a user, whose tries are bounded for what each of them writes
)

// Proofs is all that can be guessed.
func Proofs() []Proof { return []Proof{Password, OneTime, Recovery, Passkey} }

// Guess is one try of an account's proof.
type Guess struct {
	Proof   Proof
	Account string // ID
	Known   bool   // the account was signed in by this browser before
}

// tries are how often a proof of an account may be tried by all strangers together, over
// all nodes, wherever they are. One-time passwords have six digits: 240 tries a day find
// one in a thousand days, and the password comes before. Browsers by which the account
// was signed in before have their own, all of them together: what strangers try does not keep
// them out, and who signs in again and again has no more tries by that.
func (g Guess) tries() store.Tries {
	t := store.Tries{Most: 50, Window: 10 * time.Minute}
	by := "strangers"
	if g.Known {
		t.Most, by = 10, "known browsers"
	}
	if g.Proof == OneTime {
		t = store.Tries{Most: 10, Window: time.Hour}
	}
	t.Key = "console/" + string(g.Proof) + "/" + g.Account + "/" + by
	return t
}

// BeginGuess counts a try before it is made, or returns how long to wait.
func (d *Authenticator) BeginGuess(ctx context.Context, g Guess, now time.Time) (wait time.Duration, err error) {
	return d.Store.BeginTry(ctx, g.tries(), now)
}

// UndoGuess takes back one try that was counted at a time, and in which nothing was checked.
func (d *Authenticator) UndoGuess(ctx context.Context, g Guess, begun time.Time) error {
	return d.Store.UndoTry(ctx, g.tries(), begun)
}

// GuessedRight takes back what was counted, as after a proof that was right.
func (d *Authenticator) GuessedRight(ctx context.Context, g Guess) error {
	return d.Store.ForgetTries(ctx, g.tries().Key)
}

// ForgetGuesses takes back every try of an account: of each proof, by strangers and by known
// browsers.
func (d *Authenticator) ForgetGuesses(ctx context.Context, account string) error {
	var keys []string
	for _, proof := range Proofs() {
		for _, known := range []bool{false, true} {
			keys = append(keys, Guess{Proof: proof, Account: account, Known: known}.tries().Key)
		}
	}
	return d.Store.ForgetTries(ctx, keys...)
}
