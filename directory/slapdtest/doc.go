// Package slapdtest starts a real OpenLDAP slapd for a test or a benchmark, with a
// folder, ports and certificates of its own, and stops it when the test ends.
//
// Tests of the directory room, end-to-end tests and benchmarks call it. It needs
// /usr/sbin/slapd with its schema files and modules, as Debian installs them; without
// it a test fails and says what to install, rather than passing untested.
//
// # Promises
//
//   - Start returns when the server answers. A taken port is no failure: another is
//     tried.
//   - Restart comes back on the same ports with the same data.
//   - The statistics log is kept in memory; after Stop it is complete, so counts are
//     exact then.
//   - As root, slapd runs as nobody.
//
// # Never
//
// It never touches the system's own slapd, its configuration or its data.
package slapdtest
