package kerberos

import "fmt"

// Why says why a token is not taken. The set is closed.
type Why string

// The reasons.
const (
	WhyOff       Why = "off"       // no gateway takes tickets
	WhyMalformed Why = "malformed" // the token cannot be read
	WhyTooLarge  Why = "tooLarge"
	WhyNTLM      Why = "ntlm"      // NTLM instead of Kerberos
	WhyMechanism Why = "mechanism" // no Kerberos among what the browser offers
	WhyService   Why = "service"   // a ticket for another service
	WhyRealm     Why = "realm"     // a realm that is not on the list, or not the ticket's
	WhyEType     Why = "etype"     // an encryption type that is not taken
	WhyKey       Why = "key"       // no key of that version or encryption type
	WhyIntegrity Why = "integrity" // no key opens it, or it was altered
	WhyClient    Why = "client"    // ticket and authenticator differ
	WhyExpired   Why = "expired"
	WhyEarly     Why = "early" // not valid yet
	WhySkew      Why = "skew"  // the clocks differ
	WhyReplay    Why = "replay"
	WhyUnknown   Why = "unknown" // proven, but no user here
	WhyDisabled  Why = "disabled"
	WhyBusy      Why = "busy" // too many that were not taken came from there
)

// words say what a reason means and what an administrator can do.
var words = map[Why][2]string{
	WhyOff:       {"No gateway takes Kerberos tickets.", "Add service keys to a gateway."},
	WhyMalformed: {"The browser sent something that is no Kerberos token.", "Look for a proxy that changes the Authorization header."},
	WhyTooLarge:  {"The token is larger than 64 KB.", "The account is in very many groups. Sign on with the password, or set NA_REQUIRED or compression at the domain controller."},
	WhyNTLM:      {"The browser sent NTLM instead of Kerberos.", "It found no ticket: register the service name with setspn, use the host name and no address, and be at a machine of the domain."},
	WhyMechanism: {"The browser offers no Kerberos as its first mechanism.", "Be at a machine of the domain, and allow negotiation for this host in the browser's policy."},
	WhyService:   {"The ticket is for another service.", "Register HTTP/HOST for the host name that people type, and for no other account."},
	WhyRealm:     {"The person's realm is not taken here.", "Add it to the gateway's realms if it is to be trusted."},
	WhyEType:     {"The ticket's encryption type is not taken.", "Set msDS-SupportedEncryptionTypes to 24 (AES) on the service account, and reset its password."},
	WhyKey:       {"There is no key of the ticket's version and encryption type.", "The account's password was changed: upload a new keytab, or give the new password."},
	WhyIntegrity: {"No key opens the ticket.", "The service name belongs to another account (setspn -X finds duplicates), or the password given here is not the account's."},
	WhyClient:    {"Ticket and authenticator name different people.", "Somebody tampered with it, or a program is at fault."},
	WhyExpired:   {"The ticket has expired.", "Sign on to the machine again, or renew with kinit."},
	WhyEarly:     {"The ticket is not valid yet.", "Compare the clocks of the domain controller and of this cloud."},
	WhySkew:      {"The clocks of the person's machine and of this cloud differ by more than five minutes.", "Set both by a time server."},
	WhyReplay:    {"This token was used before.", "Load the page anew. If it stays, something between copies requests."},
	WhyUnknown:   {"The ticket is good, but no user here belongs to it.", "The person signs on with the password once; the record then has the SID or the attribute by which tickets find it."},
	WhyDisabled:  {"The user is disabled in the cloud.", "Enable the user."},
	WhyBusy:      {"Too many tokens that were not taken came from this address.", "Wait ten minutes, and look why browsers there send them."},
}

// rank orders the reasons by how far a token came.
var rank = func() map[Why]int {
	order := []Why{WhyOff, WhyTooLarge, WhyMalformed, WhyNTLM, WhyMechanism, WhyService, WhyRealm, WhyEType, WhyKey, WhyIntegrity,
		WhyClient, WhyExpired, WhyEarly, WhySkew, WhyReplay, WhyUnknown, WhyDisabled, WhyBusy}
	ranks := map[Why]int{}
	for i, w := range order {
		ranks[w] = i
	}
	return ranks
}()

// outcome returns the outcome that a reason is, of the closed set of sign-ons.
func (w Why) outcome() string {
	switch w {
	case WhyUnknown:
		return "noSuchUser"
	case WhyDisabled, WhyOff:
		return "notAllowed"
	case WhyBusy:
		return "busy"
	}
	return "invalidCredentials"
}

// Told is the sentence that the person may see above the form.
func (w Why) Told() string {
	switch w {
	case WhyUnknown:
		return "You are not known here yet. Please sign on with your password this once."
	case WhySkew:
		return "The clock of your computer is wrong. Please sign on with your password."
	}
	return "Signing on with your computer's ticket did not work. Please sign on with your password."
}

// Sentence says what the reason means.
func (w Why) Sentence() string { return words[w][0] }

// Remedy says what an administrator can do.
func (w Why) Remedy() string { return words[w][1] }

// Refusal is a token that is not taken.
type Refusal struct {
	Why    Why
	Detail string // for the administrator; may be empty
}

// Error implements error.
func (r *Refusal) Error() string {
	if r.Detail == "" {
		return r.Why.Sentence()
	}
	return r.Why.Sentence() + " " + r.Detail
}

func refuse(w Why, format string, args ...any) *Refusal {
	return &Refusal{w, fmt.Sprintf(format, args...)}
}
