package health

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"ldap-gateway/agent/audit"
	"ldap-gateway/agent/state"
	"ldap-gateway/agent/version"
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
	Text     string   `json:"text"` // goes to the cloud: words of ours and numbers
	Remedy   string   `json:"remedy"`
	// Detail is what stays on the machine: the text of an error, with its names and paths.
	Detail string `json:"detail,omitempty"`
}

// RestartNeeded is the code of a file that waits in part for a restart.
const RestartNeeded = "restartNeeded"

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

// Totals counts since the start. Safe for concurrent use.
type Totals struct {
	SignOns, Changes Outcomes
	Took             atomic.Int64 // nanoseconds, of sign-ons
}

// Of returns what counts requests of a kind.
func (t *Totals) Of(kind wire.Kind) *Outcomes {
	if kind == wire.KindChangePassword {
		return &t.Changes
	}
	return &t.SignOns
}

// Outcomes counts by outcome.
type Outcomes [wire.OutcomeNewPasswordRefused + 1]atomic.Int64

// Add counts one; what is not known counts as unknown.
func (o *Outcomes) Add(one wire.Outcome) {
	if !one.Known() {
		one = wire.OutcomeUnknown
	}
	o[one].Add(1)
}

func (o *Outcomes) all() map[string]int64 {
	out := map[string]int64{}
	for one := wire.OutcomeOK; one.Known(); one++ {
		out[one.String()] = o[one].Load()
	}
	return out
}

// Directory is what is asked of the directory room; *directory.Client is one.
type Directory interface {
	Servers() []directory.ServerState
	Undiscovered() error
	Problems() []directory.Problem
}

var _ Directory = (*directory.Client)(nil)

// Serving is what one reading of gateway.hcl has made, as far as it says how the
// gateway is.
type Serving struct {
	Cloud     string // its URL
	Observe   bool   // policy.mode is "observe"
	Directory Directory
}

// Monitor knows how everything is that runs. Safe for concurrent use.
type Monitor struct {
	Totals Totals

	audit   *audit.Log
	more    func() []Problem // that others know of
	serving atomic.Pointer[Serving]
	current atomic.Pointer[pairedLink]  // nil: not paired yet
	metrics atomic.Pointer[string]      // why metrics are not served; nil: they are, or were not asked for
	refused atomic.Pointer[refusedFile] // nil: the file that was read last is in use
	restart atomic.Pointer[[]string]    // what of it waits for a restart
	reloads chan chan error             // wishes to read the file again
}

// pairedLink is the newest link and whose it is.
type pairedLink struct {
	instance state.Instance
	link     *cloudlink.Link
}

// refusedFile is a gateway.hcl that was not taken on.
type refusedFile struct {
	at  time.Time
	err error
}

// New returns the Monitor of a gateway that serves s and writes its audit to log;
// more tells problems that only others know of, and must be quick.
func New(s Serving, log *audit.Log, more func() []Problem) *Monitor {
	m := &Monitor{audit: log, more: more, reloads: make(chan chan error)}
	m.serving.Store(&s)
	return m
}

// TookOn says that another file is in use, and what of it waits for a restart.
func (m *Monitor) TookOn(s Serving, restart []string) {
	m.refused.Store(nil)
	m.restart.Store(&restart)
	m.serving.Store(&s)
}

// Refused says that the file was read again and refused, and why.
func (m *Monitor) Refused(err error) { m.refused.Store(&refusedFile{time.Now(), err}) }

// Opens says that a link was begun. It is told of when there is no other.
func (m *Monitor) Opens(i state.Instance, l *cloudlink.Link) {
	m.current.CompareAndSwap(nil, &pairedLink{i, l})
}

// Linked says that a link is the newest, and is told of from now on.
func (m *Monitor) Linked(i state.Instance, l *cloudlink.Link) { m.current.Store(&pairedLink{i, l}) }

// Reloads gives each wish to read the file again, to be answered with how it went.
func (m *Monitor) Reloads() <-chan chan error { return m.reloads }

// mostSilence is above what a link lets pass before it closes itself.
const mostSilence = 3 * time.Minute

// Lives tells whether the parts of the gateway get on. Whoever asks has taken the
// locks of directory and link for the status before; here it is whether the link
// still watches over itself.
func (m *Monitor) Lives() bool {
	c := m.current.Load()
	return c == nil || c.link.State().Silent < mostSilence
}

// Status asks everything how it is.
func (m *Monitor) Status() Status {
	now := m.serving.Load()
	s := Status{
		Version:  version.Current(),
		Cloud:    now.Cloud,
		Servers:  now.Directory.Servers(),
		SignOns:  m.Totals.SignOns.all(),
		Changes:  m.Totals.Changes.all(),
		Took:     time.Duration(m.Totals.Took.Load()),
		Problems: m.Problems(),
	}
	if c := m.current.Load(); c != nil {
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

// Problems is the one list of what can be wrong: heartbeats, /ready, metrics and
// "status" all tell from it.
func (m *Monitor) Problems() (all []Problem) {
	if p := m.linkProblem(); p != nil {
		all = append(all, *p)
	}
	now := m.serving.Load()
	if servers := now.Directory.Servers(); allDown(servers) && (len(servers) > 0 || now.Directory.Undiscovered() != nil) {
		all = append(all, Problem{
			Code:     "directoryDown",
			Severity: Error,
			Text:     "no directory server can be reached",
			Remedy:   "run \"ldap-gateway check\" on the machine",
		})
	}
	for _, p := range now.Directory.Problems() {
		all = append(all, Problem{Code: p.Code, Severity: Warning, Text: p.Text, Remedy: p.Remedy})
	}
	if c := m.current.Load(); c != nil && c.link.State().ClockSkew != 0 {
		all = append(all, Problem{
			Code:     "clock",
			Severity: Warning,
			Text:     "the machine's clock differs by " + c.link.State().ClockSkew.String(),
			Remedy:   "set it by NTP",
		})
	}
	return slices.Concat(all, m.ownProblems(now), m.more(), m.fileProblems())
}

// ownProblems tells what this program cannot do, or was told not to.
func (m *Monitor) ownProblems(now *Serving) (all []Problem) {
	if err := m.audit.Err(); err != nil {
		all = append(all, Problem{
			Code:     "auditNotWritten",
			Severity: Warning,
			Text:     "the audit file cannot be written",
			Remedy:   "make room on the disk, or name another file in audit.path",
			Detail:   err.Error(),
		})
	}
	if why := m.metrics.Load(); why != nil {
		all = append(all, Problem{
			Code:     "metricsNotServed",
			Severity: Warning,
			Text:     "health and metrics are not served",
			Remedy:   "name another port in metrics.listen and restart the gateway",
			Detail:   *why,
		})
	}
	if now.Observe {
		all = append(all, Problem{
			Code:     "observing",
			Severity: Info,
			Text:     "passwords are checked, attributes and groups stay here",
			Remedy:   "write policy.mode = \"enforce\" and run \"ldap-gateway reload\" when they may leave",
		})
	}
	return all
}

// fileProblems tells what of gateway.hcl is not in use. The mistakes themselves
// are on the machine: their text has lines of the file.
func (m *Monitor) fileProblems() (all []Problem) {
	if r := m.refused.Load(); r != nil {
		all = append(all, Problem{
			Code:     "fileRefused",
			Severity: Warning,
			Text:     "gateway.hcl was refused at " + r.at.Format("2006-01-02 15:04:05 MST") + ", the former one is in use",
			Remedy:   "run \"ldap-gateway check\" on the machine, mend the file, then \"ldap-gateway reload\"",
		})
	}
	if r := m.restart.Load(); r != nil && len(*r) > 0 {
		all = append(all, Problem{
			Code:     RestartNeeded,
			Severity: Info,
			Text:     "changed in gateway.hcl, and read at a start only: " + strings.Join(*r, ", "),
			Remedy:   "restart the gateway",
		})
	}
	return all
}

func (m *Monitor) linkProblem() *Problem {
	c := m.current.Load()
	if c == nil {
		return &Problem{
			Code:     "notPaired",
			Severity: Error,
			Text:     "this machine is not paired",
			Remedy:   "make a code in the console and run \"ldap-gateway pair\"",
		}
	}
	l := c.link.State()
	switch {
	case l.Connected:
		return nil
	case l.LastError == nil:
		return &Problem{
			Code:     "linkDown",
			Severity: Error,
			Text:     "there is no link to the cloud yet",
			Remedy:   "wait a moment; then run \"ldap-gateway check\" on the machine",
		}
	}
	return &Problem{
		Code:     "linkDown",
		Severity: Error,
		Text:     "there is no link to the cloud",
		Remedy:   CloudRemedy(l.LastError),
		Detail:   l.LastError.Error(),
	}
}

func allDown(servers []directory.ServerState) bool {
	for _, s := range servers {
		if s.State != "down" {
			return false
		}
	}
	return true
}

// Summary says how it is in one line, for the service manager.
func (s Status) Summary() string {
	for _, p := range s.Problems {
		if p.Severity == Error {
			return p.InFull()
		}
	}
	if n := len(s.Problems); n > 0 {
		return fmt.Sprintf("people can sign on; \"ldap-gateway status\" has %d more to say", n)
	}
	return "people can sign on"
}

// InFull is the text with its detail, for whoever looks on the machine.
func (p Problem) InFull() string {
	if p.Detail == "" {
		return oneLine(p.Text)
	}
	return oneLine(p.Text + ": " + p.Detail)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
