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
//   - A [Policy] does not change; another file makes another one.
package policy
