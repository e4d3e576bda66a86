package alerts

import (
	"fmt"
	"strings"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// mostNamed bounds how many groups one alert names.
const mostNamed = 20

// ofDoubts returns an alert for each reason why it cannot be told who is in groups of a
// gateway still, with the groups by name.
func ofDoubts(g store.Gateway, doubted []store.DoubtedGroup) (all []store.Alert) {
	byReason := map[wire.LookReason][]store.DoubtedGroup{}
	for _, d := range doubted {
		if d.SourceID == g.ID {
			// One that this program does not know, as of a newer agent, counts as not asked.
			r := wire.LookReasonOf(d.Doubt)
			byReason[r] = append(byReason[r], d)
		}
	}
	// The reasons have an order, so that the same state makes the same alerts each
	// time.
	for r := wire.LookMembersHidden; r.Known(); r++ {
		groups := byReason[r]
		if len(groups) == 0 {
			continue
		}
		all = append(all, store.Alert{
			// One key for each reason: one that is over ends while another goes on.
			Key:       "membershipUntold/" + g.ID + "/" + r.String(),
			Code:      "membershipUntold",
			GatewayID: g.ID,
			Text:      "Gateway " + g.Name + ": nobody is taken out of " + named(groups) + ", as " + r.Words(),
			Remedy:    r.Remedy() + ". Whoever is not meant to be in a group can be taken out of it in the console.",
		})
	}
	return all
}

// named lists the groups, each with how many users are concerned.
// The rest is counted, so that a text stays one that can be read and sent.
func named(groups []store.DoubtedGroup) string {
	var names []string
	for _, d := range groups[:min(len(groups), mostNamed)] {
		names = append(names, fmt.Sprintf("%s (%d)", d.DisplayName, d.Users))
	}
	if more := len(groups) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more groups", more))
	}
	return strings.Join(names, ", ")
}
