// Package directorytest is a real LDAP server in the process, for tests and for the
// demonstration: it speaks RFC 4511 over TCP, StartTLS and LDAPS, and evaluates
// filters truly.
//
// The zero Server works; Start makes one that a test's end closes. Entries come from
// LDIF or Add and can be changed while it runs. Faults are set while it runs, too:
// delay, silence, a reset after some entries, a connection closed when a bind has
// been received, any result code, search references. Everything that clients did is
// in the log: binds, searches and password changes with their connection and identity.
//
// # Promises
//
//   - A search returns what its filter, base and scope say, in the order in which
//     entries were added. Equality ignores case and surplus blanks, compares DN values
//     as DNs and octets that are not text as octets; numbers are ordered as numbers.
//   - memberOf is computed from member and uniqueMember, as the MemberOf field says.
//   - Operational attributes are returned only when asked for by name or with "+".
//   - A connection remembers one paged search, as OpenLDAP does; an older cookie is
//     refused.
//   - Close returns when every connection and goroutine is gone.
//
// # Never
//
// It knows no schema and no access control, never returns userPassword, and lets
// nothing but passwords be changed through LDAP. An attribute that an entry lacks makes an assertion false,
// never undefined (a real server says undefined for types that it does not know).
package directorytest
