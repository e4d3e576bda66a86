package command

// samlApplication writes an application of SAML, whose certificates and keys are named by
// their IDs here.
func (e *exporter) samlApplication(r map[string]any) {
	var verification, encryption, signing any
	if at(r, "spVerification") != nil {
		verification = []attribute{
			{"authn_request_signed", at(r, "spVerification.authnRequestSigned")},
			{"certificate_ids", idsOf(at(r, "spVerification.certificates"))},
		}
	}
	if at(r, "spEncryption") != nil {
		encryption = []attribute{
			{"algorithm", at(r, "spEncryption.algorithm")},
			{"certificate", []attribute{{"id", at(r, "spEncryption.certificate.id")}}},
		}
	}
	if at(r, "idpSigning.key.id") != nil {
		signing = []attribute{
			{"algorithm", at(r, "idpSigning.algorithm")},
			{"key_id", at(r, "idpSigning.key.id")},
		}
	}
	e.ofApplication(r,
		attribute{"saml_options", []attribute{
			{"type", r["type"]},
			{"sp_entity_id", r["spEntityId"]},
			{"acs_urls", r["acsUrls"]},
			{"assertion_duration", r["assertionDuration"]},
			{"session_not_on_or_after_duration", r["sessionNotOnOrAfterDuration"]},
			{"assertion_signed_enabled", r["assertionSigned"]},
			{"response_is_signed", r["responseSigned"]},
			{"nameid_format", r["nameIdFormat"]},
			{"default_target_url", r["defaultTargetUrl"]},
			{"enable_requested_authn_context", r["enableRequestedAuthnContext"]},
			{"home_page_url", r["homePageUrl"]},
			{"slo_binding", r["sloBinding"]},
			{"slo_endpoint", r["sloEndpoint"]},
			{"slo_response_endpoint", r["sloResponseEndpoint"]},
			{"sp_verification", verification},
			{"sp_encryption", encryption},
			{"idp_signing_key", signing},
		}},
	)
}

// idsOf are the IDs of a list of references; nil for none.
func idsOf(value any) any {
	list, _ := value.([]any)
	var ids []any
	for _, one := range list {
		if r, is := one.(map[string]any); is {
			ids = append(ids, r["id"])
		}
	}
	if ids == nil {
		return nil
	}
	return ids
}
