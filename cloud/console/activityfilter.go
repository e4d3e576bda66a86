package console

import (
	"errors"
	"fmt"
	"html/template"
	"strings"
	"time"
	_ "time/tzdata" // zones, where the system has none, as in a container or on Windows

	"ldap-gateway/cloud/store"
)

// activityFilter reads the filter of a request. Days are those of the zone that it names, and the last one counts.
// What is wrong with it is told by its field; what becomes of it the caller decides.
func (c *console) activityFilter(k *call) (l activityList, f store.ActivityFilter, err error) {
	l = activityList{
		Q:       k.query("q"),
		Action:  k.query("action"),
		Subject: k.query("subject"),
		From:    k.query("from"),
		Until:   k.query("until"),
		Actions: actions[:],
		Errors:  map[string]string{},
	}
	f = store.ActivityFilter{Text: l.Q, Action: l.Action}
	if f.Subject, err = c.subjectNamed(k, l.Subject); errors.As(err, new(*unknownSubject)) {
		l.Errors["subject"] = err.Error()
	} else if err != nil {
		return l, f, err
	}
	zone := zoneOf(k.query("zone"))
	if zone != time.UTC {
		l.Zone = zone.String()
	}
	for name, at := range map[string]*time.Time{"from": &f.From, "until": &f.Until} {
		text := k.query(name)
		if text == "" {
			continue
		}
		d, err := time.ParseInLocation(day, text, zone)
		if err != nil {
			l.Errors[name] = "A day looks like 2026-01-31."
			continue
		}
		if *at = d; name == "until" {
			// The day that was typed counts as a whole, so the bound is where the next
			// one begins.
			*at = d.AddDate(0, 0, 1)
		}
	}
	q := k.URL.Query()
	q.Del("cursor")
	// New ones can come on top only of the first page of a list that has no end in
	// time.
	l.Query = template.URL(q.Encode()) // #nosec G203 -- encoded
	l.Live = k.query("cursor") == "" && l.Until == "" && len(l.Errors) == 0
	return l, f, nil
}

// zoneOf returns the zone of a name as browsers have it; UTC for what is none.
func zoneOf(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil || zone == time.Local {
		return time.UTC
	}
	return zone
}

// unknownSubject says that a name leads to nobody, or to several.
type unknownSubject struct{ text string }

// Error implements error.
func (u *unknownSubject) Error() string { return u.text }

// subjectNamed returns what activities are kept of: what is typed like that, as in user:ID, and otherwise the user of
// that name, or the group of that name or display name.
func (c *console) subjectNamed(k *call, typed string) (string, error) {
	if kind, id, told := strings.Cut(typed, ":"); typed == "" || told && id != "" && !strings.ContainsAny(kind, " =,") {
		return typed, nil
	}
	u, err := c.Store.PersonByUsername(k.Context(), k.env(), typed)
	if err == nil || !errors.Is(err, store.ErrNotFound) {
		return "user:" + u.ID, err
	}
	all, _, err := c.Store.Groups(k.Context(), k.env(), store.GroupFilter{Where: store.Where{Any: []store.Where{
		{Condition: store.Condition{Field: "name", Op: store.Equal, Value: typed}},
		{Condition: store.Condition{Field: "displayName", Op: store.Equal, Value: typed}},
	}}}, store.Page{Limit: 2})
	switch {
	case err != nil:
		return "", err
	case len(all) == 0:
		return "", &unknownSubject{"Nobody and no group is called that. Look for a part of the name under Users or Groups; " +
			"who was deleted is found by Text."}
	case len(all) > 1:
		return "", &unknownSubject{fmt.Sprintf("Several groups are called that: type the name of one of them, such as %s, "+
			"or group:%s.", all[0].Name, all[0].ID)}
	}
	return "group:" + all[0].ID, nil
}
