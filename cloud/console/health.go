package console

import (
	"fmt"
	"slices"

	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// health is how well something works: a word that the API has too, a shape, and
// why in a few words.
// The class is for the stylesheet alone, and says nothing that the shape does not.
type health struct{ Word, Shape, Class, Why string }

// Shapes go with the colours, so that health can be told without seeing colours.
func healthy(why string) health   { return health{"Healthy", "●", "good", why} }
func degraded(why string) health  { return health{"Degraded", "▲", "warn", why} }
func unhealthy(why string) health { return health{"Unhealthy", "■", "bad", why} }

// instance is one paired agent, with what it says of itself when it is connected.
type instance struct {
	store.Instance
	Live     *hub.Live // nil: not connected
	Health   health
	Problems []wire.Problem
	Refused  []refusedType
}

// refusedType is a user type that the agent's own file does not allow.
type refusedType struct {
	Name    string
	Reasons []string
}

// instancesOf returns the instances of a gateway that are paired, and those
// that were revoked.
func instancesOf(g store.Gateway, all []store.Instance, live []hub.Live) (paired []instance, revoked []store.Instance) {
	connected := map[string]*hub.Live{}
	for i := range live {
		connected[live[i].Instance] = &live[i]
	}
	for _, i := range all {
		if !i.RevokedAt.IsZero() {
			revoked = append(revoked, i)
			continue
		}
		paired = append(paired, instanceOf(g, i, connected[i.ID]))
	}
	return paired, revoked
}

// instanceOf judges one paired instance by what its link says now. In quarantine it is
// unhealthy whether or not it is connected; connected, it is unhealthy only with a
// problem that keeps everybody from signing on, and degraded with one that is more than
// information, with a server that is down or with a user type that its own file
// refuses.
func instanceOf(g store.Gateway, i store.Instance, live *hub.Live) instance {
	in := instance{Instance: i, Live: live}
	if !i.QuarantinedAt.IsZero() {
		in.Health = unhealthy("in quarantine")
		in.Problems = []wire.Problem{
			{
				Code: "quarantine",
				Text: i.Quarantine,
				Remedy: "Find out which machine is the right one, pair it anew with " +
					"\"ldap-gateway pair --replace\", and revoke this instance.",
			},
		}
		return in
	}
	if live == nil {
		in.Health = unhealthy("not connected")
		return in
	}
	in.Problems = live.Problems()
	for _, r := range live.Refused {
		in.Refused = append(in.Refused, refusedType{userTypeName(g, r.ID), r.Reasons})
	}
	in.Health = healthy("connected")
	wrong := len(in.Refused)
	for _, p := range in.Problems {
		if p.Severity != wire.SeverityInfo {
			wrong++
		}
	}
	if wrong > 0 {
		in.Health = degraded("connected, " + plural(wrong, "problem"))
	}
	if slices.ContainsFunc(in.Problems, func(p wire.Problem) bool { return p.Severity == wire.SeverityError }) {
		in.Health = unhealthy("connected, and nobody can sign on through it")
	}
	return in
}

// userTypeName returns the name of a user type, or its ID when the gateway has
// it no more.
func userTypeName(g store.Gateway, id string) string {
	for _, t := range g.UserTypes {
		if t.ID == id {
			return t.Name
		}
	}
	return id
}

// healthOf sums up the instances of a gateway: it works as long as one does.
// What is degraded signs people on still: at least one instance of it does.
func healthOf(paired []instance) health {
	connected, well, bad := 0, 0, 0
	for _, i := range paired {
		if i.Live != nil {
			connected++
		}
		switch i.Health.Word {
		case "Healthy":
			well++
		case "Unhealthy":
			bad++
		}
	}
	switch {
	case len(paired) == 0:
		return unhealthy("no instance is paired yet")
	case connected == 0:
		return unhealthy("no instance is connected")
	case bad == len(paired):
		return unhealthy("nobody can sign on through " + plural(len(paired), "paired instance"))
	case connected < len(paired):
		return degraded(fmt.Sprintf("%d of %s connected", connected, plural(len(paired), "instance")))
	case well < len(paired):
		return degraded(fmt.Sprintf("%d of %s with problems", len(paired)-well, plural(len(paired), "instance")))
	}
	return healthy(plural(connected, "instance") + " connected")
}
