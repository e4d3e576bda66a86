// Package sambatest starts a real Samba Active Directory domain controller for a
// test, with a folder, a loopback address and certificates of its own, and stops it
// when the test ends.
//
// Tests of the directory room and end-to-end tests call it. It needs samba, samba-tool and the ldb tools,
// as Debian's samba-ad-dc, samba-ad-provision, samba-dsdb-modules and ldb-tools
// install them, and root, since Samba's LDAP ports cannot be chosen. Without them a
// test fails and says what to install, rather than passing untested.
//
// # Promises
//
//   - Start returns when LDAPS answers. Every Start has a loopback address of its own,
//     so that two at a time do not meet.
//   - The domain controller ends with the test, and with the test's process when that
//     dies.
//   - Restart comes back on the same address with the same data.
//
// # Never
//
// It never reads the system's smb.conf, never joins or leaves a domain, and never
// listens on anything but its loopback address.
package sambatest
