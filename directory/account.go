package directory

import (
	"context"
	"fmt"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// AccountFact is one thing that a directory says of somebody's account, and whether it
// keeps the person out.
type AccountFact struct {
	Name  string // "account", "lock", "expiry", "password", "hours" or "machines"
	State FactState
	// Detail says it in words; for NotReadable it says why and what to do.
	Detail string
}

// machinesFact is of the one attribute whose value is in a fact's words.
const machinesFact = "machines"

// Told returns the fact in words that may be told elsewhere: with no attribute's value
// but times.
func (f AccountFact) Told() string {
	if f.Name == machinesFact && f.State == Depends {
		return "userWorkstations permits some machines only, which a bind from here is not"
	}
	return f.Detail
}

// FactState says what a fact does to a sign-on.
type FactState uint8

// What a fact does.
const (
	Fine FactState = iota + 1
	Hinders
	Depends     // on when, or from where, somebody signs on
	NotReadable // by the service account, or not kept by this directory
)

// String returns "fine", "hinders", "depends" or "not readable".
func (s FactState) String() string {
	switch s {
	case Fine:
		return "fine"
	case Hinders:
		return "hinders"
	case Depends:
		return "depends"
	case NotReadable:
		return "not readable"
	}
	return fmt.Sprintf("FactState(%d)", uint8(s))
}

// AccountState reads what the directory says of an entry's account, with the service
// account and without a bind as the person. What it cannot read is a fact, too. The
// error is that of the search, ErrUnavailable or *ResultError.
func (c *Client) AccountState(ctx context.Context, e Entry) ([]AccountFact, error) {
	vendor := VendorGeneric
	read := func(dn string, attributes ...string) (*ldap.Entry, error) {
		found := c.search(ctx, e.Server, func(dse *rootDSE) *ldap.SearchRequest {
			vendor = dse.vendor
			return ldap.NewSearchRequest(
				dn,
				ldap.ScopeBaseObject,
				ldap.NeverDerefAliases,
				1,
				0,
				false,
				"(objectClass=*)",
				attributes,
				nil,
			)
		})
		if err := found.typed("read the account's state"); err != nil {
			return nil, err
		}
		if len(found.result.Entries) == 0 {
			return nil, ErrNoSuchUser
		}
		return found.result.Entries[0], nil
	}
	raw, err := read(e.DN, stateAttributes...)
	if err != nil {
		return nil, err
	}
	a := account{entry: raw, now: time.Now(), read: read, domain: c.currentDSE().domain}
	switch vendor {
	case VendorAD, VendorSamba:
		return a.activeDirectory(), nil
	case VendorOpenLDAP:
		return a.openLDAP(), nil
	case Vendor389:
		return a.ds389(), nil
	}
	return []AccountFact{
		{"account", NotReadable, "how this directory keeps the state of accounts is not known here: a sign-on tells"},
	}, nil
}

// stateAttributes are those of every vendor; a server leaves out those that it has not.
var stateAttributes = []string{
	"userAccountControl", "msDS-User-Account-Control-Computed", "lockoutTime", "accountExpires", "pwdLastSet",
	"msDS-UserPasswordExpiryTimeComputed", "logonHours", "userWorkstations",
	"pwdAccountLockedTime", "pwdReset", "pwdChangedTime", "pwdPolicySubentry", "pwdEndTime", "pwdGraceUseTime",
	"nsAccountLock", "passwordExpirationTime", "accountUnlockTime", "passwordGraceUserTime",
}

// account is an entry whose state is looked at.
type account struct {
	entry  *ldap.Entry
	now    time.Time
	domain string // DN, of Active Directory
	read   func(dn string, attributes ...string) (*ldap.Entry, error)
}

func (a account) value(attribute string) string {
	return a.entry.GetEqualFoldAttributeValue(attribute)
}

// unreadable is for an attribute that every entry has which may be read.
func unreadable(name, attribute string) AccountFact {
	return AccountFact{name, NotReadable, "give the service account the right to read " + attribute}
}

// until words a moment at which something ends.
func (a account) until(t time.Time) string {
	return t.UTC().Format("2006-01-02 15:04:05 MST")
}

// generalized reads a time as RFC 4517, 3.3.13 has it; the zero time when it is none.
func generalized(text string) time.Time {
	for _, layout := range []string{"20060102150405Z", "20060102150405.999999Z", "200601021504Z"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t
		}
	}
	return time.Time{}
}
