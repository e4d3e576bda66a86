package directory

import (
	"strconv"
	"strings"
)

// subCode reads the code that Active Directory puts into the text of result 49:
//
//	80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 52e, v1db1
//
// The text is the only place where it stands. ok is false when there is none.
func subCode(text string) (code uint32, ok bool) {
	lower := strings.ToLower(text)
	for {
		_, after, found := strings.Cut(lower, "data ")
		if !found {
			return 0, false
		}
		lower = after
		digits := strings.TrimLeft(after, " ")
		end := strings.IndexFunc(digits, func(r rune) bool { return !strings.ContainsRune("0123456789abcdef", r) })
		if end < 0 {
			end = len(digits)
		}
		if n, err := strconv.ParseUint(digits[:end], 16, 32); err == nil {
			return uint32(n), true
		}
	}
}

// accountBySubCode maps the Windows error codes; 525 (no such user) and 52e (wrong
// password) are missing on purpose, since they are invalid credentials.
func accountBySubCode(code uint32) (AccountKind, bool) {
	switch code {
	case 0x530:
		return LogonHours, true
	case 0x531:
		return LogonWorkstation, true
	case 0x532:
		return PasswordExpired, true
	case 0x533:
		return Disabled, true
	case 0x701:
		return Expired, true
	case 0x773:
		return PasswordMustChange, true
	case 0x775:
		return Locked, true
	}
	return 0, false
}
