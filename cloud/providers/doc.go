// Package providers owns what an identity provider's settings may be: the checks, what
// is usual, and what the well-known makers call things.
//
// Called by management, which keeps settings, and by api and console, which show them.
// It asks no provider anything and knows no sign-on.
//
// # Promises
//
//   - What it lets through, idp can use: an address that can be called, a template
//     that can be filled, a pattern that compiles.
//   - An address is https. Plain http is taken of this machine alone.
//   - A provider that signs with nothing that is known signs nobody on: without a
//     certificate a SAML provider cannot be enabled.
package providers
