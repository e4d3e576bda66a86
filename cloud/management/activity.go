package management

import (
	"maps"
	"reflect"

	"ldap-gateway/cloud/store"
)

// facts are the values of one thing, by name, as an activity shows them. Nothing
// secret is in them.
type facts map[string]any

// note is one thing that was done, and to what.
type note struct {
	action, subject, text string
	before, after         facts // what there was and is; of a change the same names
	more                  facts // what else there is to know
}

// did has the activity of an action written with it.
// It may stand before the write that it tells of: both are of one transaction, and when
// the write fails there is no activity. Address and request are those of who acts; what
// they did not give is left out.
func (t *turn) did(n note) {
	detail := facts{}
	maps.Copy(detail, n.more)
	before, after := differing(n.before, n.after)
	if len(before) > 0 {
		detail["before"] = before
	}
	if len(after) > 0 {
		detail["after"] = after
	}
	for name, value := range map[string]string{"address": t.by.Address, "request": t.by.Request} {
		if value != "" {
			detail[name] = value
		}
	}
	t.notes = append(t.notes, store.Activity{
		EnvironmentID: t.env(),
		At:            t.service.now(),
		Action:        n.action,
		Actor:         t.by.Actor(),
		Subject:       n.subject,
		Text:          n.text + " by " + t.by.short(),
		Detail:        detail,
	})
}

// short names the actor in a sentence.
func (by By) short() string {
	if by.Name == "" {
		return by.ID
	}
	return by.Name
}

// differing returns what is not the same in both.
// A value that only one of both has counts as different, so that what is made tells all
// and what is deleted tells all.
func differing(before, after facts) (gone, come facts) {
	gone, come = facts{}, facts{}
	for name, value := range before {
		if other, ok := after[name]; !ok || !reflect.DeepEqual(value, other) {
			gone[name] = value
		}
	}
	for name, value := range after {
		if other, ok := before[name]; !ok || !reflect.DeepEqual(value, other) {
			come[name] = value
		}
	}
	return gone, come
}
