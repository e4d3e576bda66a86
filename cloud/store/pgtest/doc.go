// Package pgtest starts a real PostgreSQL for a test, with a folder, a port and a
// password of its own, and stops it when the test ends.
//
// Tests of the store, of the rooms that write much to it, and end-to-end tests
// call it. It needs what Debian installs as postgresql; without it a test fails
// and says what to install.
//
// # Every test of a room, once more
//
// A room that calls [Again] in one of its tests, and asks [Database] where its
// store is to be, has all of its tests run a second time on PostgreSQL: in a
// process of its own, with a fresh schema for each store.
//
// # Promises
//
//   - Start returns when the server answers. A taken port is no failure: another is
//     tried.
//   - Databases are made from an empty template, and sort as people do (ICU), not
//     as bytes: what depends on the order of bytes shows.
//   - As root, the server runs as postgres.
//
// # Never
//
// It never touches the system's own PostgreSQL, its configuration or its data.
// Its data would not survive a power cut: only the server writes less carefully.
package pgtest
