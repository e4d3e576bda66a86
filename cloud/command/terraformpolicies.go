package command

import (
	"context"
	"fmt"
)

// part writes a resource that belongs to another, whose ID is of, and has no name: it is
// called as is said.
func (e *exporter) part(kind, called, of string, r map[string]any, attributes ...attribute) {
	name := e.begin(kind, map[string]any{"name": called, "id": r["id"]}, of)
	attributes = append([]attribute{{"environment_id", literal("var.environment_id")}}, attributes...)
	e.printf("\nresource %s %s %s\n", quote(kind), quote(name), render(attributes, ""))
}

// ways writes the actions of all policies, and which policies applications have. What a
// policy has of the order that nobody has set is not an action.
func (e *exporter) ways(ctx context.Context) error {
	for _, p := range e.policies {
		id, name := fmt.Sprint(p["id"]), fmt.Sprint(p["name"])
		err := e.each(ctx, "/signOnPolicies/"+id+"/actions", func(r map[string]any) { e.action(id, name, r) })
		if err != nil {
			return err
		}
	}
	for _, a := range e.applications {
		id, name := fmt.Sprint(a["id"]), fmt.Sprint(a["name"])
		err := e.each(ctx, "/applications/"+id+"/signOnPolicyAssignments", func(r map[string]any) {
			e.part("pingone_application_sign_on_policy_assignment", fmt.Sprint(name, " ", r["priority"]), id, r,
				attribute{"application_id", e.reference(id)},
				attribute{"sign_on_policy_id", e.reference(at(r, "signOnPolicy.id"))},
				attribute{"priority", r["priority"]},
			)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// action writes one. A second factor is left out, and said: the provider names an MFA policy for it, which
// there is none of here.
func (e *exporter) action(policy, name string, r map[string]any) {
	if r["type"] == "MULTI_FACTOR_AUTHENTICATION" {
		e.printf("\n# %s asks for a second factor (action %s), which is left out.\n", quote(name), quote(fmt.Sprint(r["id"])))
		return
	}
	called := fmt.Sprint(name, " ", r["type"])
	attributes := []attribute{
		{"sign_on_policy_id", e.reference(policy)},
		{"priority", r["priority"]},
		{"social_provider_ids", e.references(r["socialProviders"])},
	}
	recovery := attribute{"recovery_enabled", at(r, "recovery.enabled")}
	switch r["type"] {
	case "LOGIN":
		attributes = append(attributes, attribute{"login", block{recovery, {"new_user_provisioning", e.newUsers(r)}}})
	case "IDENTIFIER_FIRST":
		first := block{recovery}
		for _, rule := range objects(r["discoveryRules"]) {
			first = append(first, attribute{"discovery_rule", block{
				{"attribute_contains_text", at(rule, "condition.contains")},
				{"identity_provider_id", e.reference(at(rule, "identityProvider.id"))},
			}})
		}
		attributes = append(attributes, attribute{"identifier_first", first})
	case "IDENTITY_PROVIDER":
		to := e.reference(at(r, "identityProvider.id"))
		attributes = append(attributes, attribute{"identity_provider", block{{"identity_provider_id", to}}})
	}
	e.part("pingone_sign_on_policy_action", called, policy, r, attributes...)
}

// newUsers are the gateways of an action in their order; nil for none.
func (e *exporter) newUsers(r map[string]any) any {
	var all block
	for _, g := range objects(at(r, "newUserProvisioning.gateways")) {
		all = append(all, attribute{"gateway", block{
			{"id", e.reference(g["id"])},
			{"type", g["type"]},
			{"user_type_id", at(g, "userType.id")},
		}})
	}
	if all == nil {
		return nil
	}
	return all
}

// references are those of a list of resources; nil for none.
func (e *exporter) references(list any) any {
	var all []any
	for _, r := range objects(list) {
		all = append(all, e.reference(r["id"]))
	}
	if all == nil {
		return nil
	}
	return all
}

// objects are those of a list.
func objects(list any) (all []map[string]any) {
	items, _ := list.([]any)
	for _, item := range items {
		if r, is := item.(map[string]any); is {
			all = append(all, r)
		}
	}
	return all
}
