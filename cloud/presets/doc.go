// Package presets owns what usual applications need to sign people on here: which
// addresses they are told codes at, how they use PKCE, and the lines to put into their
// own configuration.
//
// Called by console, which offers them when an application is made, and shows the lines
// beside one that was made by a preset. A preset fills in a form and decides nothing:
// what may be kept of an application management says. The lines of several are run as
// they are by the tests of oidc.
package presets
