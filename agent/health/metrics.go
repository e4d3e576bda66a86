package health

import (
	"fmt"
	"strings"

	"ldap-gateway/cloudlink/wire"
)

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
