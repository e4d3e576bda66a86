// Package directory is LDAP as a sign-on needs it: find exactly one entry, bind once
// as that entry, and read the groups that name it as a direct member. It also changes
// a person's password by the old one.
//
// It owns the connections to the directory's servers, what is known of each vendor,
// and the meaning of every result code. The agent calls it; nothing in it knows of
// the cloud, the link or the configuration file.
//
// # Promises
//
//   - A password is sent once, and by ChangePassword once more. Bind goes on to another connection or server only
//     while the count of octets that left this machine shows that nothing was sent.
//     After that, a missing answer is ErrAnswerLost and never a second bind.
//   - An answer is believed only when it is what it claims to be: it has the ID and the
//     operation of a request that waits for one, and a result code of one octet, and its
//     entries are where they were looked for. Of anything else nothing is believed.
//   - The answer to one request is cut off, and its connection closed, after 100,000
//     messages or 16 MiB and one message more, which has 32 MiB at most.
//   - A connection on which a bind did not plainly succeed is closed and never used
//     again. A bind connection carries one bind at a time, and never a search.
//   - A password is changed once, over TLS only, and after a bind as its owner. The
//     service account makes the change only when that bind said that the password was
//     right and has expired or must be changed.
//   - An empty password, and one that starts with NUL, never reaches the network.
//   - Without AllowClearText, nothing but a StartTLS request is sent in clear.
//   - FindUser and DirectGroups make one search each, the groups on the server that
//     found the user while it is up. (A membership that the server's size limit cuts
//     off, which is then read in pages, one of more than one range of memberOf, the
//     first DOMAIN\name, and a search whose connection was lost, cost more.)
//   - What a person typed is escaped in one place and can only be an assertion value.
//   - A Membership is Complete only when a successful search with no reference left
//     aside, or a memberOf that the server computes, said everything; also on a
//     machine that stands still meanwhile (see link.limited). Even so it is a list of
//     what was seen: that a group is not in it shows nothing. Evidence does.
//   - Groups are searched for by the attributes that groups here have members in:
//     which these are is looked for before the first membership and then again, a minute
//     later at the earliest, and 200 times as long as the look took. What could not be
//     found out is searched for. A kind of groups that is new is missed for that long by
//     who was in none of it yet: a quarter of an hour where a look takes five seconds.
//   - Searches wait for their turn here, in order, once a server gets slower with each
//     more that is under way (see limiter): those for people apart from those for groups.
//   - A control goes with a request only where it is needed and offered: pages are
//     asked for after a size limit, and not again for an hour of a server that refuses
//     them or answers less with them.
//   - With a Canary, a membership is Unknown while the canary is not seen, and none is
//     read before the first look.
//   - With Discover, DNS is asked at the first use and then every five minutes; hosts
//     outside of the domain are never connected to, and a DNS that fails changes nothing.
//   - A server that fails is put aside and taken back by a goroutine of the client;
//     while another server is up, no sign-on waits for it a second time. The only one is
//     not put aside for being slow: it is asked whether it is there. A search that got
//     no answer over a connection that something between may have forgotten is tried
//     once more, over a new one; a bind never is.
//   - With WatchEvery, each server that is up is asked on a connection that is there whether it still is: so it is
//     known also while nobody signs on. No person is bound for it. That the service account's password is wrong shows
//     with the next connection, after Lifetime at the latest.
//   - The service account is not tried again at once after the directory refused its
//     password, at any server, so that it does not get locked. Until it was accepted
//     once, it is tried over one connection at a time.
//   - Binds as people and searches are written and read here (ask.go, read.go), which costs
//     a fraction of what go-ldap takes; it reads each result that is more than a plain
//     success, and makes all other requests, over the same connections. What is read here
//     is what go-ldap would have read, or no answer.
//   - A service account with Kerberos gets a ticket for each connection. No ticket is
//     kept, and a KDC that is silent costs a caller no more than DialTimeout.
//   - Every call returns when its context ends. After Close nothing is left running; it
//     waits for a KDC that is being asked, five seconds with each.
//
// # Never
//
// It writes nothing but a password that is changed. It never follows a referral to a
// host that the configuration does not name, never searches with a user's rights, never
// reads a password back, and never decides on the text of an error. The texts that it
// parses are the codes that Active Directory puts into the text of a refused bind or
// change, which stand nowhere else.
//
// # What a refused bind means
//
//	answer                                            error
//	49, AD sub-code 525 or 52e, or no sub-code        ErrInvalidCredentials (as 32 and 48)
//	49, AD sub-code 530 531 532 533 701 773 775       *AccountError
//	49 with control "expired" or "locked"             *AccountError
//	0 with control "must be changed"                  *AccountError, PasswordMustChange
//	0 with control "expired" (a grace sign-on)        none
//	19 (389: too many wrong passwords)                *AccountError, Locked
//	53 from 389 (inactivated), with any password      *AccountError, Disabled
//	8, 13 and all others                              *ResultError with a remedy
//	49, AD sub-code 80090346 (channel binding)        *ResultError with a remedy
//	none, or one that cannot be read                  ErrAnswerLost
//
// # What a refused password change means
//
//	answer                                            error
//	password policy control 3 5 6 7 8                 *PasswordError
//	Win32 error 52d in front of the text (AD)         *PasswordError, SomeRule: AD never says which
//	Win32 error 56 (AD), 49                           ErrInvalidCredentials: the old one is wrong
//	Win32 error 775 and the like (AD)                 *AccountError
//	50, 53                                            *PasswordError, NotPermitted
//	19                                                *PasswordError, Unacceptable
//	all others                                        *ResultError
//
// Active Directory takes the old password for another hour after a change.
//
// # What memberOf means
//
// A user is in group child, child is in parent, parent is in grand:
//
//	server                                  memberOf of the user       so, with groups from "auto"
//	OpenLDAP, overlay memberof              child                      reverse search: it knows nothing older than itself
//	OpenLDAP, overlay dynlist, member@…     child                      reverse search
//	OpenLDAP, overlay dynlist, member@…*    child parent               reverse search
//	389 Directory Server, FreeIPA           child parent grand         reverse search
//	389 with memberOfSkipNested             child                      reverse search
//	Active Directory, Samba                 child, no primary group    memberOf, and the primary group by its SID
//	ApacheDS                                none                       reverse search
//
// Only Active Directory computes it from the groups' own members, so only there it
// decides. "memberOf" in the file has it read elsewhere as well, unless the directory
// itself shows that it lists parents (see ProveMemberOf, done over a connection of its own
// before the first membership, and every ProveEvery); what it would add is confirmed by Evidence, and after one
// contradiction it is not used again.
//
// Members in other ways count where the file says so: by an attribute like roleOccupant
// (MemberAttributes), by another attribute of the person in memberUid (MemberUIDFrom), and
// by gidNumber (PosixPrimaryGroups).
//
// The reverse search, (|(member=DN)(uniqueMember=DN)(memberUid=uid)) or what of it there
// is, is direct on
// every one of them. On Active Directory it also replaces a memberOf that is empty, or
// that changed while its ranges were read. What was tried on which server stands in
// testdata/conformance.md.
//
// # What shows that somebody is not in a group
//
// A server answers "nothing" alike for not a member, not allowed to see and not there.
// Evidence asks at the group for (member=DN) and for its negation, and believes only
// what the server affirms:
//
//	server                    seen without the person                     gone
//	OpenLDAP, 389             the negation finds the group: it is         code 32 that names an entry above
//	                          undefined where a value may not be
//	                          searched for, and empty groups have it
//	Active Directory          the negation and (member=*): what may       the person's memberOf can be read,
//	                          not be read counts as absent there; or      to its end, and does not have it
//	                          memberOf; or tokenGroups, of a security
//	                          group that can be seen
//	others, untried           the negation, and a member that can be      never, but renamed, by the ID: what is
//	                          seen: an empty group there proves nothing   hidden may be answered with code 32 too
//
// What it cannot tell apart, and so calls Untellable: a group that is hidden, by entry,
// by attribute, by class or by the value of its member; groups whose members are
// computed; posixGroups that have a name which the person's entry does not show, or any
// when primary groups count and the person's gidNumber may not be seen (who is seen to
// have none, on OpenLDAP and 389, is in none by it); a
// replica that is behind (by entryCSN and contextCSN on OpenLDAP, by modifyTimestamp and
// nsds50ruv on 389, by modifyTimestamp elsewhere, by nothing on Active Directory); groups
// of a domain below in a global catalog; and in Active Directory the last group of
// somebody when it was deleted. That a group is there, too, proves nothing of a server
// that may lack a change of before: on OpenLDAP one that another server made, elsewhere
// one of the same second.
//
// A group that is gone may be one that the server has not got yet. It counts as gone
// where the server has shown it before, in the state that is known or a newer one; where
// the server tells that it has followed the others up to that state (contextCSN on
// OpenLDAP; on 389 nsds50ruv of cn=replica below cn=mapping tree,cn=config, which the
// service account needs a right to read); or where there is no other server in the file.
// A supplier of 389 that makes no changes would leave that open for ever: it writes a sign
// of life every nsds5ReplicaKeepAliveUpdateInterval, an hour unless set. One that does not,
// as it is too old, was stopped, or was taken away without CLEANALLRUV, leaves it open: an
// administrator lets the group go in the console.
//
// What it does not notice: a replica that is behind on Active Directory; one behind a
// single name in the file that stands for several servers and that do not tell how far
// they have followed each other.
//
// In Active Directory a primary group is in nobody's member and in no memberOf. So
// primaryGroupID is read however groups are, and a group counts as seen without the
// person, or as gone, only once it is shown that it is not theirs.
package directory
