package agent

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"ldap-gateway/agent/audit"
	"ldap-gateway/agent/state"
	"ldap-gateway/cloudlink"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/directory"
)

// Severity says how bad a problem is.
type Severity string

// The severities. With an error nobody can sign on through this instance.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Problem is a named thing that is wrong with the running gateway. Codes are
// final: monitoring and people search for them.
type Problem struct {
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	Text     string   `json:"text"`
	Remedy   string   `json:"remedy"`
}

// problemRestart is the code of a file that waits in part for a restart.
const problemRestart = "restartNeeded"

// Status is how the running gateway is. Nothing in it is of a person.
type Status struct {
	Version     string                  `json:"version"`
	Ready       bool                    `json:"ready"` // no problem is an error
	Gateway     string                  `json:"gateway,omitempty"`
	Environment string                  `json:"environment,omitempty"`
	Instance    string                  `json:"instance,omitempty"`
	Cloud       string                  `json:"cloud"`
	Connected   bool                    `json:"connected"`
	Since       time.Time               `json:"since,omitzero"` // of Connected, or of its loss
	Node        string                  `json:"node,omitempty"`
	Servers     []directory.ServerState `json:"servers"`
	SignOns     map[string]int64        `json:"signOns"`         // by outcome, since the start
	Took        time.Duration           `json:"took"`            // all of them together, in nanoseconds
	Changes     map[string]int64        `json:"passwordChanges"` // by outcome, since the start
	Problems    []Problem               `json:"problems"`
}

// totals counts since the start. Safe for concurrent use.
type totals struct {
	signOns, changes outcomes
	took             atomic.Int64 // nanoseconds, of sign-ons
}

// of returns what counts requests of a kind.
func (t *totals) of(kind wire.Kind) *outcomes {
	if kind == wire.KindChangePassword {
		return &t.changes
	}
	return &t.signOns
}

// outcomes counts by outcome.
type outcomes [wire.OutcomeNewPasswordRefused + 1]atomic.Int64

func (o *outcomes) add(one wire.Outcome) {
	if !one.Known() {
		one = wire.OutcomeUnknown
	}
	o[one].Add(1)
}

func (o *outcomes) all() map[string]int64 {
	out := map[string]int64{}
	for one := wire.OutcomeOK; one.Known(); one++ {
		out[one.String()] = o[one].Load()
	}
	return out
}

// health knows how everything is that runs.
type health struct {
	audit   *audit.Log
	totals  totals
	serving atomic.Pointer[serving]
	current atomic.Pointer[pairedLink]  // nil: not paired yet
	metrics atomic.Pointer[string]      // why metrics are not served; nil: they are, or were not asked for
	refused atomic.Pointer[refusedFile] // nil: the file that was read last is in use
	restart atomic.Pointer[[]string]    // what of it waits for a restart
	reloads chan chan error             // wishes to read the file again
}

func newHealth(s *serving, log *audit.Log) *health {
	h := &health{audit: log, reloads: make(chan chan error)}
	h.serving.Store(s)
	return h
}

// pairedLink is the newest link and whose it is.
type pairedLink struct {
	instance state.Instance
	link     *cloudlink.Link
}

// status asks everything how it is.
func (h *health) status() Status {
	now := h.serving.Load()
	s := Status{Version: Version(), Cloud: now.file.Cloud.URL.String(), Servers: now.people.Servers(), SignOns: h.totals.signOns.all(), Changes: h.totals.changes.all(),
		Took: time.Duration(h.totals.took.Load()), Problems: h.problems()}
	if c := h.current.Load(); c != nil {
		s.Gateway, s.Environment, s.Instance = c.instance.GatewayName, c.instance.Environment, c.instance.ID
		l := c.link.State()
		s.Connected, s.Since, s.Node = l.Connected, l.Since, l.Node
	}
	s.Ready = true
	for _, p := range s.Problems {
		s.Ready = s.Ready && p.Severity != Error
	}
	return s
}

// problems is the one list of what can be wrong: heartbeats, /ready, metrics and
// "status" all tell from it.
func (h *health) problems() (all []Problem) {
	if p := h.linkProblem(); p != nil {
		all = append(all, *p)
	}
	now := h.serving.Load()
	if servers := now.people.Servers(); allDown(servers) && (len(servers) > 0 || now.people.Undiscovered() != nil) {
		all = append(all, Problem{"directoryDown", Error, "no directory server can be reached", "run \"ldap-gateway check\" on the machine"})
	}
	for _, p := range now.people.Problems() {
		all = append(all, Problem{p.Code, Warning, p.Text, p.Remedy})
	}
	if c := h.current.Load(); c != nil && c.link.State().ClockSkew != 0 {
		all = append(all, Problem{"clock", Warning, "the machine's clock differs by " + c.link.State().ClockSkew.String(), "set it by NTP"})
	}
	if err := h.audit.Err(); err != nil {
		all = append(all, Problem{"auditNotWritten", Warning, "the audit file cannot be written: " + err.Error(), "make room on the disk, or name another file in audit.path"})
	}
	if why := h.metrics.Load(); why != nil {
		all = append(all, Problem{"metricsNotServed", Warning, *why, "name another port in metrics.listen and restart the gateway"})
	}
	if now.policy.file.Observe {
		all = append(all, Problem{"observing", Info, "passwords are checked, attributes and groups stay here", "write policy.mode = \"enforce\" and run \"ldap-gateway reload\" when they may leave"})
	}
	return append(all, h.fileProblems()...)
}

// fileProblems tells what of gateway.hcl is not in use. The mistakes themselves
// are on the machine: their text has lines of the file.
func (h *health) fileProblems() (all []Problem) {
	if r := h.refused.Load(); r != nil {
		all = append(all, Problem{"fileRefused", Warning, "gateway.hcl was refused at " + r.at.Format("2006-01-02 15:04:05 MST") + ", the former one is in use",
			"run \"ldap-gateway check\" on the machine, mend the file, then \"ldap-gateway reload\""})
	}
	if r := h.restart.Load(); r != nil && len(*r) > 0 {
		all = append(all, Problem{problemRestart, Info, "changed in gateway.hcl, and read at a start only: " + strings.Join(*r, ", "), "restart the gateway"})
	}
	return all
}

func (h *health) linkProblem() *Problem {
	c := h.current.Load()
	if c == nil {
		return &Problem{"notPaired", Error, "this machine is not paired", "make a code in the console and run \"ldap-gateway pair\""}
	}
	l := c.link.State()
	switch {
	case l.Connected:
		return nil
	case l.LastError == nil:
		return &Problem{"linkDown", Error, "there is no link to the cloud yet", "wait a moment; then run \"ldap-gateway check\" on the machine"}
	}
	return &Problem{"linkDown", Error, "there is no link to the cloud: " + l.LastError.Error(), cloudRemedy(l.LastError)}
}

func allDown(servers []directory.ServerState) bool {
	for _, s := range servers {
		if s.State != "down" {
			return false
		}
	}
	return true
}

// writeMetrics writes the Prometheus text format. No label has anything but
// names of ours, so that their number is bounded and nothing of a person is told.
func (s Status) writeMetrics(w *strings.Builder) {
	family := func(name, kind, help string) {
		fmt.Fprintf(w, "# HELP ldap_gateway_%s %s\n# TYPE ldap_gateway_%s %s\n", name, help, name, kind)
	}
	gauge := func(name, help string, value any) {
		family(name, "gauge", help)
		fmt.Fprintf(w, "ldap_gateway_%s %v\n", name, value)
	}
	family("info", "gauge", "The version that runs.")
	fmt.Fprintf(w, "ldap_gateway_info{version=%q} 1\n", s.Version)
	gauge("ready", "1 when people can sign on through this instance.", number(s.Ready))
	gauge("link_up", "1 when there is a link to the cloud.", number(s.Connected))
	family("directory_servers", "gauge", "Directory servers by state.")
	count := map[string]int{}
	for _, d := range s.Servers {
		count[d.State]++
	}
	for _, state := range []string{"up", "down", "unused"} {
		fmt.Fprintf(w, "ldap_gateway_directory_servers{state=%q} %d\n", state, count[state])
	}
	counter := func(name, help string, by map[string]int64) {
		family(name, "counter", help)
		for o := wire.OutcomeOK; o.Known(); o++ {
			fmt.Fprintf(w, "ldap_gateway_%s{outcome=%q} %d\n", name, o, by[o.String()])
		}
	}
	counter("sign_ons_total", "Sign-ons by outcome.", s.SignOns)
	counter("password_changes_total", "Password changes by outcome.", s.Changes)
	family("sign_on_seconds_total", "counter", "Time that all sign-ons took together.")
	fmt.Fprintf(w, "ldap_gateway_sign_on_seconds_total %v\n", s.Took.Seconds())
	family("problem", "gauge", "Problems that there are now.")
	for _, p := range s.Problems {
		fmt.Fprintf(w, "ldap_gateway_problem{code=%q,severity=%q} 1\n", p.Code, p.Severity)
	}
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}
