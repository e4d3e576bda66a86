// Package clienttest runs applications on libraries that other people wrote, for tests:
// npm's openid-client, passport-openidconnect, express-openid-connect, @auth/core,
// oidc-client-ts, node-saml and samlify, Debian's authlib, python-social-auth, pysaml2,
// mod_auth_openidc and mod_auth_mellon, and oauth2-proxy, a Go module. Each is wired as its
// own documentation says, or as the lines of a preset do, listens on loopback, signs people
// on, and shows what it learnt as JSON.
//
// "make tools" installs what they need. One that cannot be had fails the test.
package clienttest
