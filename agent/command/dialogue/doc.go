// Package dialogue owns asking a person, one plain line after the other: on any
// terminal, through a pipe, or not at all when every answer was given beforehand.
//
// Called by agent/command, for "ldap-gateway setup". It knows nothing of what it asks, and
// keeps no answer.
//
// # Promises
//
//   - "back" as an answer returns to the question before; the caller's steps say
//     what that is.
//   - A secret is not shown on a terminal while it is typed, and is never printed.
//   - A question ends with its context, and the terminal is as it was then.
//   - Nothing is written but prompts.
package dialogue
