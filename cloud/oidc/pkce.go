package oidc

import (
	"regexp"

	"github.com/zitadel/oidc/v3/pkg/oidc"

	"ldap-gateway/cloud/store"
)

// What a challenge and its verifier are made of (RFC 7636 sections 4.1 and 4.2). By S256
// a challenge is a hash, whose length is known.
var (
	unreserved = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)
	hashed     = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)
)

// checkChallenge tells whether the application may begin with what it sent of PKCE.
// What is sent is held to the RFC whatever the application may leave out: a challenge
// that cannot be verified is an error, and none that is passed over. Without a method it
// is plain, as the RFC has it.
func checkChallenge(a store.Application, wish *request) error {
	how, s256 := a.PKCE(), wish.Method == string(oidc.CodeChallengeMethodS256)
	switch {
	case wish.Challenge == "" && wish.Method != "":
		return refused("There is a code_challenge_method and no code_challenge.")
	case wish.Challenge == "" && how != store.PKCEOptional:
		return refused("A code_challenge is required: switch PKCE on in the application, with the method S256.")
	case wish.Challenge == "", s256 && hashed.MatchString(wish.Challenge):
		return nil
	case s256:
		return refused("The code_challenge is no SHA-256 in base64url.")
	case how == store.PKCES256:
		return refused("A code_challenge with the method S256 is required.")
	case wish.Method != "" && wish.Method != string(oidc.CodeChallengeMethodPlain):
		return refused("The code_challenge_method is neither S256 nor plain.")
	case !unreserved.MatchString(wish.Challenge):
		return refused("The code_challenge is not of 43 to 128 letters that it may have.")
	}
	wish.Method = string(oidc.CodeChallengeMethodPlain)
	return nil
}

// checkVerifier tells whether a code may be redeemed with what was sent of PKCE. A verifier
// for a code without a challenge is an error: somebody has had the challenge taken away
// (RFC 9700 section 2.1.1). What the application must do is looked at as it is now.
func checkVerifier(a store.Application, r request, verifier string) error {
	if r.Challenge == "" {
		if verifier != "" || a.PKCE() != store.PKCEOptional {
			return oidc.ErrInvalidGrant().WithDescription("The code was asked for without a code_challenge.")
		}
		return nil
	}
	challenge := r.challenge()
	switch {
	case a.PKCE() == store.PKCES256 && challenge.Method != oidc.CodeChallengeMethodS256:
		return oidc.ErrInvalidGrant().WithDescription("The code was asked for with another code_challenge_method than S256.")
	case verifier == "":
		return oidc.ErrInvalidGrant().WithDescription("The code_verifier is missing.")
	case !unreserved.MatchString(verifier) || !oidc.VerifyCodeChallenge(challenge, verifier):
		return oidc.ErrInvalidGrant().WithDescription("The code_verifier is not that of the code.")
	}
	return nil
}

// challenge returns what the verifier of a code must match; nil when there is none.
func (r request) challenge() *oidc.CodeChallenge {
	if r.Challenge == "" {
		return nil
	}
	method := oidc.CodeChallengeMethod(r.Method)
	if method == "" {
		method = oidc.CodeChallengeMethodS256 // of before there were others
	}
	return &oidc.CodeChallenge{Challenge: r.Challenge, Method: method}
}
