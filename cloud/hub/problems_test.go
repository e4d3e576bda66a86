package hub

import (
	"fmt"
	"testing"

	"ldap-gateway/cloudlink/wire"
)

// One cause is one problem: servers that are down are told one by one while another is up, and within the agent's own
// problem when none is. What the agent said stays as it was.
func TestOneCauseIsOneProblem(t *testing.T) {
	up := wire.Server{URL: "ldaps://a", State: "up"}
	unused := wire.Server{URL: "ldaps://u", State: "unused"}
	b := wire.Server{URL: "ldaps://b", State: "down", Error: "refused"}
	c := wire.Server{URL: "ldaps://c", State: "down"}
	clock := wire.Problem{Code: "clock", Text: "off", Severity: "warning"}
	none := wire.Problem{Code: "directoryDown", Text: "no directory server can be reached", Severity: wire.SeverityError}
	for _, v := range []struct {
		servers  []wire.Server
		problems []wire.Problem
		want     string
	}{
		{nil, nil, ""},
		{[]wire.Server{up, unused}, nil, ""},
		{[]wire.Server{up, unused}, []wire.Problem{clock}, "clock: off\n"},
		{[]wire.Server{up, b}, []wire.Problem{clock}, "clock: off\ndirectoryServerDown: ldaps://b: refused\n"},
		{[]wire.Server{b, up, c}, nil, "directoryServerDown: ldaps://b: refused\ndirectoryServerDown: ldaps://c\n"},
		{[]wire.Server{b, c}, []wire.Problem{none, clock},
			"directoryDown: no directory server can be reached (ldaps://b: refused; ldaps://c)\nclock: off\n"},
		{[]wire.Server{b}, []wire.Problem{clock, none}, "clock: off\ndirectoryDown: no directory server can be reached (ldaps://b: refused)\n"},
		{nil, []wire.Problem{none}, "directoryDown: no directory server can be reached\n"}, // it knows none yet
		{[]wire.Server{b}, nil, "directoryServerDown: ldaps://b: refused\n"},               // an agent that does not name it
	} {
		l, got := Live{Beat: wire.Heartbeat{Servers: v.servers, Problems: v.problems}}, ""
		for range 2 {
			got = ""
			for _, p := range l.Problems() {
				got += fmt.Sprintf("%s: %s\n", p.Code, p.Text)
			}
		}
		if got != v.want {
			t.Errorf("%+v:\n%swant\n%s", v, got, v.want)
		}
	}
}
