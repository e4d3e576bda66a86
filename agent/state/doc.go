// Package state owns the state folder: what an instance is, the keys that it
// proves it with, and what the cloud delivered last. It is the only room that
// touches files with secrets.
//
// Called by agent. It never talks to anyone and never prints a key.
//
// # What is in the folder
//
//	instance.json   who this instance is, its private keys; readable by its owner only
//	door.json       where the running gateway answers "status", on Windows
//	epoch.json      how far it has come; the cloud tells a copied folder by it
//	next.json       other pairs of keys: while a change is under way the new one, afterwards those before
//	policy.json     the key of the policy's hash
//	rotate          somebody asked for a change of keys
//	wrong-passwords who gave wrong passwords and when, as a hash and a time, for policy.wrong_passwords
//	answered        requests that went as far as a bind, as a hash and a time: none is bound for twice
//	usertypes.cbor  the user types as delivered last, for "check" and "explain"
//
// # Promises
//
//   - A file is written whole or not at all: a new one beside it is flushed to
//     the disk and renamed over it. Lines are added to wrong-passwords and answered;
//     reading them tells when one is damaged or cut, which costs that one alone.
//   - The folder is made with mode 0700 and the files with 0600. A folder or an
//     instance file that others may read is refused, with the command that mends it.
package state
