package store

import (
	"cmp"
	"slices"
	"strings"
)

// What compatible clients say of a thing and want told again is kept with it, and read
// by nobody else here. Blank lists the properties that came as empty texts: whoever says
// "" is told "", and whoever says nothing is told nothing.

// EnvironmentKept is what is kept so of an environment.
type EnvironmentKept struct {
	Blank       []string  `json:"blank,omitempty"`
	Description string    `json:"description,omitempty"`
	Type        string    `json:"type,omitempty"`
	Region      string    `json:"region,omitempty"`
	License     string    `json:"license,omitempty"`
	Products    []Product `json:"products,omitzero"`
}

// Product is one entry of an environment's bill of materials.
type Product struct {
	ID          string         `json:"id,omitempty"`
	Type        string         `json:"type"`
	Description *string        `json:"description,omitempty"`
	Console     *ProductPlace  `json:"console,omitempty"`
	Bookmarks   []ProductPlace `json:"bookmarks,omitzero"`
}

// ProductPlace is an address of a product, with a name if it is a bookmark.
type ProductPlace struct {
	Name string `json:"name,omitempty"`
	Href string `json:"href"`
}

// PopulationKept is what is kept so of a population.
type PopulationKept struct {
	Blank        []string `json:"blank,omitempty"`
	Language     *string  `json:"preferredLanguage,omitempty"`
	Alternatives []string `json:"alternativeIdentifiers,omitzero"`
}

// GroupKept is what is kept so of a group.
type GroupKept struct {
	Blank      []string       `json:"blank,omitempty"`
	CustomData map[string]any `json:"customData,omitzero"`
}

// UserKept is what is kept so of a user; the values of a person are attributes.
type UserKept struct {
	Blank []string `json:"blank,omitempty"`
	// MFA has the user be asked for a second factor, whatever the policy says.
	MFA bool `json:"mfaEnabled,omitempty"`
	// What a client says of codes and of the address, nil when it says nothing.
	NoCode        *bool `json:"suppressVerificationCode,omitempty"`
	EmailVerified *bool `json:"emailVerified,omitempty"`
}

// ApplicationKept is what is kept so of an application.
type ApplicationKept struct {
	Blank      []string `json:"blank,omitempty"`
	Usual      []string `json:"usual,omitempty"` // properties that came with the one value that they have here
	AuthMethod string   `json:"tokenEndpointAuthMethod,omitempty"`
	HomePage   *string  `json:"homePageUrl,omitempty"`
	// Attributes are claims of the application's own, besides those that every one has.
	Attributes []ApplicationAttribute `json:"attributes,omitempty"`
	// Scopes are those that the application was granted; nil: all that there are.
	Scopes []string `json:"scopes,omitzero"`
	// Policies are the sign-on policies that were assigned: see [ApplicationKept.PolicyIDs].
	Policies []PolicyAssignment `json:"policies,omitempty"`
}

// Grants tells whether an application may have what a scope stands for. That somebody has
// signed on it may always know.
func (k ApplicationKept) Grants(scope string) bool {
	return k.Scopes == nil || scope == "openid" || slices.Contains(k.Scopes, scope)
}

// ApplicationAttribute is a claim of an ID token, or an attribute of an assertion, with what
// it is filled from.
type ApplicationAttribute struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Value    string `json:"value"`
	Required bool   `json:"required"`
	// NameFormat is that of SAML, which an assertion says of the attribute; empty: not said.
	NameFormat string `json:"nameFormat,omitempty"`
	// Where OpenID Connect tells the claim; nil: nothing was said, and it does.
	InIDToken  *bool `json:"idToken,omitempty"`
	InUserInfo *bool `json:"userInfo,omitempty"`
}

// PolicyIDs are those of the sign-on policies that were assigned, the first of them first;
// none: the default one is the application's.
func (k ApplicationKept) PolicyIDs() (ids []string) {
	byPriority := func(a, b PolicyAssignment) int { return cmp.Compare(a.Priority, b.Priority) }
	for _, p := range slices.SortedStableFunc(slices.Values(k.Policies), byPriority) {
		ids = append(ids, p.Policy)
	}
	return ids
}

// Property is the property of a user that fills the claim: X of "${user.X}".
func (a ApplicationAttribute) Property() string {
	return strings.TrimSuffix(strings.TrimPrefix(a.Value, "${user."), "}")
}

// PolicyAssignment has an application use a sign-on policy.
type PolicyAssignment struct {
	ID       string `json:"id"`
	Policy   string `json:"policy"`
	Priority int    `json:"priority"`
}
