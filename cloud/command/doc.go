// Package command owns the command line of ldap-cloud: what there is to say to it,
// what it prints, and the codes that it ends with.
//
// Called by the main package in ldap-cloud. It reads flags and files and calls the
// cloud room, which makes, serves, copies and mends a cloud; the commands for resources
// speak with a running cloud over its API. It decides nothing of what they do.
//
// # Promises
//
//   - 0 when it was done, 1 when it failed, 2 when it was not understood; then nothing
//     was begun.
//   - No password or token is taken from an argument.
//   - What is printed for programs goes to the standard output, all else to the
//     standard error.
package command
