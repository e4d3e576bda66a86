package directory

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// openLDAP reads the operational attributes of the overlay ppolicy
// (draft-behera-ldap-password-policy-10, 5.3). That one of them is missing can mean
// that there is nothing to tell, and that it may not be read.
func (a account) openLDAP() []AccountFact {
	changed, policy := generalized(a.value("pwdChangedTime")), a.value("pwdPolicySubentry")
	if changed.IsZero() && policy == "" && a.value("pwdAccountLockedTime") == "" && a.value("pwdReset") == "" {
		return []AccountFact{
			{
				"account",
				NotReadable,
				"no password policy attribute is there: the overlay ppolicy keeps none for this entry, or the service account " +
					"may not read pwdChangedTime",
			},
		}
	}
	rules := a.rules(policy)
	facts := []AccountFact{
		a.openLDAPLock(rules),
		{"expiry", Fine, "the account does not expire"},
		a.openLDAPPassword(changed, rules),
	}
	if end := generalized(a.value("pwdEndTime")); !end.IsZero() {
		facts[1] = AccountFact{"expiry", Fine, "the account expires at " + a.until(end)}
		if end.Before(a.now) {
			facts[1] = AccountFact{"expiry", Hinders, "the account expired at " + a.until(end)}
		}
	}
	return facts
}

// passwordRules are what a password policy says.
type passwordRules struct {
	maxAge, lockout time.Duration // 0: for ever
	grace           int           // how many sign-ons there are after the end of a password
	mustChange      bool          // what an administrator has set is to be changed first
}

// rules are those of a password policy; nil when it cannot be read.
func (a account) rules(policy string) *passwordRules {
	if policy == "" {
		return nil
	}
	e, err := a.read(policy, "pwdAttribute", "pwdMaxAge", "pwdLockoutDuration", "pwdGraceAuthnLimit", "pwdMustChange")
	if err != nil || e.GetEqualFoldAttributeValue("pwdAttribute") == "" { // which every policy has
		return nil
	}
	number := func(name string) int {
		n, _ := strconv.ParseInt(e.GetEqualFoldAttributeValue(name), 10, 32)
		return int(n)
	}
	return &passwordRules{
		maxAge:     time.Duration(number("pwdMaxAge")) * time.Second,
		lockout:    time.Duration(number("pwdLockoutDuration")) * time.Second,
		grace:      number("pwdGraceAuthnLimit"),
		mustChange: strings.EqualFold(e.GetEqualFoldAttributeValue("pwdMustChange"), "TRUE"),
	}
}

// unless is the doubt about what a password policy decides that cannot be read.
func (a account) unless() string {
	if a.value("pwdPolicySubentry") == "" {
		return ", unless the directory's default policy, which the entry does not name, says otherwise"
	}
	return ", unless the policy of the entry (pwdPolicySubentry), which the service account may not read, says otherwise"
}

func (a account) openLDAPLock(rules *passwordRules) AccountFact {
	text := a.value("pwdAccountLockedTime")
	since := generalized(text)
	switch {
	case text == "":
		return AccountFact{"lock", Fine, "not locked"}
	case strings.HasPrefix(text, "000001010000"):
		return AccountFact{"lock", Hinders, "disabled: locked until an administrator removes pwdAccountLockedTime"}
	case since.After(a.now):
		return AccountFact{"lock", Fine, "will be locked at " + a.until(since)}
	case rules == nil:
		return AccountFact{"lock", Hinders, "locked since " + a.until(since) + a.unless()}
	case rules.lockout == 0:
		return AccountFact{"lock", Hinders, "locked since " + a.until(since) + ", until an administrator unlocks it"}
	}
	end := since.Add(rules.lockout)
	if end.Before(a.now) {
		return AccountFact{"lock", Fine, "was locked until " + a.until(end)}
	}
	return AccountFact{"lock", Hinders, "locked until " + a.until(end)}
}

func (a account) openLDAPPassword(changed time.Time, rules *passwordRules) AccountFact {
	reset := strings.EqualFold(a.value("pwdReset"), "TRUE")
	switch {
	case reset && rules == nil:
		return AccountFact{"password", Hinders, "must be changed at the next sign-on (pwdReset)" + a.unless()}
	case reset && rules.mustChange:
		return AccountFact{"password", Hinders, "must be changed at the next sign-on"}
	}
	fact := a.openLDAPAge(changed, rules)
	if reset {
		fact.Detail += "; that an administrator set it (pwdReset) counts for nothing: the policy has no pwdMustChange"
	}
	return fact
}

// openLDAPAge is whether a password is over.
func (a account) openLDAPAge(changed time.Time, rules *passwordRules) AccountFact {
	switch {
	case changed.IsZero():
		return AccountFact{
			"password",
			NotReadable,
			"the service account may not read pwdChangedTime, or no password was set since the overlay ppolicy is there",
		}
	case rules == nil:
		return AccountFact{"password", Fine, "was set at " + a.until(changed) + a.unless()}
	case rules.maxAge == 0:
		return AccountFact{"password", Fine, "does not expire; it was set at " + a.until(changed)}
	}
	end := changed.Add(rules.maxAge)
	left := rules.grace - len(a.entry.GetEqualFoldAttributeValues("pwdGraceUseTime"))
	switch {
	case end.After(a.now):
		return AccountFact{"password", Fine, "expires at " + a.until(end)}
	case left > 0:
		return AccountFact{"password", Fine, fmt.Sprintf("expired at %s; %d grace sign-ons are left", a.until(end), left)}
	case rules.grace > 0:
		return AccountFact{"password", Hinders, "expired at " + a.until(end) + ", and no grace sign-on is left"}
	}
	return AccountFact{"password", Hinders, "expired at " + a.until(end)}
}

// ds389 reads what 389 Directory Server keeps. Whether passwords expire at all is a
// setting of the server that a service account cannot read.
func (a account) ds389() []AccountFact {
	enabled := AccountFact{"account", Fine, "enabled"}
	if strings.EqualFold(a.value("nsAccountLock"), "true") {
		enabled = AccountFact{"account", Hinders, "disabled (nsAccountLock)"}
	}
	return []AccountFact{enabled, a.ds389Lock(), a.ds389Password()}
}

func (a account) ds389Lock() AccountFact {
	text := a.value("accountUnlockTime")
	at := generalized(text)
	switch {
	case text == "":
		return AccountFact{"lock", Fine, "not locked"}
	case at.Year() == 1970:
		return AccountFact{"lock", Hinders, "locked until an administrator unlocks it"}
	case at.After(a.now):
		return AccountFact{"lock", Hinders, "locked until " + a.until(at)}
	}
	return AccountFact{"lock", Fine, "was locked until " + a.until(at)}
}

func (a account) ds389Password() AccountFact {
	text := a.value("passwordExpirationTime")
	at := generalized(text)
	switch {
	case text == "":
		return AccountFact{
			"password",
			NotReadable,
			"there is no passwordExpirationTime: no rule of the server makes passwords expire, or the service account may " +
				"not read it",
		}
	case at.Year() == 1970:
		return AccountFact{"password", Hinders, "must be changed at the next sign-on"}
	case at.After(a.now):
		return AccountFact{"password", Fine, "expires at " + a.until(at)}
	}
	return a.ds389Expired(at)
}

// ds389Expired is of a password that is over: whether there are sign-ons left says a rule
// of the server, or of a part of the tree, which the service account may be allowed to read.
func (a account) ds389Expired(at time.Time) AccountFact {
	expired, policy := "expired at "+a.until(at), a.value("pwdPolicySubentry")
	if policy == "" {
		policy = "cn=config"
	}
	rules, err := a.read(policy, "passwordExp", "passwordGraceLimit")
	if err != nil || rules.GetEqualFoldAttributeValue("passwordExp") == "" {
		return AccountFact{"password", Hinders, expired + ", if passwordExp is on and no grace sign-on is left"}
	}
	limit, _ := strconv.Atoi(rules.GetEqualFoldAttributeValue("passwordGraceLimit"))
	used, _ := strconv.Atoi(a.value("passwordGraceUserTime"))
	switch {
	case !strings.EqualFold(rules.GetEqualFoldAttributeValue("passwordExp"), "on"):
		return AccountFact{"password", Fine, expired + ", which counts for nothing: passwordExp is off"}
	case limit > used:
		return AccountFact{"password", Fine, fmt.Sprintf("%s; %d grace sign-ons are left", expired, limit-used)}
	case limit > 0:
		return AccountFact{"password", Hinders, expired + ", and no grace sign-on is left"}
	}
	return AccountFact{"password", Hinders, expired}
}
