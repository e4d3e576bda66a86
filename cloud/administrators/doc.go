// Package administrators owns how an administrator proves who they are: by
// password (Argon2id, RFC 9106), by one-time password beside it (RFC 6238) or a recovery code, or
// by passkey (W3C Web Authentication Level 3).
//
// Called by console, by management for set-up secrets, and by factors for the second factor of people.
// It promises that:
//
//   - a password costs the same to check for a name that does not exist
//   - no more than two passwords are hashed at once, each in 64 MiB, one of them at most of a
//     stranger and one of an account; strangers take turns, by neighbourhood, network and name,
//     so that whoever comes from elsewhere than they is next
//   - a set-up secret is good once, until its time is over, and no server is sent it by its link
//   - a one-time password is good once, also over several nodes; so is one of a person, who
//     proves the rest to their own organisation
//   - a recovery code, in the place of the second factor, is good once, and kept as a hash
//   - the secret of one-time passwords is kept sealed
//   - a passkey is taken for no other site than this cloud's addresses, and of an administrator only
//     when its holder was verified; a person's stands beside another proof
//   - a sign-in or set-up that was refused is written, as far as SECURITY.md says, alike for a name that
//     nobody has; that name is not
//
// It does not know sessions, pages or how many tries somebody has.
package administrators
