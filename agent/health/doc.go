// Package health owns how the running gateway is: the one list of problems, each
// with a code, a severity and a remedy, what was counted since the start, and who
// may read it.
//
// Called by agent, which tells it what runs, and by agent/command, which asks the
// gateway that runs on the machine. It changes nothing but what [Monitor.Reloads]
// wishes.
//
//	who asks                       where                                  what they get
//	the cloud                      heartbeats, by agent                   problems
//	"ldap-gateway status"          the control socket                     everything
//	monitoring                     /live, /ready, /metrics on loopback    codes and numbers
//
// The control socket is one that only its owner can open; on Windows a loopback
// port in its place, for whoever can read the state folder. The loopback port is
// there when gateway.hcl asks for it.
//
// # Promises
//
//   - Nothing that is told is of a person.
//   - Codes of problems are final: monitoring and people search for them.
//   - A port or a socket that cannot be had stops nothing.
package health
