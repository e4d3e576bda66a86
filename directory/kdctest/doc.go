// Package kdctest starts a real MIT Kerberos KDC (RFC 4120) for a test, with a realm, a
// folder and a port of its own, and stops it when the test ends.
//
// Tests of the directory room, of the cloud's Kerberos room and end-to-end tests call
// it. It needs krb5kdc, kdb5_util, kadmin.local and kinit, as Debian's krb5-kdc,
// krb5-admin-server and krb5-user install them. Without them a test fails and says what
// to install, rather than passing untested.
//
// # Promises
//
//   - Start returns when the KDC gives tickets. A taken port is no failure: another is
//     tried.
//   - Restart comes back on the same port with the same principals.
//   - Two KDCs at a time do not meet, also when their realms have one name.
//
// # Never
//
// It never reads or writes the system's krb5.conf, key tables or ticket caches, and
// never changes the environment of the test's process.
package kdctest
