// Package cloud owns the program ldap-cloud: it puts the rooms below it together
// and answers on one address.
//
// Called by the main package in ldap-cloud and by demo. It decides nothing about
// sign-ons, records or links; it says which room answers which path.
//
//	path                    room
//	/link/v1/…              hub, pairing    the agents' end
//	/v1/…, /ENV/as/token    api             programs
//	/ENV/as/…               oidc            applications
//	/ENV/signon             signonpage      people
//	/console/…              console         administrators
//
// # Promises
//
//   - Plain HTTP is served on loopback addresses only.
//   - A stop is graceful: agents are told to go elsewhere, requests under way are
//     answered, the store is closed last.
//   - What "init" prints as secret is kept as a hash only and cannot be shown again.
package cloud
