package provisioner

import (
	"fmt"
	"slices"

	"ldap-gateway/cloud/store"
)

// log adds an activity of this sign-on.
func (s *step) log(action, subject, text string, detail map[string]any) {
	s.activities = append(s.activities, s.activity(action, subject, text, detail))
}

// activity is one of this sign-on.
func (s *step) activity(action, subject, text string, detail map[string]any) store.Activity {
	actor := "system"
	switch {
	case s.so.InstanceID != "":
		actor = "instance:" + s.so.InstanceID
	case s.so.ProviderID != "":
		actor = "provider:" + s.so.ProviderID
	}
	return store.Activity{
		EnvironmentID: s.id.EnvironmentID,
		At:            s.so.At,
		Action:        action,
		Actor:         actor,
		Subject:       subject,
		SignOnID:      s.so.ID,
		Text:          text,
		Detail:        detail,
	}
}

// subject is the record of the sign-on.
func (s *step) subject() string { return "user:" + s.change.User.ID }

// origin is what said who the person is, in words.
func (s *step) origin() string {
	if s.id.SourceType == store.SourceIDP {
		return "the identity provider"
	}
	return "the directory"
}

// line is what activities say of the sign-on itself.
func (s *step) line() string {
	record := "record not refreshed"
	if s.refreshed {
		record = "record refreshed"
	}
	return fmt.Sprintf("%s signed on, method: %s, %s (%s)", s.change.User.Username, s.so.Method, record, s.change.Reason)
}

// refuse notes that a part of the update was not done, and logs it.
func (s *step) refuse(reason string, detail map[string]any) {
	s.note("%s", reason)
	if detail == nil {
		detail = map[string]any{}
	}
	detail["reason"] = reason
	s.log("update.refused", s.subject(), reason, detail)
}

// userCreated notes a first sign-on. What the record has is not in it: it is in the
// record.
func (s *step) userCreated() {
	u := s.change.User
	s.log("user.created", s.subject(), u.Username+" signed on for the first time",
		map[string]any{"username": u.Username, "population": u.PopulationID, "dn": u.DN})
}

// userUpdated notes which properties became others, with what they were.
func (s *step) userUpdated() {
	before, after := map[string]any{}, map[string]any{}
	for _, f := range s.change.Fields {
		before[f.Name], after[f.Name] = f.Before, f.After
	}
	what := "1 property of %s follows %s"
	if n := len(s.change.Fields); n != 1 {
		what = fmt.Sprint(n) + " properties of %s follow %s"
	}
	text := fmt.Sprintf(what, s.change.User.Username, s.origin())
	s.log("user.updated", s.subject(), text, map[string]any{"before": before, "after": after})
}

// groupsCreated are the activities of groups that nobody had seen before.
func (s *step) groupsCreated(groups []*store.Group) (all []store.Activity) {
	for _, g := range groups {
		s.change.GroupsCreated = append(s.change.GroupsCreated, *g)
		text := "group " + g.DisplayName + " was seen for the first time"
		all = append(all, s.activity("group.created", "group:"+g.ID, text,
			map[string]any{"name": g.Name, "sourceType": g.SourceType, "sourceId": g.SourceID}))
	}
	return all
}

// groupRenamed tells what people see of a group's change; taking over its ID is not among it.
func (s *step) groupRenamed(r renamed) []store.Activity {
	before, after := r.before, r.after
	if before.Name == after.Name && before.DisplayName == after.DisplayName {
		return nil
	}
	s.change.GroupsRenamed = append(s.change.GroupsRenamed, after)
	text := fmt.Sprintf("group %s is now %s", before.DisplayName, after.DisplayName)
	return []store.Activity{s.activity("group.renamed", "group:"+after.ID, text, map[string]any{
		"before": map[string]any{"name": before.Name, "displayName": before.DisplayName},
		"after":  map[string]any{"name": after.Name, "displayName": after.DisplayName}})}
}

// manyAtOnce is from how many groups on several of them share an activity, and how many.
const manyAtOnce = 100

// groupsCreatedAtOnce are the activities of many that nobody had seen before.
func (s *step) groupsCreatedAtOnce(groups []*store.Group) (all []store.Activity) {
	for some := range slices.Chunk(groups, manyAtOnce) {
		made := make([]store.Group, len(some))
		for i, g := range some {
			made[i] = *g
		}
		s.change.GroupsCreated = append(s.change.GroupsCreated, made...)
		text := fmt.Sprintf("%s were seen for the first time, %s among them", groupCount(len(some)), some[0].DisplayName)
		all = append(all, s.activity("group.created", s.source(), text, map[string]any{"groups": namesOf(made)}))
	}
	return all
}

// memberships notes each group by itself, so that the history tells of it by name; of many
// at once so many together.
func (s *step) memberships(action string, groups []store.Group) {
	verb := map[string]string{"membership.added": "joined", "membership.removed": "left"}[action]
	name := s.change.User.Username
	if len(groups) <= manyAtOnce {
		for _, g := range groups {
			s.log(action, s.subject(), fmt.Sprintf("%s %s %s", name, verb, g.DisplayName), membership(g))
		}
		return
	}
	for some := range slices.Chunk(groups, manyAtOnce) {
		text := fmt.Sprintf("%s %s %s at once, %s among them", name, verb, groupCount(len(groups)), some[0].DisplayName)
		s.log(action, s.subject(), text, map[string]any{"groups": namesOf(some)})
	}
}

// membership names a group in an activity.
func membership(g store.Group) map[string]any { return map[string]any{"group": g.ID, "name": g.Name} }

// named is a group among many in an activity.
type named struct {
	Group string `json:"group"`
	Name  string `json:"name"`
}

// namesOf names many groups.
func namesOf(groups []store.Group) []named {
	all := make([]named, len(groups))
	for i, g := range groups {
		all[i] = named{g.ID, g.Name}
	}
	return all
}

// source is where the groups come from.
func (s *step) source() string {
	if s.id.SourceType == store.SourceIDP {
		return "provider:" + s.id.SourceID
	}
	return "gateway:" + s.id.SourceID
}
