package oidc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"ldap-gateway/cloud/store"
)

// MaxGroups is how many groups an ID token may have. Cookies and headers carry
// ID tokens, and most servers take 8 KB of them.
const MaxGroups = 100

// overflowClaim says how many groups there are when they are not in a token.
const overflowClaim = "groups_overflow"

// granted returns whose sign-on it was and the application that it was for, while both may
// have tokens of it; store.ErrNotFound when one may not any more.
// Everything that gives or opens a token asks here.
func (p *provider) granted(
	ctx context.Context, by store.SignedOn, application string,
) (store.User, store.Application, error) {
	u, err := p.Store.SignedOnUser(ctx, p.env, by)
	if err != nil {
		return store.User{}, store.Application{}, err
	}
	a, err := p.application(ctx, application)
	return u, a, err
}

// application returns one that is enabled; store.ErrNotFound when there is none.
func (p *provider) application(ctx context.Context, id string) (store.Application, error) {
	a, err := p.Store.Application(ctx, p.env, id)
	if err == nil && !a.Enabled {
		err = store.ErrNotFound
	}
	return a, err
}

// fill writes what an application may know of a person, with at most so many
// groups; 0 for all.
func (p *provider) fill(
	ctx context.Context, info *oidc.UserInfo, by store.SignedOn, application string, scopes []string, mostGroups int,
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
		case scopeGroups:
			err = p.fillGroups(ctx, info, u, a.Groups, mostGroups)
		}
	}
	fillOwn(info, u, a)
	return err
}

// fillOwn writes the claims that an application has of its own. One without a value is
// left out.
func fillOwn(info *oidc.UserInfo, u store.User, a store.Application) {
	for _, claim := range a.Kept.Attributes {
		if value := u.Property(claim.Property()); value != "" {
			info.AppendClaims(claim.Name, value)
		}
	}
}

func (p *provider) fillGroups(
	ctx context.Context, info *oidc.UserInfo, u store.User, rule store.GroupsClaim, most int,
) error {
	all, err := p.Store.UserGroups(ctx, p.env, u.ID)
	if err != nil {
		return err
	}
	from := sources{p: p, named: rule.Sources}
	values := []any{} // none is an empty list
	for _, g := range all {
		known, err := from.has(ctx, g.Group)
		if err != nil {
			return err
		}
		if allowed(rule.Allow, g.Group, known) {
			values = append(values, valueOf(rule.Value, g.Group))
		}
	}
	if most > 0 && len(values) > most {
		info.AppendClaims(overflowClaim, len(values))
		return nil
	}
	slices.SortFunc(values, func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	info.AppendClaims(scopeGroups, values)
	return nil
}

// allowed tells whether an application may know of a group, which is of a source that
// it knows, or not.
func allowed(patterns []string, g store.Group, known bool) bool {
	if len(patterns) == 0 {
		return known
	}
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		return pattern == g.ID || known && matches(strings.ToLower(pattern), strings.ToLower(g.Name))
	})
}

// matches tells whether a text is what a pattern says, in which * stands for any
// text. What path.Match gives another meaning means itself.
func matches(pattern, text string) bool {
	const slash = "\x00" // path.Match's * stops at a slash
	pattern = strings.NewReplacer(`\`, `\\`, "?", `\?`, "[", `\[`, "/", slash).Replace(pattern)
	ok, err := path.Match(pattern, strings.ReplaceAll(text, "/", slash))
	return err == nil && ok
}

// groupObject is a group with its source, so that no two are mistaken for one.
type groupObject struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName,omitempty"`
	SourceType  string `json:"sourceType,omitempty"`
	SourceID    string `json:"sourceId,omitempty"`
}

// valueOf is a group as the application wants it: its name unless it says otherwise.
func valueOf(kind string, g store.Group) any {
	switch kind {
	case store.GroupObjects:
		return groupObject{g.ID, g.Name, g.DisplayName, string(g.SourceType), g.SourceID}
	case store.GroupIDs:
		return g.ID
	case store.GroupDisplayNames:
		return g.DisplayName
	}
	return g.Name
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
	if err == nil {
		err = s.fill(ctx, info, by, r.GetClientID(), scopes, MaxGroups)
	}
	if errors.Is(err, store.ErrNotFound) {
		return oidc.ErrInvalidGrant().WithDescription("The person may not sign on any more.")
	}
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

// SetUserinfoFromToken writes what userinfo answers.
func (s *storage) SetUserinfoFromToken(ctx context.Context, info *oidc.UserInfo, id, subject, _ string) error {
	t, err := s.Store.Token(ctx, s.env, id, s.now())
	if err == nil && t.SignedOn.UserID != subject {
		err = store.ErrNotFound
	}
	if err == nil {
		err = s.fill(ctx, info, t.SignedOn, t.ApplicationID, t.Scopes, 0)
	}
	if errors.Is(err, store.ErrNotFound) {
		return oidc.ErrAccessDenied().WithDescription("The access token is not good any more.")
	}
	return err
}

// SetIntrospectionFromToken tells an application of its own tokens (RFC 7662).
func (s *storage) SetIntrospectionFromToken(
	ctx context.Context, r *oidc.IntrospectionResponse, id, subject, application string,
) error {
	t, err := s.Store.Token(ctx, s.env, id, s.now())
	if err != nil {
		return err
	}
	if t.ApplicationID != application || t.SignedOn.UserID != subject {
		return store.ErrNotFound
	}
	info := new(oidc.UserInfo)
	if err := s.fill(ctx, info, t.SignedOn, application, t.Scopes, 0); err != nil {
		return err
	}
	r.SetUserInfo(info)
	r.Scope, r.ClientID, r.TokenType = t.Scopes, application, oidc.BearerToken
	r.Expiration, r.AuthTime = oidc.FromTime(t.AccessUntil), oidc.FromTime(t.SignedOn.At)
	r.AuthenticationMethodsReferences = amr(t.SignedOn)
	return nil
}
