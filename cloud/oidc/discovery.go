package oidc

import (
	"ldap-gateway/cloud/idp/relying"
	"net/http"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// document is what discovery tells, besides what the library has words for.
type document struct {
	*oidc.DiscoveryConfiguration
	ISS bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207
	PAR string   `json:"pushed_authorization_request_endpoint"`          // RFC 9126
	ACR []string `json:"acr_values_supported"`
	// Prompts is of OpenID Connect Prompt Create 1.0.
	Prompts []string `json:"prompt_values_supported"`
}

// discovery tells what there really is (OpenID Connect Discovery 1.0): the
// library lists flows that no application may use.
func (p *provider) discovery(w http.ResponseWriter, r *http.Request) error {
	d := op.CreateDiscoveryConfig(r.Context(), p.op, &storage{provider: p})
	d.ResponseTypesSupported = []string{string(oidc.ResponseTypeCode)}
	d.ResponseModesSupported = responseModes
	d.GrantTypesSupported = []oidc.GrantType{
		oidc.GrantTypeCode,
		oidc.GrantTypeRefreshToken,
		oidc.GrantTypeClientCredentials,
	}
	d.UILocalesSupported = p.Pages.Languages()
	d.BackChannelLogoutSupported, d.BackChannelLogoutSessionSupported = true, true
	d.DeviceAuthorizationEndpoint, d.CheckSessionIframe = "", ""
	proofs := []oidc.AuthMethod{oidc.AuthMethodBasic, oidc.AuthMethodPost, oidc.AuthMethodPrivateKeyJWT}
	d.TokenEndpointAuthMethodsSupported = append(proofs[:3:3], oidc.AuthMethodNone)
	d.RevocationEndpointAuthMethodsSupported = append(proofs[:3:3], oidc.AuthMethodNone)
	d.IntrospectionEndpointAuthMethodsSupported = proofs
	d.TokenEndpointAuthSigningAlgValuesSupported = relying.Algorithms()
	d.RevocationEndpointAuthSigningAlgValuesSupported = relying.Algorithms()
	d.IntrospectionEndpointAuthSigningAlgValuesSupported = relying.Algorithms()
	d.ClaimsSupported = []string{
		"sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "amr", "nonce", "azp", "at_hash", sessionClaim,
		"preferred_username", "name", "given_name", "family_name", "updated_at", "email", "email_verified",
		scopeGroups, overflowClaim,
	}
	answer(w, http.StatusOK, document{d, true, p.Issuer(p.env) + pushPath, contexts, []string{
		oidc.PromptNone, oidc.PromptLogin, oidc.PromptConsent, oidc.PromptSelectAccount,
	}})
	return nil
}

// jwks tells the public keys that ID tokens are signed with.
func (p *provider) jwks(w http.ResponseWriter, r *http.Request) error {
	keys, err := (&storage{provider: p}).KeySet(r.Context())
	if err != nil {
		return err
	}
	set := jose.JSONWebKeySet{}
	for _, k := range keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{
			KeyID:     k.ID(),
			Algorithm: string(k.Algorithm()),
			Use:       k.Use(),
			Key:       k.Key(),
		})
	}
	answer(w, http.StatusOK, set)
	return nil
}
