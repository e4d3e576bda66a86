// Package mapping owns the templates that make a user's record of a directory
// entry: "${ldapAttributes.mail}", or "${ldapAttributes.givenName} (ext)"; or of what
// an identity provider says: "${providerAttributes.email}".
//
// Called by usertypes, to tell a wrong template and to know which attributes an
// agent is asked for, by signon and idp, to fill a record, by providers, and by console,
// which shows the attribute alone. It knows no record, no directory and no protocol.
//
// # Promises
//
//   - A template never fails at a sign-on: what is wrong with it is told when it
//     is written. An attribute without a value gives the empty text.
//   - An attribute's name matches without regard to case (RFC 4512 section 2.5),
//     and of several values the first counts. A claim's name matches exactly.
//   - What a provider says fills no property with more than 1,024 characters, nor a
//     username with line ends: such a value counts as none.
package mapping
