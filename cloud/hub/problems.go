package hub

import (
	"slices"
	"strings"

	"ldap-gateway/cloudlink/wire"
)

// The code by which an agent names that no directory server of it can be reached, and the one for one of several,
// which it says of the server alone.
const (
	directoryDown       = "directoryDown"
	directoryServerDown = "directoryServerDown"
)

// Problems returns what an instance says is wrong, each cause once: what it names, and each directory server that is
// down. When all are, the problem that says so tells why of each.
func (l Live) Problems() []wire.Problem {
	all := slices.Clone(l.Beat.Problems)
	var down []string
	for _, s := range l.Beat.Servers {
		if s.State == "down" {
			down = append(down, strings.TrimSuffix(s.URL+": "+s.Error, ": "))
		}
	}
	i := slices.IndexFunc(all, func(p wire.Problem) bool { return p.Code == directoryDown })
	if i >= 0 && len(down) > 0 {
		all[i].Text += " (" + strings.Join(down, "; ") + ")"
		return all
	}
	for _, text := range down {
		all = append(all, wire.Problem{
			Code: directoryServerDown,
			Text: text,
			Remedy: "see that the server runs and that the agent's machine reaches it; " +
				"the agent connects again by itself",
		})
	}
	return all
}
