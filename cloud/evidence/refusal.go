package evidence

import (
	"fmt"
	"maps"
	"slices"
)

// Kind is why an answer is not taken. It is a code, for logs and programs.
type Kind string

// The kinds of refusals.
const (
	Cancelled     Kind = "cancelled"      // the person gave up
	NeedsPerson   Kind = "needs_person"   // the provider wants to show a page, and must not
	Unavailable   Kind = "unavailable"    // the provider, or an address of it, does not answer
	ProviderError Kind = "provider_error" // the provider says that something is wrong
	Shape         Kind = "shape"          // not of the one shape that is taken
	Unsigned      Kind = "unsigned"       // nothing proves where it comes from
	Signature     Kind = "signature"      // it is not proven
	UnknownKey    Kind = "unknown_key"    // by a key that the provider is not known to have
	ExpiredKey    Kind = "expired_key"    // by a certificate that is not valid now
	WeakAlgorithm Kind = "weak_algorithm" // by an algorithm that proves nothing any more
	Undecryptable Kind = "undecryptable"  // it is encrypted in another way or for somebody else
	Malleable     Kind = "malleable"      // it is encrypted in a way that hides changes, and nothing around it is signed
	WrongIssuer   Kind = "wrong_issuer"   // it is of another provider
	WrongAudience Kind = "wrong_audience" // it is for another application
	WrongPlace    Kind = "wrong_place"    // it was to be delivered elsewhere
	WrongRequest  Kind = "wrong_request"  // it answers another request, or none
	TooEarly      Kind = "too_early"      // its time has not come: a clock is wrong
	TooLate       Kind = "too_late"       // its time is over
	Replayed      Kind = "replayed"       // it was taken before
	OldProof      Kind = "old_proof"      // the person proved it longer ago than the application takes
	NoSubject     Kind = "no_subject"     // it does not say who
	BadSubject    Kind = "bad_subject"    // who it says may be taken for another
	BadClaim      Kind = "bad_claim"      // a claim that counts is missing, or not of its type
	Unstable      Kind = "unstable"       // who it says is another one each time
	Condition     Kind = "condition"      // it is good under a condition that nobody here knows
)

// remedies says what an administrator does about a kind.
var remedies = map[Kind]string{
	Cancelled:     "nothing: they may try again",
	NeedsPerson:   "nothing: the application asked that no page be shown",
	Unavailable:   "see whether the provider runs and can be reached from here: Check on its page tells",
	ProviderError: "look at the provider's log for this time",
	Shape:         "this is not what the provider sends by itself: if it happens again, somebody tries to forge answers",
	Unsigned:      "have the provider sign the assertion or the response",
	Signature:     "somebody altered the answer on its way, or the provider signs with another key than it says",
	UnknownKey:    "read the provider's certificates or keys anew: it may have changed them",
	ExpiredKey:    "the provider's certificate has ended: add its new one",
	WeakAlgorithm: "set RSA or ECDSA with SHA-256 at the provider",
	Undecryptable: "set AES-256-GCM and RSA-OAEP at the provider, and our present certificate",
	Malleable:     "have the provider sign the response, around what is encrypted, or encrypt by AES-256-GCM",
	WrongIssuer:   "state the issuer or entity ID exactly as the provider spells it",
	WrongAudience: "state our client ID or entity ID at the provider exactly as its page here shows it",
	WrongPlace:    "state our address for answers at the provider exactly as its page here shows it",
	WrongRequest:  "the person took too long, or began elsewhere: they begin again here",
	TooEarly:      "compare the clocks of the provider and of this machine",
	TooLate:       "compare the clocks of the provider and of this machine",
	Replayed:      "the person reloaded the page, or somebody tries an answer again",
	OldProof:      "the provider did not ask the person anew although it was asked to",
	NoSubject:     "have the provider send a subject, or state the attribute that identifies people",
	BadSubject:    "have the provider send one subject, on one line and without control characters",
	BadClaim:      "have the provider send the claim that the detail names, in the type that OpenID Connect Core states",
	Unstable:      "have the provider send a persistent name ID, or state the attribute that identifies people",
	Condition:     "take the condition out of what the provider sends to us",
}

// Refusal is an answer that is not taken.
type Refusal struct {
	Kind   Kind
	Detail string // for logs: may have words of the provider's
	Cause  error  // nil: none
}

// Refuse returns a refusal, with its detail in the way of fmt.Sprintf.
func Refuse(kind Kind, format string, args ...any) *Refusal {
	return &Refusal{Kind: kind, Detail: fmt.Sprintf(format, args...)}
}

// Error implements error.
func (r *Refusal) Error() string { return string(r.Kind) + ": " + r.Detail }

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Cause }

// Remedy says what an administrator does about it.
func (r *Refusal) Remedy() string { return remedies[r.Kind] }

// Sentence is what the person is told. It tells nothing about accounts, and nothing
// that the provider wrote.
func (r *Refusal) Sentence() string {
	switch r.Kind {
	case Cancelled:
		return "You have not signed on there. Choose how to sign on."
	case Unavailable, ProviderError:
		return "Signing on there does not work at the moment. Please try again later, or choose another way."
	case WrongRequest, Replayed, TooLate:
		return "This sign-on has taken too long or is over. Please begin again."
	case OldProof:
		return "The application wants you to prove anew who you are. Please begin again, and sign on there anew."
	}
	return "What came back could not be taken. Please begin again; if it happens again, tell your administrator."
}

// Kinds lists all kinds, for a test that every one has its words.
func Kinds() []Kind { return slices.Sorted(maps.Keys(remedies)) }
