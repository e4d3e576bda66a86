// Package cloudlinktest owns a cloud's end of the link that lives in the test's
// process: a real websocket server with the real handshake, and faults as fields.
//
// Called by the tests of cloudlink and agent. It runs over real sockets or,
// by [Cloud.Client], over pipes, which makes it usable in a synctest bubble.
// It is never part of a program.
package cloudlinktest
