// Package evidence owns what an identity provider has proven of one person, whatever
// protocol brought it, and how the groups in it are read.
//
// Made by relying and samlsp, read by idp, which gives it to the provisioner. It
// knows no protocol, no store and no network.
//
// # Verdicts
//
// A list of groups in a claim is all that the provider says, so it alone may take
// groups away; and only when every source was asked, and nothing says that it was cut.
//
//	what came                                              verdict
//	a list of texts, or one text; of several sources all   complete
//	an empty list, an attribute without a value            complete: none
//	an empty text, where a delimiter makes texts lists     complete: none
//	no such claim, or null                                 unknown
//	no such claim, and the provider's setting says so      complete: none
//	a claim source that names the claim, or is malformed   partial: what is there
//	"hasgroups", "_group_claim…", unless they deny it      partial: what is there
//	a claim groups:src1, an attribute groups.link          partial: what is there
//	an element that is no name, as an empty text           partial: the others
//	more than [MostGroups], or a name too long             partial: the others
//	UserInfo failed                                        partial, or unknown without any
//
// # Promises
//
//   - A name is trimmed and brought to NFC, and otherwise kept as it is: neither case
//     nor commas mean anything. A delimiter of the settings splits each text, in a
//     list or alone, of whatever protocol.
//   - A subject is compared as it is; one that a store may change is refused.
//   - A list of a hundred thousand elements takes no more than its own length of work.
//   - What a claim source names is never fetched: an address that a token chose.
package evidence
