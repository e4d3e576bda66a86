package cloud

import (
	"testing"

	"ldap-gateway/cloud/api/client"
)

// Siege is a running cloud with an agent, for tests of the command line.
type Siege struct {
	API     *client.Client
	URL     string
	Gateway string // of the agent
}

// StartSiege starts one.
func StartSiege(t testing.TB) Siege {
	s := startSiege(t)
	return Siege{API: s.api, URL: s.url, Gateway: s.honest.Gateway}
}
