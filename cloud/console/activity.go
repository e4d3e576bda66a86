package console

import (
	"cmp"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// actions are suggested beside the filter; others can be typed.
var actions = [...]string{
	"sign-on", "sign-on.unwritten", "user.created", "user.updated", "user.deleted", "user.linked", "user.signed-off",
	"user.account-linked", "user.account-unlinked", "user.factor-reset", "users.relinked", "person.tried",
	"users.disabled", "users.enabled", "users.signed-off", "users.deleted", "groups.deleted",
	"user.factor-added", "user.factor-replaced", "user.factor-removed", "user.factor-proven", "user.factor-refused",
	"user.factor-missing",
	"user.recovery-codes-made", "user.recovery-code-used",
	"update.refused", "password.changed",
	"password.notChanged", "group.created", "group.renamed", "group.updated", "group.deleted", "group.released",
	"membership.added", "membership.removed", "gateway.created", "gateway.updated", "gateway.deleted",
	"kerberosKeys.replaced", "kerberosKeys.deleted", "pairing.created", "pairing.deleted",
	"pairing.denied", "instance.paired", "instance.revoked", "instance.rotation",
	"instance.unpaired", "instance.quarantined", "instance.policyChanged", "database.wentBack", "identityProvider.created",
	"identityProvider.updated", "identityProvider.tried", "identityProvider.certificates",
	"identityProvider.deleted", "certificate.created", "certificate.deleted", "key.created", "key.chosen",
	"population.created",
	"population.updated", "population.deleted", "application.created", "application.updated",
	"application.refused", "application.denied", "administrator.refused",
	"application.deleted", "administrator.created", "administrator.updated", "administrator.deleted",
	"administrator.reset", "administrator.set-up", "administrator.signed-in", "administrator.recovery-code-used",
	"client.created",
	"client.updated", "client.deleted", "role.changed", "environment.created", "environment.updated",
	"environment.deleted", "application.secret-read",
	"identityProvider.secret-read", "signOnPolicy.created", "signOnPolicy.updated",
	"signOnPolicy.deleted", "alertChannel.created",
	"alertChannel.tried", "alertChannel.deleted", "alert.quieted",
}

// activityList is the page. The filter is as it was typed.
type activityList struct {
	Q, Action, Subject, From, Until string
	Zone                            string // of the days; empty: UTC
	Actions                         []string
	Activities                      []activityRow
	Pager                           pager
	Query                           template.URL // of the address, for what else shows the same
	Live                            bool
	Errors                          map[string]string
}

// Filtered tells whether anything is left out.
func (l activityList) Filtered() bool {
	return l.Q+l.Action+l.Subject+l.From+l.Until != ""
}

// activityRow is one line, with where its subject is seen.
type activityRow struct {
	store.Activity
	Link   string // empty: nowhere
	Failed bool   // it did not come to be, or should not have
	Facts  []property
}

// day is how a date is typed and sent.
// Browsers send it like this whatever they show, and so it is in the address of a
// bookmark.
const day = "2006-01-02"

// listActivity shows the newest first. What is wrong with a filter is said, and nothing
// is listed: a list that a filter did not hold for would be read as one that it did.
func (c *console) listActivity(k *call) error {
	list, f, err := c.activityFilter(k)
	if err != nil {
		return err
	}
	if len(list.Errors) > 0 {
		return k.render(http.StatusUnprocessableEntity, "activity", "Activity", list)
	}
	all, next, err := c.Store.Activities(k.Context(), k.env(), f, k.part())
	if err != nil {
		return err
	}
	list.Activities, list.Pager = rowsOf(all), k.pagerOf(next)
	return k.render(http.StatusOK, "activity", "Activity", list)
}

// rowsOf makes rows for the page and for the stream alike.
func rowsOf(all []store.Activity) (rows []activityRow) {
	for _, a := range all {
		rows = append(rows, activityRow{a, subjectPath(a), failed(a), facts(a.Detail)})
	}
	return rows
}

// wrongEnds are the ends of actions that tell of what did not come to be, or should not have.
var wrongEnds = [...]string{
	"denied", "refused", "factor-refused", "factor-missing", "unwritten", "notChanged", "quarantined", "wentBack",
}

// failed tells whether an activity is one of those, or of a sign-on that ended otherwise than well.
func failed(a store.Activity) bool {
	if outcome, told := a.Detail["outcome"].(string); told {
		return outcome != wire.OutcomeOK.String()
	}
	_, end, _ := strings.Cut(a.Action, ".")
	return slices.Contains(wrongEnds[:], end)
}

// subjectPath returns the page of what an activity is about.
// It is empty when no page is led to, as for what belongs to the environment.
func subjectPath(a store.Activity) string {
	kind, id, _ := strings.Cut(a.Subject, ":")
	switch {
	case id == "":
	case kind == "user" || kind == "group" || kind == "gateway":
		return under(kind+"s", id)
	case kind == "instance":
		// An instance has no page of its own but a place on that of its gateway.
		if g, ok := a.Detail["gateway"].(string); ok && g != "" {
			return under("gateways", g)
		}
	}
	return ""
}

// facts returns the detail of an activity in words, in the order of their names.
// Before and after of a change are objects, and are shown as JSON.
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
