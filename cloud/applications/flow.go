package applications

import (
	"context"
	"net/http"
	"time"

	"ldap-gateway/cloud/store"

	"golang.org/x/text/language"
)

// Flow is what the sign-on page needs to know of an application's wish.
type Flow struct {
	ID, Application string        // of the wish; the application's name
	LoginHint       string        // may be empty
	Silent          bool          // no page may be shown
	MaxAge          time.Duration // of a sign-on that is good enough; negative: any
	AskForTicket    bool          // a Kerberos ticket is to be asked for
	Anew            bool          // the person is to prove anew who they are
	Subject         string        // who it must be; empty: anybody
	Choose          bool          // whoever is signed on is to say whether it is them
	Consent         bool          // the person is to agree to what the application learns
	Scopes          []string      // by which it asks for that
	ACR             []string      // contexts that the application wants of an identity provider
	Locales         []string      // languages that the application wishes for, the best first
	Access          store.AccessRule
	Policies        []string // IDs of its sign-on policies, the first of them first; none: the default one
	Factor          bool     // a second factor is wanted, whatever the policy says
}

// StartPath is where an application of SAML is begun that allows it, below the path of its environment.
const StartPath = "/saml20/idp/startsso"

// Refusal is why an application gets nobody.
type Refusal int

// The refusals that there are.
const (
	Nobody   Refusal = iota // it asked that no page be shown, and none would do
	Declined                // the person did not want to
)

// Sessions knows who has signed on in a browser, by the context of its request;
// the sign-on page does.
type Sessions interface {
	// Person returns who has, in an environment; false when nobody has.
	Person(ctx context.Context, env string) (store.SignedOn, bool)
	// AtOnce is Person of who need be asked nothing before an application learns of them: false when a page
	// is to be shown. Whether their sign-on is all that it asks for, Meets tells.
	AtOnce(ctx context.Context, env string, f Flow, now time.Time) (store.SignedOn, bool)
	// End forgets it.
	End(ctx context.Context, env string) error
}

// Pages shows people why there is no sign-on; the sign-on page does.
type Pages interface {
	// Failure answers with a page of one sentence.
	// The text is one that the page knows in other languages; arguments fill it in.
	Failure(w http.ResponseWriter, r *http.Request, status int, text string, args ...any)
	// Refused answers with a page that says why what an application sent is not taken.
	Refused(w http.ResponseWriter, r *http.Request, status int, why Sentence, found Found)
	// Denied answers with a page that says that somebody may not use an application.
	Denied(w http.ResponseWriter, r *http.Request, application string, found Found)
	// Nowhere answers that nothing is at an address, or nothing that takes the method: by a page to people,
	// and in JSON to programs.
	Nowhere(w http.ResponseWriter, r *http.Request, status int)
	// Onward says that somebody goes on to an application, by its name if it has one, in the language of who asks.
	Onward(r *http.Request, application string) (language.Tag, string)
	// Languages lists those that pages can be in.
	Languages() []language.Tag
}
