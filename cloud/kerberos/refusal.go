package kerberos

import "fmt"

// Reason says why a token is not taken. The set is closed.
type Reason string

// The reasons.
const (
	ReasonOff       Reason = "off"       // no gateway takes tickets
	ReasonMalformed Reason = "malformed" // the token cannot be read
	ReasonTooLarge  Reason = "tooLarge"
	ReasonNTLM      Reason = "ntlm"      // NTLM instead of Kerberos
	ReasonMechanism Reason = "mechanism" // no Kerberos among what the browser offers
	ReasonService   Reason = "service"   // a ticket for another service
	ReasonRealm     Reason = "realm"     // a realm that is not on the list, or not the ticket's
	ReasonEType     Reason = "etype"     // an encryption type that is not taken
	ReasonKey       Reason = "key"       // no key of that version or encryption type
	ReasonIntegrity Reason = "integrity" // no key opens it, or it was altered
	ReasonClient    Reason = "client"    // ticket and authenticator differ
	ReasonExpired   Reason = "expired"
	ReasonEarly     Reason = "early" // not valid yet
	ReasonSkew      Reason = "skew"  // the clocks differ
	ReasonReplay    Reason = "replay"
	ReasonUnknown   Reason = "unknown" // proven, but no user here
	ReasonDisabled  Reason = "disabled"
	ReasonBusy      Reason = "busy" // too many that were not taken came from there
)

// words say what a reason means and what an administrator can do.
var words = map[Reason][2]string{
	ReasonOff: {"No gateway takes Kerberos tickets.", "Add service keys to a gateway."},
	ReasonMalformed: {
		"The browser sent something that is no Kerberos token.",
		"Look for a proxy that changes the Authorization header.",
	},
	ReasonTooLarge: {
		"The token is larger than 64 KB.",
		"The account is in very many groups." +
			" Sign on with the password, or set NA_REQUIRED or compression at the domain controller.",
	},
	ReasonNTLM: {
		"The browser sent NTLM instead of Kerberos.",
		"It found no ticket: register the service name with setspn, use the host name and no address," +
			" and be at a machine of the domain.",
	},
	ReasonMechanism: {
		"The browser offers no Kerberos as its first mechanism.",
		"Be at a machine of the domain, and allow negotiation for this host in the browser's policy.",
	},
	ReasonService: {
		"The ticket is for another service.",
		"Register HTTP/HOST for the host name that people type, and for no other account. Where that name is an alias " +
			"(CNAME), browsers ask for the name behind it: register that, too, or set DisableAuthNegotiateCnameLookup in them.",
	},
	ReasonRealm: {
		"The person's realm is not taken here.",
		"Add it to the gateway's realms if it is to be trusted.",
	},
	ReasonEType: {
		"The ticket's encryption type is not taken.",
		"Set msDS-SupportedEncryptionTypes to 24 (AES) on the service account, and reset its password.",
	},
	ReasonKey: {
		"There is no key of the ticket's version and encryption type.",
		"The account's password was changed: upload a new keytab, or give the new password.",
	},
	ReasonIntegrity: {
		"No key opens the ticket.",
		"The service name belongs to another account (setspn -X finds duplicates)," +
			" or the password given here is not the account's.",
	},
	ReasonClient: {
		"Ticket and authenticator name different people.",
		"Somebody tampered with it, or a program is at fault.",
	},
	ReasonExpired: {"The ticket has expired.", "Sign on to the machine again, or renew with kinit."},
	ReasonEarly: {
		"The ticket is not valid yet.",
		"Compare the clocks of the domain controller and of this cloud.",
	},
	ReasonSkew: {
		"The clocks of the person's machine and of this cloud differ by more than five minutes.",
		"Set both by a time server.",
	},
	ReasonReplay: {
		"This token was used before.",
		"Load the page anew. If it stays, something between copies requests.",
	},
	ReasonUnknown: {
		"The ticket is good, but no user here belongs to it.",
		"The person signs on with the password once;" +
			" the record then has the SID or the attribute by which tickets find it.",
	},
	ReasonDisabled: {"The user is disabled in the cloud.", "Enable the user."},
	ReasonBusy: {
		"Too many tokens that were not taken came from this address.",
		"Wait ten minutes, and look why browsers there send them.",
	},
}

// rank orders the reasons by how far a token came.
// Of the gateways that refused one token, the reason of the one that came furthest is
// told.
var rank = func() map[Reason]int {
	order := []Reason{
		ReasonOff,
		// what can be told from the token as it came
		ReasonTooLarge, ReasonMalformed, ReasonNTLM, ReasonMechanism,
		// what the ticket says openly
		ReasonService, ReasonRealm, ReasonEType, ReasonKey,
		// what only who has the key can read
		ReasonIntegrity, ReasonClient, ReasonExpired, ReasonEarly, ReasonSkew, ReasonReplay,
		// whose it is
		ReasonUnknown, ReasonDisabled,
		ReasonBusy,
	}
	ranks := map[Reason]int{}
	for i, w := range order {
		ranks[w] = i
	}
	return ranks
}()

// outcome returns the outcome that a reason is, of the closed set of sign-ons.
func (w Reason) outcome() string {
	switch w {
	case ReasonUnknown:
		return "noSuchUser"
	case ReasonDisabled, ReasonOff:
		return "notAllowed"
	case ReasonBusy:
		return "busy"
	}
	return "invalidCredentials"
}

// Told is the sentence that the person may see above the form.
// It tells nothing of what the ticket has: only what the person can do is another than
// for the rest.
func (w Reason) Told() string {
	switch w {
	case ReasonUnknown:
		return "You are not known here yet. Please sign on with your password this once."
	case ReasonSkew:
		return "The clock of your computer is wrong. Please sign on with your password."
	}
	return "Signing on with your computer's ticket did not work. Please sign on with your password."
}

// Sentence says what the reason means.
func (w Reason) Sentence() string { return words[w][0] }

// Remedy says what an administrator can do.
func (w Reason) Remedy() string { return words[w][1] }

// Refusal is a token that is not taken.
type Refusal struct {
	Reason Reason
	Detail string // for the administrator; may be empty
}

// Error implements error.
func (r *Refusal) Error() string {
	if r.Detail == "" {
		return r.Reason.Sentence()
	}
	return r.Reason.Sentence() + " " + r.Detail
}

func refuse(w Reason, format string, args ...any) *Refusal {
	return &Refusal{w, fmt.Sprintf(format, args...)}
}
