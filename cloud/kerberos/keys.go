package kerberos

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/keytab"

	"ldap-gateway/cloud/store"
)

// ErrKeys says that a keytab, or an account, gives no keys that can be used.
var ErrKeys = errors.New("no service keys")

// Where a set of keys is from.
const (
	OriginKeytab   = "keytab"
	OriginPassword = "password"
)

// PurposeKey is what the vault seals keytabs for; the owner is the set's ID.
const PurposeKey = "kerberos"

// maxKeytab bounds a keytab in bytes.
const maxKeytab = 64 << 10

// Key is one service key.
type Key struct {
	Principal string // of the service, or of the account that it was derived for
	Realm     string
	KVNO      uint32 // 0: not known
	EType     int32
	Value     []byte
	Derived   bool // of an account's password: it serves whatever names the account has
}

// serves tells whether a key is for a service: one that a keytab names itself,
// or one of this cloud's.
// Services are compared without regard to case, as Active Directory does; the scheme is
// HTTP for https too.
func (k Key) serves(service string, ours []string) bool {
	if !strings.HasPrefix(strings.ToUpper(service), "HTTP/") {
		return false
	}
	if !k.Derived && strings.EqualFold(k.Principal, service) {
		return true
	}
	return slices.ContainsFunc(ours, func(s string) bool { return strings.EqualFold(s, service) })
}

// list puts into words which keys there are, for whoever compares them with klist.
func list(keys []Key) string {
	var all []string
	for _, k := range keys {
		all = append(all, fmt.Sprintf("version %d, %s", k.KVNO, ETypeName(k.EType)))
	}
	return strings.Join(all, "; ")
}

// FromKeytab checks an uploaded keytab and describes what is in it. Its error
// wraps ErrKeys and says what is wrong.
func FromKeytab(b []byte) (entries []store.KerberosEntry, err error) {
	keys, err := read(b, false)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if !strings.HasPrefix(strings.ToUpper(k.Principal), "HTTP/") {
			return nil, fmt.Errorf(
				"%w: %s is not an HTTP service: make the keytab for HTTP/ and the host name that people type",
				ErrKeys,
				k.Principal,
			)
		}
	}
	return describe(keys), nil
}

// FromPassword derives the keys of a service account from its UPN and password,
// with the salt that Active Directory gives an account of that name: the realm
// in capitals and the name ([MS-KILE] 3.1.1.2). It returns them as a keytab.
// Its error wraps ErrKeys.
// The password is not kept: who changes it at the account gives it here again. Which
// version the keys have only the directory knows, so they have none, and fit every
// ticket of the account.
// A keytab with another service among its keys is refused whole: it was made for
// something else.
func FromPassword(
	account, password string, rc4 bool, now time.Time,
) (b []byte, entries []store.KerberosEntry, err error) {
	name, suffix, found := strings.Cut(account, "@")
	if !found || name == "" || suffix == "" || password == "" {
		return nil, nil, fmt.Errorf(
			"%w: it takes the account's user principal name, as in svc-sso@corp.example.com, and its password",
			ErrKeys,
		)
	}
	etypes := []int32{etypeID.AES256_CTS_HMAC_SHA1_96, etypeID.AES128_CTS_HMAC_SHA1_96}
	if rc4 {
		etypes = append(etypes, etypeID.RC4_HMAC)
	}
	kt := keytab.New()
	for _, e := range etypes {
		if err := kt.AddEntry(name, strings.ToUpper(suffix), password, now, 0, e); err != nil {
			return nil, nil, fmt.Errorf("%w: %w", ErrKeys, err)
		}
	}
	b, err = kt.Marshal()
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrKeys, err)
	}
	keys, err := read(b, true)
	return b, describe(keys), err
}

// read returns the keys of a keytab that can be used here.
// Keys of other encryption types are passed over: a keytab of a domain has them all.
func read(b []byte, derived bool) (keys []Key, err error) {
	defer func() {
		if p := recover(); p != nil { // of the library, on a file that is cut
			keys, err = nil, fmt.Errorf("%w: the keytab cannot be read", ErrKeys)
		}
	}()
	if len(b) > maxKeytab {
		return nil, fmt.Errorf("%w: the keytab is larger than %d bytes", ErrKeys, maxKeytab)
	}
	var kt keytab.Keytab
	if err := kt.Unmarshal(b); err != nil {
		return nil, fmt.Errorf("%w: that is no keytab", ErrKeys)
	}
	for _, e := range kt.Entries {
		if supported(e.Key.KeyType) {
			keys = append(keys, Key{
				Principal: strings.Join(e.Principal.Components, "/"),
				Realm:     e.Principal.Realm,
				KVNO:      cmp.Or(e.KVNO, uint32(e.KVNO8)),
				EType:     e.Key.KeyType,
				Value:     e.Key.KeyValue,
				Derived:   derived,
			})
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w: the keytab has no key of an encryption type that is known here", ErrKeys)
	}
	return keys, nil
}

// describe is what may be known of keys.
// The values are left out: it is shown, and kept in the clear.
func describe(keys []Key) (entries []store.KerberosEntry) {
	for _, k := range keys {
		entries = append(entries, store.KerberosEntry{Principal: k.Principal, Realm: k.Realm, KVNO: k.KVNO, EType: k.EType})
	}
	return entries
}

// itoa is a number as text.
func itoa(n int32) string { return strconv.FormatInt(int64(n), 10) }
