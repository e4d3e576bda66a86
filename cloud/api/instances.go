package api

import (
	"net/http"
	"slices"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// The health of an instance.
const (
	healthy   = "HEALTHY"   // connected, and nothing is wrong
	degraded  = "DEGRADED"  // connected, with something wrong
	unhealthy = "UNHEALTHY" // not connected
)

// Times and the fingerprint are the store's; from busyPercentage on it is what the
// instance itself last said, and is empty while it is not connected.
type instanceBody struct {
	Links              links             `json:"_links"`
	ID                 string            `json:"id"`
	Environment        reference         `json:"environment"`
	Gateway            reference         `json:"gateway"`
	Connected          bool              `json:"connected"`
	ConnectedSince     *time.Time        `json:"connectedSince,omitempty"`
	Hostname           string            `json:"hostname"`
	System             string            `json:"system,omitempty"`
	InitializedAt      *time.Time        `json:"initializedAt,omitempty"`
	LastReportedAt     *time.Time        `json:"lastReportedAt,omitempty"`
	HealthStatus       string            `json:"healthStatus"`
	BusyPercentage     int               `json:"busyPercentage"`
	OperationsPerSec   float64           `json:"operationsPerSecond"`
	ResponseTimeMillis float64           `json:"responseTimeMillis"`
	Version            versionBody       `json:"version"`
	CurrentErrors      []string          `json:"currentErrors"` // the problems in words
	Problems           []instanceProblem `json:"problems"`
	Fingerprint        string            `json:"fingerprint"`
	PairedAt           time.Time         `json:"pairedAt"`
	PairedBy           string            `json:"pairedBy"`
	PairedFrom         string            `json:"pairedFrom,omitempty"`
	RevokedAt          *time.Time        `json:"revokedAt,omitempty"`
	RevokedBy          string            `json:"revokedBy,omitempty"`
	PolicyHash         string            `json:"policyHash,omitempty"`
	Policy             []string          `json:"policy,omitempty"`
	Servers            []serverBody      `json:"directoryServers,omitempty"`
	Refused            []refusedByFile   `json:"refusedUserTypes,omitempty"`
}

// The status is left out where this program does not know which version is the newest.
type versionBody struct {
	Number string `json:"versionNumber"`
	Status string `json:"updateStatus,omitempty"`
}

// instanceProblem is one thing that is wrong with an instance.
type instanceProblem struct {
	Code     string `json:"code"`
	Message  string `json:"message"`
	Remedy   string `json:"remedy,omitempty"`
	Severity string `json:"severity,omitempty"` // error, warning or info
}

// The state is up, down or unused, as the agent last saw it; the error is in the
// agent's words, which name no entry.
type serverBody struct {
	URL    string `json:"url"`
	State  string `json:"state"`
	Vendor string `json:"vendor,omitempty"`
	Error  string `json:"error,omitempty"`
}

// refusedByFile is a user type that the file on premises does not allow.
type refusedByFile struct {
	UserType reference `json:"userType"`
	Reasons  []string  `json:"reasons"`
}

// known returns nil for no time, which JSON leaves out.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// showInstance shows an instance with what it reports; live is nil for one that is not
// connected. One in quarantine is unhealthy whatever it says: it is kept out.
func (s *Server) showInstance(c *call, i store.Instance, live *LiveInstance) instanceBody {
	b := instanceBody{
		Links:          c.self("gateways", i.GatewayID, "instances", i.ID),
		ID:             i.ID,
		Environment:    reference{c.env},
		Gateway:        reference{i.GatewayID},
		Hostname:       i.Hostname,
		System:         i.System,
		InitializedAt:  known(i.InitializedAt),
		LastReportedAt: known(i.LastReportedAt),
		HealthStatus:   unhealthy,
		Version:        s.version(i.Software),
		CurrentErrors:  []string{},
		Problems:       []instanceProblem{},
		Fingerprint:    i.Fingerprint,
		PairedAt:       i.PairedAt,
		PairedBy:       i.PairedBy,
		PairedFrom:     i.PairedFrom,
		RevokedAt:      known(i.RevokedAt),
		RevokedBy:      i.RevokedBy,
		PolicyHash:     i.PolicyHash,
	}
	if live != nil {
		b.report(*live)
	}
	if !i.QuarantinedAt.IsZero() {
		b.HealthStatus = unhealthy
		b.Problems = append(b.Problems, instanceProblem{
			Code:     "quarantine",
			Message:  i.Quarantine,
			Remedy:   "Pair the right machine anew, and revoke this instance.",
			Severity: wire.SeverityError,
		})
	}
	for _, p := range b.Problems {
		b.CurrentErrors = append(b.CurrentErrors, p.Message)
	}
	return b
}

// report puts in what the connected instance says of itself.
// A problem that the agent calls an error keeps everybody from signing on, and makes it
// unhealthy although it is connected.
func (b *instanceBody) report(l LiveInstance) {
	b.Connected, b.ConnectedSince, b.HealthStatus, b.Policy = true, known(l.Since), healthy, l.Policy
	b.BusyPercentage, b.OperationsPerSec, b.ResponseTimeMillis = l.BusyPercent, l.OperationsPerSecond, l.ResponseTimeMillis
	for _, p := range l.Problems {
		b.Problems = append(b.Problems, instanceProblem{p.Code, p.Text, p.Remedy, p.Severity})
	}
	for _, v := range l.Servers {
		b.Servers = append(b.Servers, serverBody{v.URL, v.State, v.Vendor, v.Error})
	}
	for _, r := range l.Refused {
		b.Refused = append(b.Refused, refusedByFile{reference{r.ID}, r.Reasons})
	}
	wrong := func(p instanceProblem) bool { return p.Severity != wire.SeverityInfo }
	if len(b.Refused) > 0 || slices.ContainsFunc(b.Problems, wrong) {
		b.HealthStatus = degraded
	}
	if slices.ContainsFunc(b.Problems, func(p instanceProblem) bool { return p.Severity == wire.SeverityError }) {
		b.HealthStatus = unhealthy
	}
}

// version compares texts and no numbers: whatever is not this version is another, and
// an update is offered.
func (s *Server) version(software string) versionBody {
	v := versionBody{Number: software}
	switch {
	case s.Version == "" || software == "":
	case s.Version == software:
		v.Status = "AT_LATEST"
	default:
		v.Status = "UPGRADE_AVAILABLE"
	}
	return v
}

// instances returns the instances of a gateway, revoked ones only when the
// request says include=revoked.
// It returns the live ones as this node has heard of them, which may be late by a
// heartbeat.
func (s *Server) instances(c *call, gateway string) ([]instanceBody, error) {
	all, err := s.Store.Instances(c.Context(), c.env, gateway)
	live := s.live(gateway)
	bodies := []instanceBody{}
	for _, i := range all {
		if i.RevokedAt.IsZero() || c.asks("include", "revoked") {
			bodies = append(bodies, s.showInstance(c, i, live[i.ID]))
		}
	}
	return bodies, err
}

// live returns what is connected of a gateway by the instance's ID, over all nodes.
func (s *Server) live(gateway string) map[string]*LiveInstance {
	all := map[string]*LiveInstance{}
	for _, l := range s.Links.Live(gateway) {
		all[l.ID] = &l
	}
	return all
}

// listInstances answers with the instances of a gateway, the oldest first, at most
// 1,000; 404 when there is no such gateway.
func (s *Server) listInstances(c *call) (reply, error) {
	g, _, err := s.gatewayOf(c)
	if err != nil {
		return reply{}, err
	}
	all, err := s.instances(c, g.ID)
	if err != nil {
		return reply{}, err
	}
	show := func(b instanceBody) instanceBody { return b }
	return few(c, "gatewayInstances", all, show, "id", "hostname", "healthStatus", "connected?")
}

// instanceOf returns the instance in the path, of the gateway and environment in it.
// Any other is store.ErrNotFound, whether or not it exists.
func (s *Server) instanceOf(c *call) (store.Instance, error) {
	i, err := s.Store.Instance(c.Context(), c.PathValue("i"))
	if err == nil && (i.EnvironmentID != c.env || i.GatewayID != c.PathValue("g")) {
		err = store.ErrNotFound
	}
	return i, err
}

// getInstance answers with one instance, revoked ones too: who paired and revoked it
// stays to be read.
func (s *Server) getInstance(c *call) (reply, error) {
	i, err := s.instanceOf(c)
	if err != nil {
		return reply{}, err
	}
	return ok(s.showInstance(c, i, s.live(i.GatewayID)[i.ID]))
}

// revokeInstance answers with 204, the second time as well. Its link is closed at once,
// on whatever node.
func (s *Server) revokeInstance(c *call) (reply, error) {
	gateway, id := c.PathValue("g"), c.PathValue("i")
	_, err := s.Management.RevokeInstance(c.Context(), c.by(), gateway, id, func(i store.Instance) error {
		return c.fresh(s.showInstance(c, i, s.live(i.GatewayID)[i.ID]))
	})
	return gone(err)
}

// rotateInstance has an instance change its keys. The answer has those of before:
// the new ones are seen when it has them.
func (s *Server) rotateInstance(c *call) (reply, error) {
	i, err := s.Management.RotateInstance(c.Context(), c.by(), c.PathValue("g"), c.PathValue("i"))
	if err != nil {
		return reply{}, err
	}
	return reply{http.StatusAccepted, s.showInstance(c, i, s.live(i.GatewayID)[i.ID])}, nil
}
