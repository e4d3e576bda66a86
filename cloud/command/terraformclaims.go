package command

import (
	"context"
	"fmt"
)

// samlProvider writes an identity provider of SAML, whose certificates and key are named by their IDs.
func (e *exporter) samlProvider(r map[string]any) {
	var verification, signing any
	if all := objects(at(r, "idpVerification.certificates")); len(all) > 0 {
		var list []any
		for _, one := range all {
			list = append(list, []attribute{{"id", one["id"]}})
		}
		verification = []attribute{{"certificates", list}}
	}
	if at(r, "spSigning.key.id") != nil {
		signing = []attribute{
			{"algorithm", at(r, "spSigning.algorithm")},
			{"key", []attribute{{"id", at(r, "spSigning.key.id")}}},
		}
	}
	e.ofProvider(r, attribute{"saml", []attribute{
		{"idp_entity_id", r["idpEntityId"]},
		{"sp_entity_id", r["spEntityId"]},
		{"sso_binding", r["ssoBinding"]},
		{"sso_endpoint", r["ssoEndpoint"]},
		{"slo_binding", r["sloBinding"]},
		{"slo_endpoint", r["sloEndpoint"]},
		{"slo_response_endpoint", r["sloResponseEndpoint"]},
		{"slo_window", r["sloWindow"]},
		{"authentication_request_signed", r["authnRequestSigned"]},
		{"idp_verification", verification},
		{"sp_signing", signing},
	}})
}

// claims writes what users get of what providers say, what applications learn of users, and which
// scopes they may have.
func (e *exporter) claims(ctx context.Context) error {
	for _, p := range e.providers {
		id, name := fmt.Sprint(p["id"]), fmt.Sprint(p["name"])
		err := e.each(ctx, "/identityProviders/"+id+"/attributes", func(r map[string]any) {
			e.part("pingone_identity_provider_attribute", fmt.Sprint(name, " ", r["name"]), id, r,
				attribute{"identity_provider_id", e.reference(id)},
				attribute{"name", r["name"]},
				attribute{"update", r["update"]},
				attribute{"value", r["value"]},
			)
		})
		if err != nil {
			return err
		}
	}
	for _, a := range e.applications {
		if err := e.claimsOf(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

func (e *exporter) claimsOf(ctx context.Context, a map[string]any) error {
	id, name := fmt.Sprint(a["id"]), fmt.Sprint(a["name"])
	err := e.each(ctx, "/applications/"+id+"/attributes", func(r map[string]any) {
		var format any
		if r["name"] == "saml_subject" {
			format = r["nameFormat"]
		}
		e.part("pingone_application_attribute_mapping", fmt.Sprint(name, " ", r["name"]), id, r,
			attribute{"application_id", e.reference(id)},
			attribute{"name", r["name"]},
			attribute{"required", r["required"]},
			attribute{"value", r["value"]},
			attribute{"saml_subject_nameformat", format},
		)
	})
	if err != nil || a["protocol"] == "SAML" {
		return err
	}
	return e.each(ctx, "/applications/"+id+"/grants", func(r map[string]any) {
		e.part("pingone_application_resource_grant", name, id, r,
			attribute{"application_id", e.reference(id)},
			attribute{"resource_type", "OPENID_CONNECT"}, // the one resource that there is
			attribute{"scopes", idsOf(r["scopes"])},
		)
	})
}
