// Package audit owns that what happens in the cloud is told to a system outside, which keeps
// it out of reach of whoever takes over the cloud: to a collector by https, or by syslog
// (RFC 5424) over TLS.
//
// Called by cloud, which runs it. It reads activities from the store, and keeps there how
// far it has come.
//
// # Promises
//
//   - Every activity of every environment is told in its order, a minute after it
//     happened: not before, so that none is passed over that a slower node writes, or one
//     whose clock is not quite right. One that is off by more is an alert of its own.
//   - Nothing is left out: what a collector did not take is told again, from the first that
//     it did not take, so one may come twice, with the same ID. By syslog nobody says what
//     was taken: what was on its way when a receiver died is lost.
//   - Of several nodes one tells; when it dies, another goes on within two minutes.
//   - Without encryption nothing is told but to this machine. No redirect is followed.
//   - A target that cannot be told is an alert, and holds nobody up.
//   - What is told begins with what happens once the target is named, and goes on where it
//     was after a time without it, as far as activities are kept.
package audit
