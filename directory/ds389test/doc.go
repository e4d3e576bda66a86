// Package ds389test starts a real 389 Directory Server for a test, with a folder,
// ports and certificates of its own, and stops it when the test ends.
//
// Tests of the directory room and end-to-end tests call it. It needs dscreate and ns-slapd, as Debian's
// 389-ds-base installs them, certutil and pk12util of libnss3-tools, and root, since
// dscreate wants it; the server itself runs as the package's user. Without them a test
// fails and says what to install, rather than passing untested.
//
// # Promises
//
//   - Start returns when the server answers. A taken port is no failure: another is
//     tried.
//   - memberOf is kept for groups with "member", transitively unless SkipNested says
//     otherwise, as 389 does when its plug-in is switched on.
//   - Nothing is written to /etc or /var, and systemd is not asked.
//
// # Never
//
// It never touches the system's own instances.
package ds389test
