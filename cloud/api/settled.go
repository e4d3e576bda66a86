package api

import (
	"reflect"
	"slices"
	"strings"

	"ldap-gateway/cloud/store"
)

// settledForm has what compatible clients send of an application without being asked, and
// what cannot be otherwise here. The one value that each has is taken, and told again
// when it was sent; another is refused by name.
type settledForm struct {
	ReplayProtection    *bool   `json:"additionalRefreshTokenReplayProtectionEnabled,omitempty"`
	WildcardRedirects   *bool   `json:"allowWildcardInRedirectUris,omitempty"`
	ActorRoles          *bool   `json:"assignActorRoles,omitempty"`
	DevicePolling       *int    `json:"devicePollingInterval,omitempty"`
	DeviceTimeout       *int    `json:"deviceTimeout,omitempty"`
	Hidden              *bool   `json:"hiddenFromAppPortal,omitempty"`
	ProviderSignOff     *bool   `json:"idpSignoff,omitempty"`
	IncludeX5T          *bool   `json:"includeX5t,omitempty"`
	SessionCheck        *bool   `json:"opSessionCheckEnabled,omitempty"`
	PushedRequests      *string `json:"parRequirement,omitempty"`
	PushedTimeout       *int    `json:"parTimeout,omitempty"`
	RefreshSeconds      *int    `json:"refreshTokenDuration,omitempty"`
	RollingSeconds      *int    `json:"refreshTokenRollingDuration,omitempty"`
	ManyResources       *bool   `json:"requestScopesForMultipleResourcesEnabled,omitempty"`
	SignedRequests      *bool   `json:"requireSignedRequestObject,omitempty"`
	UnsignedRequests    *bool   `json:"supportUnsignedRequestObject,omitempty"`
	RollingGraceSeconds *int    `json:"refreshTokenRollingGracePeriodDuration,omitempty"`
}

// settled are the values that there are.
func settled() settledForm {
	return settledForm{
		ReplayProtection:    new(true),
		WildcardRedirects:   new(false),
		ActorRoles:          new(false),
		DevicePolling:       new(5),
		DeviceTimeout:       new(600),
		Hidden:              new(false),
		ProviderSignOff:     new(false),
		IncludeX5T:          new(false),
		SessionCheck:        new(false),
		PushedRequests:      new("OPTIONAL"),
		PushedTimeout:       new(60),
		RefreshSeconds:      new(2_592_000),
		RollingSeconds:      new(15_552_000),
		ManyResources:       new(false),
		SignedRequests:      new(false),
		UnsignedRequests:    new(false),
		RollingGraceSeconds: new(0),
	}
}

// settledOf are those of the values that a client has sent.
func settledOf(sent []string) (f settledForm) {
	from, to := reflect.ValueOf(settled()), reflect.ValueOf(&f).Elem()
	for i := range to.NumField() {
		if slices.Contains(sent, settledName(to.Type().Field(i))) {
			to.Field(i).Set(from.Field(i))
		}
	}
	return f
}

// sent are the names of the values that were sent, and what is wrong with them.
func (f settledForm) sent() (names []string, wrongs []detail) {
	got, want := reflect.ValueOf(f), reflect.ValueOf(settled())
	for i := range got.NumField() {
		if got.Field(i).IsNil() {
			continue
		}
		name, value := settledName(got.Type().Field(i)), want.Field(i).Elem()
		if !got.Field(i).Elem().Equal(value) {
			wrongs = append(wrongs, wrong(name, "It must be %v, or left out: it cannot be otherwise here.", value))
		}
		names = append(names, name)
	}
	return names, wrongs
}

func settledName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// The ways in which an application proves itself at the token endpoint.
const (
	authBasic = "CLIENT_SECRET_BASIC"
	authPost  = "CLIENT_SECRET_POST"
	authNone  = "NONE"
	authKey   = "PRIVATE_KEY_JWT"
)

// authMethodOf is how an application says that it proves itself. Both ways of sending a
// secret are taken from one that has one, whichever it says.
func authMethodOf(a store.Application) string {
	switch {
	case a.Type != store.WebApplication:
		return authNone
	case a.ProvesByKey():
		return authKey
	case a.Kept.AuthMethod == authPost:
		return authPost
	}
	return authBasic
}

// checkAuthMethod refuses what the type of an application cannot do.
func (f applicationForm) checkAuthMethod() []detail {
	method, may := f.AuthMethod, []string{"", authNone}
	switch {
	case f.Type != store.WebApplication:
	case f.JWKS != "" || f.JWKSURL != "":
		may = []string{"", authKey}
	case method == authKey:
		return []detail{missing("jwks")}
	default:
		may = []string{"", authBasic, authPost, authKey}
	}
	if slices.Contains(may, method) {
		return nil
	}
	return []detail{wrong("tokenEndpointAuthMethod", "For an application of this type it must be one of %q.", may[1:])}
}
