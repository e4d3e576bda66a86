// Package policy owns what gateway.hcl lets a cloud ask: where people and groups
// are looked for, which attributes and groups leave, what may stand in a filter,
// how often, and whether passwords are changed.
//
// Called by agent/signon, which asks before it does anything, by agent, which
// tells the cloud what the policy is, and by agent/command. It asks no directory
// and knows no link.
//
// # Promises
//
//   - It only ever narrows: nothing here makes a request reach further than it asks.
//   - Every refusal names the key of gateway.hcl that would allow it.
//   - What is no DN is below no base.
//   - A value that names an entry which is kept back leaves in no attribute, and finds
//     nobody: what names groups of its entry by itself, as memberOf and its like, leaves
//     as groups only, and in every other attribute values are looked at one by one.
//   - A filter compares what says who somebody is with what is typed, and with nothing
//     else, unless the file names the attribute.
//   - A group that does not leave is nobody: its entry is as if it were not there, also
//     beside the person's. What has the class of a person, and none of a group, is no
//     group, whatever a pattern means.
//   - A [Policy] does not change; another file makes another one.
package policy
