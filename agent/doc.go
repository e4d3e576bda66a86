// Package agent owns the running agent: the instance, what lives together in it
// and in what order that stops. It joins the directory to the link, with the
// customer's policy between them, and writes down what the cloud asked.
//
// Called by agent/command, for "run". The steps of one sign-on are in
// agent/signon.
//
//	room           owns
//	signon         the answer to one sign-on
//	policy         what gateway.hcl lets a cloud ask
//	health         the list of problems, and who may read it
//	command        the command line, with dialogue below it
//	audit          the file of what was asked; rotated, files that are rotated away
//	state          the state folder: keys, credential, user types as delivered
//	service        life under systemd and the Windows service manager
//	version        which version this is
//
// # Promises
//
//   - Each request of the cloud, and each message that was refused, is a line of
//     the audit file, also when it is answered by the link or ends in a panic.
//   - Another file is taken on whole or not at all. A link answers from the file
//     that it began with, and is left once another is up.
//   - [Instance.Run] ends only with its context. Not being paired, a lost cloud
//     and a lost directory are states that it leaves by itself.
package agent
