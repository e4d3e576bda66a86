package oidc

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/store"
)

// overflowClaim says how many groups there are when they are too many for a token.
const overflowClaim = "groups_overflow"

// sourcesClaim says where groups are that are not in a token.
const sourcesClaim = "_claim_sources"

// extent is how much of a person's groups goes somewhere, and so where that is.
type extent bool

const (
	whole extent = true  // all of them, to UserInfo and the like
	short extent = false // as many bytes as an ID token of the application may have
)

// granted returns whose sign-on it was and the application that it was for, while both may
// have tokens of it; store.ErrNotFound when one may not any more.
// Everything that gives or opens a token asks here.
func (p *provider) granted(
	ctx context.Context, by store.SignedOn, application string,
) (store.User, store.Application, error) {
	u, a, err := p.enabled(ctx, by, application)
	if err == nil {
		err = p.admitted(ctx, a, u)
	}
	return u, a, err
}

// enabled is granted whoever the application is for.
func (p *provider) enabled(
	ctx context.Context, by store.SignedOn, application string,
) (u store.User, a store.Application, err error) {
	if u, err = p.Store.SignedOnPerson(ctx, p.env, by); err != nil {
		return u, a, err
	}
	a, err = p.application(ctx, application)
	return u, a, err
}

// errNotAdmitted says that somebody is not in the groups that an application is for. It is
// store.ErrNotFound: they have nothing there.
var errNotAdmitted = fmt.Errorf("the person is not in the groups of the application: %w", store.ErrNotFound)

// admitted is errNotAdmitted for who may not use an application.
func (p *provider) admitted(ctx context.Context, a store.Application, u store.User) error {
	may, err := applications.Admitted(ctx, p.Store, a.AccessRule(), u)
	if err == nil && !may {
		err = errNotAdmitted
	}
	return err
}

// fill writes what an application may know of a person.
func (p *provider) fill(
	ctx context.Context, info *oidc.UserInfo, by store.SignedOn, application string, scopes []string, groups extent,
) error {
	u, a, err := p.granted(ctx, by, application)
	if err != nil {
		return err
	}
	info.Subject = u.ID
	scopes = slices.DeleteFunc(slices.Clone(scopes), func(s string) bool { return !a.Kept.Grants(s) })
	for _, scope := range scopes {
		switch scope {
		case oidc.ScopeProfile:
			info.PreferredUsername, info.GivenName, info.FamilyName = u.Username, u.GivenName, u.FamilyName
			info.Name = strings.TrimSpace(u.GivenName + " " + u.FamilyName)
			info.UpdatedAt = oidc.FromTime(u.UpdatedAt)
		case oidc.ScopeEmail:
			info.Email = u.Email
			info.EmailVerified = oidc.Bool(a.OpenID.EmailVerified && u.Email != "") // not said when it is not
		case scopeGroups:
			err = p.fillGroups(ctx, info, u, a.Groups, groups)
		}
	}
	fillOwn(info, u, a, groups)
	return err
}

// fillOwn writes the claims that an application has of its own, as far as they are told
// there. One without a value is left out.
func fillOwn(info *oidc.UserInfo, u store.User, a store.Application, to extent) {
	for _, claim := range a.Kept.Attributes {
		told := claim.InIDToken
		if to == whole {
			told = claim.InUserInfo
		}
		if told != nil && !*told {
			continue
		}
		if value := u.Property(claim.Property()); value != "" {
			info.AppendClaims(claim.Name, value)
		}
	}
}

// fillGroups writes a person's groups, or where they are to be had.
func (p *provider) fillGroups(
	ctx context.Context, info *oidc.UserInfo, u store.User, rule store.GroupsClaim, groups extent,
) error {
	most := rule.TokenBytes()
	if groups == short && most == 0 {
		p.distribute(info)
		return nil
	}
	values, err := p.groupsOf(ctx, u, rule)
	if err != nil {
		return err
	}
	text, err := json.Marshal(values)
	if err != nil {
		return err
	}
	if groups == short && len(text) > most {
		info.AppendClaims(overflowClaim, len(values))
		p.distribute(info)
		return nil
	}
	info.AppendClaims(scopeGroups, values)
	return nil
}

// distribute says where groups are to be had that are not in a token (OpenID Connect Core
// section 5.6.2).
func (p *provider) distribute(info *oidc.UserInfo) {
	info.AppendClaims("_claim_names", map[string]string{scopeGroups: "groups"})
	info.AppendClaims(sourcesClaim, map[string]any{
		"groups": map[string]string{"endpoint": p.Issuer(p.env) + groupsPath},
	})
}

// openGroups lets whoever has nothing but the ID token get the groups that are not in it, as an API
// server of Kubernetes does.
func (s *storage) openGroups(info *oidc.UserInfo) {
	if sources, there := info.Claims[sourcesClaim].(map[string]any); there && s.groupsToken != "" {
		sources["groups"].(map[string]string)["access_token"] = s.groupsToken
	}
}

// groupsOf returns what an application may know of a person's groups, in an order that
// does not change.
func (p *provider) groupsOf(ctx context.Context, u store.User, rule store.GroupsClaim) ([]any, error) {
	all, err := applications.Groups(ctx, p.Store, u, rule)
	if err != nil {
		return nil, err
	}
	values := []any{} // none is an empty list
	for _, g := range all {
		values = append(values, applications.Value(rule.Value, g))
	}
	slices.SortFunc(values, func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return values, nil
}

// SetUserinfoFromScopes is the library's older way.
func (s *storage) SetUserinfoFromScopes(context.Context, *oidc.UserInfo, string, string, []string) error {
	return nil
}

// SetUserinfoFromRequest writes what goes into an ID token.
func (s *storage) SetUserinfoFromRequest(
	ctx context.Context, info *oidc.UserInfo, r op.IDTokenRequest, scopes []string,
) error {
	by, err := signedOn(r)
	if by.SignOnID != "" { // is not known of a refresh token
		info.AppendClaims(sessionClaim, by.SignOnID)
	}
	if err == nil {
		err = s.fill(ctx, info, by, r.GetClientID(), scopes, short)
	}
	if errors.Is(err, store.ErrNotFound) {
		return oidc.ErrInvalidGrant().WithDescription("The person may not sign on any more.")
	}
	s.openGroups(info)
	return err
}

// signedOn is of whom a request of the library's is; errNotHere when it is of another kind.
func signedOn(r op.IDTokenRequest) (store.SignedOn, error) {
	switch r := r.(type) {
	case *authRequest:
		return r.SignedOn, nil
	case *refreshRequest:
		return r.SignedOn, nil
	}
	return store.SignedOn{}, errNotHere
}

// SetUserinfoFromToken is not asked: userinfo answers itself.
func (s *storage) SetUserinfoFromToken(context.Context, *oidc.UserInfo, string, string, string) error {
	return errNotHere
}

// SetIntrospectionFromToken is not: introspect answers itself.
func (s *storage) SetIntrospectionFromToken(
	context.Context, *oidc.IntrospectionResponse, string, string, string,
) error {
	return errNotHere
}
