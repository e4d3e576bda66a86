// Package configs owns gateway.hcl, the one file that an administrator writes:
// its schema, its defaults, and the words in which mistakes are told. It is the
// only room that knows HCL, and it hands out plain values.
//
// Called by agent, for every command, and by installer for the samples. It
// never opens a connection and never looks at anything but the file and what
// the file names by file() and env().
//
// # Promises
//
//   - [Load] reports every mistake that it can find at once, each with file,
//     line and the source line, and does not show the values of the keys that
//     hold secrets, nor of keys that are none, which may be misspelt; nor what env(),
//     file() and credential() read; nor what stands before the host of a URL.
//   - A mistake within a value that may be secret has words of ours, its line and its
//     key: no text of a library, which may repeat a part of it.
//   - An unknown key or block is a mistake.
//   - What Load returns is complete: every default is filled in, every URL,
//     certificate and duration is parsed, nothing needs to be parsed again.
//   - A key left out means what its field's comment says.
//   - The file that a [Draft] writes is the full sample with its answers in it,
//     and loads as those answers.
//
// # Functions in the file
//
//	credential("NAME")  what systemd's LoadCredential= hands over, and else the file NAME beside gateway.hcl
//	file("PATH")        the content of a file, without its last line end; relative to gateway.hcl
//	env("NAME")         an environment variable, which must be set
//
// On Windows write paths with forward slashes: a backslash starts an escape.
package configs
