package policy

import "slices"

// Leaf is one kind of thing that leaves the network towards the cloud.
type Leaf struct {
	What string // in words
	When string
	Key  string // of gateway.hcl that bounds it; empty: none does
	// Fields are those of the wire's messages that carry it, by type and field.
	Fields []string
}

// Leaves is everything that leaves, in the order of a gateway's life. README,
// SECURITY.md, the sample file and "ldap-gateway leaves" show this list, and a test
// finds each field of each message in it.
func Leaves() []Leaf { return slices.Concat(ofTheMachine(), ofPeople()) }

// ofTheMachine is what is of no person.
func ofTheMachine() []Leaf {
	return []Leaf{
		{
			What: "the public halves of the instance's keys, and what they sign",
			When: "at the pairing, at each dial, when keys change",
			Fields: []string{
				"PairRequest.PublicKey", "PairRequest.SealKey", "PairRequest.Proof", "PairRequest.Code",
				"PairRequest.Cloud", "PairAwait.Ticket", "Rotate", "Assertion", "Heartbeat.Epoch",
			},
		},
		{
			What: "the machine's name, operating system and version of the gateway",
			When: "at the pairing and at each dial",
			Fields: []string{
				"PairRequest.Hostname", "PairRequest.Software", "Hello.Versions", "Hello.Software", "Hello.Hostname",
				"Hello.System",
			},
		},
		{
			What: "the policy in words: bases, limits, attributes that may leave, patterns of groups that may; " +
				"how many patterns keep groups back",
			When:   "at each dial",
			Key:    "policy",
			Fields: []string{"Hello.PolicyHash", "Hello.Policy"},
		},
		{
			What: "how many sign-ons there were and how long they took; addresses, kinds and states of directory servers; " +
				"problems in words of ours",
			When: "every ten seconds or so",
			Fields: []string{
				"Heartbeat.BusyPercent", "Heartbeat.OperationsPerSecond", "Heartbeat.ResponseTimeMillis", "Server", "Problem",
			},
		},
		{
			What:   "names of attributes that the directory has and that may leave",
			When:   "every ten seconds or so",
			Key:    "policy.attributes",
			Fields: []string{"Heartbeat.Attributes"},
		},
		{
			What:   "which user types are refused, and the keys of this file that would allow them",
			When:   "when user types are delivered",
			Fields: []string{"UserTypesAnswer.Revision", "Refused"},
		},
		{
			What:   "why the link ends",
			When:   "at the end of the program",
			Fields: []string{"GoingAway"},
		},
	}
}

// ofPeople is what is of one person.
func ofPeople() []Leaf {
	return []Leaf{
		{
			What: "the outcome, a reason in words of ours with a result code, whether a bind was sent, " +
				"the directory server's address",
			When: "at each sign-on and change of password",
			Fields: []string{
				"SignOnResult.ID", "SignOnResult.Outcome", "SignOnResult.Reason", "SignOnResult.BindSent",
				"SignOnResult.KeyUnknown", "SignOnResult.RetryMillis", "SignOnResult.Server", "SignOnResult.Observed",
				"PasswordChanged",
			},
		},
		{
			What:   "the DN of the person's entry and what identifies it",
			When:   "after a right password",
			Key:    "policy.search_bases, policy.attributes",
			Fields: []string{"Entry.DN", "Correlation"},
		},
		{
			What:   "attributes that the user type maps; of those that are too large, the name",
			When:   "after a right password, when the record is wanted",
			Key:    "policy.attributes",
			Fields: []string{"Entry.Attributes", "Entry.TooLarge"},
		},
		{
			What:   "DN, name, ID and state of direct groups that may leave; how many could not be read, and why, without names",
			When:   "after a right password, when the record is wanted",
			Key:    "policy.groups",
			Fields: []string{"Membership", "Group"},
		},
		{
			What:   "how the person stands to groups that the cloud names",
			When:   "after a right password, when the record would lose them",
			Key:    "policy.groups",
			Fields: []string{"Looked", "Sight"},
		},
		{
			What: "what a sign-on would bring, the state of the account in words and times, groups that are not direct, " +
				"how many are kept back",
			When:   "when an administrator of the cloud asks, without a password",
			Key:    "policy.explain",
			Fields: []string{"Explained", "AccountFact", "Skipped"},
		},
	}
}
