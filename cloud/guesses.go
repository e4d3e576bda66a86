package cloud

import (
	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/pairing"
	"ldap-gateway/cloud/signon"
)

// codes is the room that pairs agents.
func (n *node) codes() *pairing.Broker {
	return &pairing.Broker{
		Store:  n.db,
		Logger: n.Logger.Named("pairing"),
		URLs:   n.audiences,
		Bounds: n.bounds.Bounds,
		Tell:   func(network string) { n.agents.Tried(hub.Try{Key: network, Code: true}) },
		Nodes:  n.agents.Nodes,
	}
}

// people is the room that signs people on.
func (n *node) people() *signon.Service {
	return &signon.Service{
		Store:          n.db,
		Agents:         n.agents,
		Provisioner:    n.records,
		Vault:          n.keys,
		MinFailureTime: floor,
		Counted:        n.counts.SignOn,
		Tell:           n.agents.Tried,
		Nodes:          n.agents.Nodes,
		Logger:         n.Logger.Named("sign-on"),
		UnderWay:       &n.bounds.signOns,
		AtGateway:      &n.bounds.atGateway,
		Bounds:         n.bounds.Bounds,
	}
}

// hearTries has both hear what was guessed at other nodes.
func (n *node) hearTries(codes *pairing.Broker, people *signon.Service) {
	n.agents.HearTries(func(t hub.Try) {
		if t.Code {
			codes.Hear(t.Key)
			return
		}
		people.Hear(t)
	})
}
