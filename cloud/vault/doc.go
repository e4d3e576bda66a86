// Package vault owns the cloud's master key, and seals with it what the database
// keeps and must not show: the keys of Kerberos services and of token signing.
//
// Called by cloud, which opens it at start, and by kerberos and oidc, which seal
// and open. It knows no database.
//
// # Promises
//
//   - What is sealed can be opened only with the same master key, for the same
//     purpose and the same owner: AES-256-GCM (NIST SP 800-38D) under a key that
//     HKDF (RFC 5869) makes for the purpose, with the owner as associated data.
//   - The master key's file is made for its owner only, whole or not at all, and
//     one that others than owner and group may read, or others than the owner may
//     write, is refused.
//   - A key never prints.
package vault
