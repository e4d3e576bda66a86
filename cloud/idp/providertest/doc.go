// Package providertest runs identity providers that other people wrote, for tests:
// npm's oidc-provider and samlp, pysaml2, SimpleSAMLphp and LemonLDAP::NG. They listen on
// loopback and are gone with the test.
//
// Its way of installing npm packages is clienttest's as well.
//
// "make tools" installs what they need. A provider that cannot be had fails the test.
package providertest
