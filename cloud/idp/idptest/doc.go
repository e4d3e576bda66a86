// Package idptest has identity providers that run within the process, for tests and
// the demo: one of OpenID Connect, one of SAML, each with faults as fields.
package idptest
