package store

import (
	"context"
	"slices"
	"strings"
)

// Claims tells whether a username is one that the user type is for: its patterns say so.
// A user type without patterns claims none, and is for whom nobody claims.
func (t UserType) Claims(username string) bool {
	name := Fold(Typed(username))
	for _, pattern := range t.Usernames {
		if like(Fold(pattern), name) {
			return true
		}
	}
	return false
}

// claims tells whether a user type of the gateway is for certain usernames.
func (g Gateway) claims() bool {
	return slices.ContainsFunc(g.UserTypes, func(t UserType) bool { return len(t.Usernames) > 0 })
}

// like tells whether text is like a pattern, in which "*" stands for any text. Its work
// is bounded by the product of both lengths.
func like(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	last := len(parts) - 1
	if last == 0 {
		return pattern == text
	}
	text, begins := strings.CutPrefix(text, parts[0])
	if !begins {
		return false
	}
	for _, part := range parts[1:last] {
		_, after, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text = after
	}
	return strings.HasSuffix(text, parts[last])
}

// Claimants returns the user types of all gateways of an environment, also of those that
// are switched off, that claim a username; none when nobody does.
func (r reader) Claimants(ctx context.Context, env, username string) ([]UserTypeRef, error) {
	gateways, err := r.claiming(ctx, env)
	return claimants(gateways, username), err
}

// claiming returns the gateways of an environment with user types that are for certain
// usernames.
func (r reader) claiming(ctx context.Context, env string) ([]Gateway, error) {
	return queryAll(ctx, r.c, scanGateway, gatewayColumns+` WHERE environment_id = $1 AND claims AND NOT going`, env)
}

// claimants returns those of the user types that claim a username.
func claimants(gateways []Gateway, username string) (all []UserTypeRef) {
	for _, g := range gateways {
		for _, t := range g.UserTypes {
			if t.Claims(username) {
				all = append(all, UserTypeRef{g.ID, t.ID})
			}
		}
	}
	return all
}
