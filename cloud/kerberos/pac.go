package kerberos

import (
	"encoding/binary"
	"fmt"

	"github.com/jcmturner/gokrb5/v8/iana/adtype"
	"github.com/jcmturner/gokrb5/v8/pac"
	"github.com/jcmturner/gokrb5/v8/types"
)

// validationInfo is the kind of the PAC's buffer with the person's SID ([MS-PAC] 2.4).
const validationInfo = 1

// personSID returns the person's SID as the PAC in a ticket says it. It is empty
// when there is no PAC, when the PAC says none as MIT's does, and when it is
// malformed: the principal still says who it is. The ticket's own encryption
// vouches for the PAC, as it does for the principal.
func personSID(data types.AuthorizationData) (sid string) {
	defer func() {
		if p := recover(); p != nil { // of the library
			sid = ""
		}
	}()
	for _, outer := range data {
		if outer.ADType != adtype.ADIfRelevant {
			continue
		}
		var inner types.AuthorizationData
		if inner.Unmarshal(outer.ADData) != nil {
			continue
		}
		for _, d := range inner {
			if d.ADType == adtype.ADWin2KPAC {
				return sidOf(buffer(d.ADData, validationInfo))
			}
		}
	}
	return ""
}

// buffer returns the first buffer of a kind in a PAC ([MS-PAC] 2.3); nil when
// there is none, or when what is said of it leads out of the PAC.
func buffer(b []byte, kind uint32) []byte {
	const head, each = 8, 16
	if len(b) < head {
		return nil
	}
	size := uint64(len(b))
	n := uint64(binary.LittleEndian.Uint32(b))
	for at := uint64(head); n > 0 && at+each <= size; at, n = at+each, n-1 {
		if binary.LittleEndian.Uint32(b[at:]) != kind {
			continue
		}
		length, offset := uint64(binary.LittleEndian.Uint32(b[at+4:])), binary.LittleEndian.Uint64(b[at+8:])
		if offset > size || length > size-offset {
			return nil
		}
		return b[offset : offset+length]
	}
	return nil
}

func sidOf(b []byte) string {
	var info pac.KerbValidationInfo
	if b == nil || info.Unmarshal(b) != nil {
		return ""
	}
	domain := info.LogonDomainID.String()
	if info.UserID == 0 || info.LogonDomainID.SubAuthorityCount == 0 {
		return ""
	}
	return fmt.Sprintf("%s-%d", domain, info.UserID)
}
