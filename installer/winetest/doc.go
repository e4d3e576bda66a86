// Package winetest runs Windows programs under a wine of its own, for tests of what
// the Windows package does to a machine.
//
// Called by tests of installer. It needs wine, as Debian installs it (wine, wine64);
// without it a test fails and says what to install, rather than passing untested.
//
// # What wine shows, and what it does not
//
// Windows Installer, the registry, the service manager with its states, files,
// sockets, DPAPI and the event log are there. Not there are access lists, service
// accounts (everything runs as one user), recovery after a crash, delayed start and
// service SIDs: those are for a real Windows.
//
// # Promises
//
//   - Start returns when the service manager answers. The prefix, of some 700 MB, is in
//     a folder of the test's own and gone with it.
//   - What runs in the prefix ends with the test.
package winetest
