package console

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"ldap-gateway/cloud/store"
)

// actions are suggested beside the filter; others can be typed.
var actions = [...]string{"sign-on", "user.created", "user.updated", "update.refused", "password.changed", "password.notChanged", "group.created", "group.renamed", "membership.added", "membership.removed",
	"gateway.created", "gateway.updated", "gateway.deleted", "pairing.created", "pairing.deleted", "instance.paired", "instance.revoked",
	"population.created", "administrator.set-up", "administrator.signed-in"}

type activityList struct {
	Action, Subject string
	Actions         []string
	Activities      []activityRow
	Pager           pager
}

// activityRow is one line, with where its subject is seen.
type activityRow struct {
	store.Activity
	Link  string // empty: nowhere
	Facts []property
}

func (c *console) listActivity(k *call) error {
	list := activityList{Action: k.query("action"), Subject: k.query("subject"), Actions: actions[:]}
	all, next, err := c.Store.Activities(k.Context(), k.env(), store.ActivityFilter{Action: list.Action, Subject: list.Subject}, k.part())
	if err != nil {
		return err
	}
	for _, a := range all {
		list.Activities = append(list.Activities, activityRow{a, subjectPath(a), facts(a.Detail)})
	}
	list.Pager = k.pagerOf(next)
	return k.render(http.StatusOK, "activity", "Activity", list)
}

// subjectPath returns the page of what an activity is about.
func subjectPath(a store.Activity) string {
	kind, id, _ := strings.Cut(a.Subject, ":")
	switch {
	case id == "":
	case kind == "user" || kind == "group" || kind == "gateway":
		return under(kind+"s", id)
	case kind == "instance":
		if g, ok := a.Detail["gateway"].(string); ok && g != "" {
			return under("gateways", g)
		}
	}
	return ""
}

// facts returns the detail of an activity in words, in the order of their names.
func facts(detail map[string]any) (all []property) {
	for name, value := range detail {
		text, ok := value.(string)
		if !ok {
			b, err := json.MarshalIndent(value, "", "  ")
			if err != nil {
				continue // came from JSON: cannot be
			}
			text = string(b)
		}
		all = append(all, property{name, text})
	}
	slices.SortFunc(all, func(a, b property) int { return cmp.Compare(a.Name, b.Name) })
	return all
}
