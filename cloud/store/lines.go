package store

import (
	"cmp"
	"slices"
	"strings"
)

// signOnAction is the action of activities about sign-ons.
const signOnAction = "sign-on"

// whose is how activities name somebody.
const whose = "user:"

// scanLine reads a sign-on as what activities say of it.
func scanLine(r row) (Activity, error) {
	s, err := scanSignOn(r)
	return activityOf(s), err
}

// activityOf is what activities say of a sign-on that has no row among them: most change nothing,
// and a second row would be half of what they cost.
func activityOf(s SignOn) Activity {
	return Activity{
		ID:            s.ID,
		EnvironmentID: s.EnvironmentID,
		At:            s.At,
		Action:        signOnAction,
		Actor:         whose + s.UserID,
		Subject:       whose + s.UserID,
		SignOnID:      s.ID,
		Text:          s.Line,
		Detail: map[string]any{
			"outcome": s.Outcome,
			"method":  string(s.Method),
			"updated": s.Updated,
			"reason":  s.UpdateReason,
		},
	}
}

// lines is the list of those sign-ons that are among the activities of a filter; false when none is.
func (f ActivityFilter) lines(env string) (l list, some bool) {
	who := cmp.Or(f.Actor, f.Subject)
	user, named := strings.CutPrefix(who, whose)
	if f.Action != "" && f.Action != signOnAction || who != "" && !named || f.Subject != "" && f.Subject != who {
		return l, false
	}
	l = list{query: signOnColumns, key: "at", id: "id", word: "activity", time: true, backward: true}
	l.where("environment_id = ?", env)
	l.where("line <> ''")
	l.whereSet("user_id", user)
	l.whereSet("id", f.SignOnID)
	f.narrow(&l, "line")
	return l, true
}

// merged puts together two parts of a list, each in the order that is asked for, and returns the
// first so many.
func merged(a, b []Activity, most int, newestFirst bool) []Activity {
	all := append(a, b...)
	slices.SortFunc(all, func(x, y Activity) int {
		order := cmp.Or(x.At.Compare(y.At), strings.Compare(x.ID, y.ID))
		if newestFirst {
			return -order
		}
		return order
	})
	return all[:min(most, len(all))]
}
