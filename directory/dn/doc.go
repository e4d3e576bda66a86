// Package dn owns comparing distinguished names: two spellings of one name are one
// [Name], whatever their case, blanks and escapes (RFC 4514), and a [Pattern] says
// which names are meant by text with '*' in it.
//
// Called by directory, agent/policy and agent/signon, wherever a decision hangs on
// which entry a name is of. It asks no server and knows no schema.
//
// # How names are compared
//
//	types     without regard to case; the names and the numbers of RFC 4519 are one
//	values    as caseIgnoreMatch compares them (RFC 4518): case, compatibility forms and runs of blanks
//	          make no difference, what is invisible is left out
//	escapes   undone first: "\2C", "\," and "," between quotation marks are one
//	RDNs      the parts of one that has several may stand in any order
//
// A server whose naming attribute is compared by case has two entries that are one
// Name here. To leave groups out that is the safe side.
//
// # Promises
//
//   - [Parse] refuses what is no name; it never guesses.
//   - Parsing and matching take time in proportion to the text, and at most one
//     more for each '*' of a pattern.
//   - A blank, a comma or a '*' within a value never stands for one between values.
package dn
