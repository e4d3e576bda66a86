// Package command owns the command line of ldap-gateway: run, setup, check,
// explain, pair and the rest, and what they print.
//
// Called by the main package in ldap-gateway. It decides nothing about a sign-on:
// "check" and "explain" ask the rooms that the running gateway asks.
//
// # Promises
//
//   - The exit code is 0 for success, 1 when what was asked for did not succeed, and
//     2 for a wrong command line.
//   - What fails says what to do about it.
//   - The set-up writes nothing before its end was agreed to, and diagnose writes
//     no secret.
//   - "check" and "explain" make no bind as a person.
package command
