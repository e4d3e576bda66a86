package directory

import (
	"strconv"
	"strings"
	"time"
)

// Bits of userAccountControl ([MS-ADTS] 2.2.16).
const (
	uacDisabled           = 0x2
	uacLocked             = 0x10 // only in the computed attribute
	uacPasswordNoExpiry   = 0x10000
	uacPasswordHasExpired = 0x800000 // only in the computed attribute
)

// activeDirectory reads an account as [MS-ADTS] 3.1.1.4.5 describes it.
func (a account) activeDirectory() []AccountFact {
	control, ok := a.number("userAccountControl")
	if !ok {
		return []AccountFact{
			unreadable("account",
				"userAccountControl, lockoutTime, accountExpires, pwdLastSet and msDS-User-Account-Control-Computed"),
		}
	}
	enabled := AccountFact{"account", Fine, "enabled"}
	if control&uacDisabled != 0 {
		enabled = AccountFact{"account", Hinders, "disabled"}
	}
	facts := []AccountFact{
		enabled,
		a.adLock(),
		a.adExpiry(),
		a.adPassword(control),
		{"hours", Fine, "no logonHours to be seen"},
		{machinesFact, Fine, "no userWorkstations to be seen"},
	}
	if hours := a.value("logonHours"); strings.Count(hours, "\xff") != len(hours) { // a bit for each hour of the week
		facts[4] = AccountFact{"hours", Depends, "logonHours permits some hours of the week only"}
		if strings.Count(hours, "\x00") == len(hours) {
			facts[4] = AccountFact{"hours", Hinders, "logonHours permits no hour of the week"}
		}
	}
	if from := a.value("userWorkstations"); from != "" {
		facts[5] = AccountFact{
			machinesFact,
			Depends,
			"userWorkstations permits " + from + " only, which a bind from here is not",
		}
	}
	return facts
}

// number returns an integer attribute; ok is false when it is missing.
func (a account) number(attribute string) (n int64, ok bool) {
	n, err := strconv.ParseInt(a.value(attribute), 10, 64)
	return n, err == nil
}

// adLock believes the computed attribute: lockoutTime stays when a lock is over.
func (a account) adLock() AccountFact {
	computed, ok := a.number("msDS-User-Account-Control-Computed")
	switch since, _ := a.number("lockoutTime"); {
	case !ok:
		return unreadable("lock", "msDS-User-Account-Control-Computed")
	case computed&uacLocked == 0:
		return AccountFact{"lock", Fine, "not locked"}
	case since > 0:
		return AccountFact{"lock", Hinders, "locked since " + a.until(filetime(since)) + a.adUnlock(filetime(since))}
	}
	return AccountFact{"lock", Hinders, "locked"}
}

// adUnlock says when a lock is over, as the domain's policy has it.
func (a account) adUnlock(since time.Time) string {
	policy, err := a.read(a.domain, "lockoutDuration")
	if err != nil {
		return ""
	}
	d, err := strconv.ParseInt(policy.GetEqualFoldAttributeValue("lockoutDuration"), 10, 64)
	switch {
	case err != nil:
		return ""
	case d == never || d == 0:
		return ", until an administrator unlocks it"
	}
	return ", until " + a.until(since.Add(time.Duration(-d)*100)) + " by the domain's policy"
}

// never is what several attributes have for "not at all", as is 1<<63 - 1.
const never = -1 << 63

func (a account) adExpiry() AccountFact {
	switch at, ok := a.number("accountExpires"); {
	case !ok:
		return unreadable("expiry", "accountExpires")
	case at == 0 || at == -(never+1):
		return AccountFact{"expiry", Fine, "the account does not expire"}
	case filetime(at).Before(a.now):
		return AccountFact{"expiry", Hinders, "the account expired at " + a.until(filetime(at))}
	default:
		return AccountFact{"expiry", Fine, "the account expires at " + a.until(filetime(at))}
	}
}

func (a account) adPassword(control int64) AccountFact {
	set, ok := a.number("pwdLastSet")
	computed, _ := a.number("msDS-User-Account-Control-Computed")
	expires, told := a.number("msDS-UserPasswordExpiryTimeComputed")
	switch {
	case !ok:
		return unreadable("password", "pwdLastSet")
	case control&uacPasswordNoExpiry != 0:
		return AccountFact{"password", Fine, "does not expire"}
	case set == 0:
		return AccountFact{"password", Hinders, "must be changed at the next sign-on"}
	case computed&uacPasswordHasExpired != 0:
		return AccountFact{"password", Hinders, "expired; it was set at " + a.until(filetime(set))}
	case told && expires > 0 && expires != -(never+1):
		return AccountFact{"password", Fine, "expires at " + a.until(filetime(expires))}
	}
	return AccountFact{"password", Fine, "was set at " + a.until(filetime(set))}
}

// filetime is a number of 100 ns since 1601 ([MS-DTYP] 2.3.3).
func filetime(n int64) time.Time {
	const seconds1601 = -11644473600
	return time.Unix(seconds1601+n/1e7, n%1e7*100)
}
