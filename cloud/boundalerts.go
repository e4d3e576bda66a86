package cloud

import (
	"context"
	"slices"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
)

// told is what an administrator reads of a bound.
type told struct {
	what   string // was refused
	remedy string
	least  int // refusals within the last minutes that are worth an alert
}

// Remedies that several bounds have.
const (
	keepAway = "keep it away before the node, if it is not yours; if people or programs of yours are there, " +
		"behind a proxy that is not trusted they have one address: see --trusted-proxy"
	addNode = "add a node, or give this one more processors"
)

// tellings are of every bound.
var tellings = [...]told{
	throttle.Unwritten: {"sign-ons, applications and administrators that were refused and are not written",
		"Somebody may be guessing: see the refused sign-ons of the last hour, and " + keepAway, 300},
	throttle.Tries: {"tries of passwords, tickets and codes that have to wait after too many wrong ones",
		"Somebody may be guessing: " + keepAway, 300},
	throttle.Messages: {"messages of SAML applications",
		"See which application sends people round in circles; else " + keepAway, 50},
	throttle.Passkeys: {"questions about passkeys", "If nobody of yours signs in at the console there, " + keepAway, 20},
	throttle.Codes: {"agents that would show a code",
		"See whether ldap-gateway pair is started over and over there; else " + keepAway, 20},
	throttle.Answers: {"journeys to identity providers, and their answers",
		"See whether an identity provider sends people round in circles; else " + keepAway, 20},
	throttle.Names: {"names and networks that were forgotten before their time",
		"Somebody makes up names, or comes from everywhere: have a proxy before the node bound that", 1},
	throttle.Lines: {"lines of the log about strangers",
		"They are in the log at its debug level: see what those before say", 5000},
	throttle.SignOns: {"sign-ons, as many are under way as may be",
		"See whether a gateway or its directory has become slow; else " + keepAway + ", or " + addNode, 5},
	throttle.GatewaySignOns: {"sign-ons, as many are under way at one gateway as may be",
		"See whether that gateway or its directory is slow: ldap-gateway check; else pair another instance", 5},
	throttle.Passwords: {"passwords of administrators and first passwords",
		"Passkeys wait for nobody, known browsers for no stranger. Somebody may be guessing: " + keepAway, 20},
	throttle.Tokens: {"answers to applications, such as tokens",
		"See which application asks so often, and whether it keeps its tokens; else " + addNode, 5},
	throttle.Handshakes: {"handshakes of TLS",
		"After a restart with thousands of agents this passes by itself; else, if nobody of yours connects so often, " +
			keepAway + ", or " + addNode, 50},
	throttle.Arrivals: {"agents that have waited at the door for too long, and come again",
		"After a restart this passes by itself. If it goes on, see on the machines whether ldap-gateway is started over and" +
			" over, and " + addNode, 20_000},
	throttle.Exports: {"lists that are sent whole", "Have fewer of them fetched at once", 10},
	throttle.Streams: {"streams of activities", "Close the activity page where nobody reads it", 10},
	throttle.Links: {"links, or changes of keys, of an instance that has just made many",
		"See on the machines whether ldap-gateway is started over and over: ldap-gateway status", 10},
	throttle.Requests: {"requests of clients of the API",
		"See in the activities which client asks so often, and have it wait as it is told", 1000},
}

// boundAlerts tells of bounds that bite: from when it is worth it until hardly any are refused
// any more. A network is named where one environment alone can read it, and in the log.
func (n *node) boundAlerts(ctx context.Context, now time.Time) (all []store.Alert) {
	environments, err := n.db.Environments(ctx)
	named := err == nil && len(environments) == 1
	for _, k := range throttle.Kinds() {
		refused, network := n.bounds.Of(k).Lately(now)
		was := slices.Contains(n.bounds.biting, k)
		if !biting(was, refused, tellings[k].least) {
			n.bounds.biting = slices.DeleteFunc(n.bounds.biting, func(other throttle.Kind) bool { return other == k })
			continue
		}
		if !was {
			n.bounds.biting = append(n.bounds.biting, k)
			n.Logger.Warn("a bound is reached", "bound", k, "refused", refused, "network", network)
		}
		of := ""
		if network != "" {
			of = ", most of them to one network, which its log names"
		}
		if network != "" && named {
			of = ", most of them to " + network
		}
		all = append(all, nodeAlert("boundReached", k.String(), tellings[k].remedy,
			"%s: %d were refused in the last minutes%s (%s)", tellings[k].what, refused, of, k))
	}
	return all
}

// biting tells whether a bound bites, which it did or not: it goes on until a quarter is left
// of what was worth telling, so that it does not come and go.
func biting(was bool, refused, least int) bool {
	if was {
		return 4*refused >= least && refused > 0
	}
	return refused >= least
}
