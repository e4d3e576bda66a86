package command

// application writes one of either protocol, without its claims, grants and policies, which
// come after all.
func (e *exporter) application(r map[string]any) {
	e.applications = append(e.applications, r)
	if r["protocol"] == "SAML" {
		e.samlApplication(r)
		return
	}
	e.ofApplication(r, attribute{"oidc_options", openIDOptions(r)})
}

// ofApplication writes what applications of all protocols have, and what one has of its own.
func (e *exporter) ofApplication(r map[string]any, own attribute) {
	e.resource("pingone_application", r,
		attribute{"description", r["description"]},
		attribute{"enabled", r["enabled"]},
		attribute{"hidden_from_app_portal", r["hiddenFromAppPortal"]},
		attribute{"access_control_group_options", e.access(r)},
		own,
	)
}

// access is who an application is for; nil: for all.
func (e *exporter) access(r map[string]any) any {
	list, is := at(r, "accessControl.group.groups").([]any)
	if !is {
		return nil
	}
	groups := []any{}
	for _, g := range list {
		if one, is := g.(map[string]any); is {
			groups = append(groups, e.reference(one["id"]))
		}
	}
	return []attribute{{"type", at(r, "accessControl.group.type")}, {"groups", groups}}
}

// openIDOptions are those of an application of OpenID Connect. What a client has not said
// is not told, and so left out.
func openIDOptions(r map[string]any) (all []attribute) {
	for _, option := range []struct{ name, property string }{
		{"type", "type"},
		{"grant_types", "grantTypes"},
		{"response_types", "responseTypes"},
		{"token_endpoint_auth_method", "tokenEndpointAuthMethod"},
		{"pkce_enforcement", "pkceEnforcement"},
		{"redirect_uris", "redirectUris"},
		{"post_logout_redirect_uris", "postLogoutRedirectUris"},
		{"home_page_url", "homePageUrl"},
		{"jwks", "jwks"},
		{"jwks_url", "jwksUrl"},
		{"allow_wildcard_in_redirect_uris", "allowWildcardInRedirectUris"},
		{"additional_refresh_token_replay_protection_enabled", "additionalRefreshTokenReplayProtectionEnabled"},
		{"device_polling_interval", "devicePollingInterval"},
		{"device_timeout", "deviceTimeout"},
		{"idp_signoff", "idpSignoff"},
		{"include_x5t", "includeX5t"},
		{"op_session_check_enabled", "opSessionCheckEnabled"},
		{"par_requirement", "parRequirement"},
		{"par_timeout", "parTimeout"},
		{"refresh_token_duration", "refreshTokenDuration"},
		{"refresh_token_rolling_duration", "refreshTokenRollingDuration"},
		{"refresh_token_rolling_grace_period_duration", "refreshTokenRollingGracePeriodDuration"},
		{"request_scopes_for_multiple_resources_enabled", "requestScopesForMultipleResourcesEnabled"},
		{"require_signed_request_object", "requireSignedRequestObject"},
		{"support_unsigned_request_object", "supportUnsignedRequestObject"},
	} {
		all = append(all, attribute{option.name, r[option.property]})
	}
	return all
}
