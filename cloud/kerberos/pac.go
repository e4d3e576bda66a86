package kerberos

import (
	"encoding/binary"
	"fmt"

	"github.com/jcmturner/gokrb5/v8/iana/adtype"
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

// Offsets in KERB_VALIDATION_INFO ([MS-PAC] 2.5), behind the headers that NDR
// puts in front ([MS-RPCE] 2.2.6) and the pointer to it.
const (
	ndrHeaders  = 20
	infoNames   = 48  // six strings, eight bytes each: lengths, then a pointer
	infoUser    = 100 // relative ID
	infoGroups  = 112 // pointer
	infoServer  = 136 // a string
	infoDomain  = 144 // a string
	infoSID     = 152 // pointer to the domain's SID
	infoSize    = 216
	mostSubIDs  = 15 // of a SID ([MS-DTYP] 2.4.2)
	groupLength = 8
)

// sidOf returns the person's SID. What pointers lead to stands behind the fixed
// part, in their order. The library's decoder is not used: it takes as much memory
// as a length asks for.
// It reads no further than the SID: groups are the directory's to say, and a ticket is
// as old as the sign-on to the machine.
func sidOf(b []byte) string {
	if len(b) < ndrHeaders+infoSize {
		return ""
	}
	info := b[ndrHeaders:]
	pointer := func(at int) bool { return binary.LittleEndian.Uint32(info[at:]) != 0 }
	r := behind{b: info[infoSize:]}
	for i := range 6 {
		r.text(pointer(infoNames + 8*i + 4))
	}
	if pointer(infoGroups) {
		r.skip(uint64(r.number()) * groupLength)
	}
	r.text(pointer(infoServer + 4))
	r.text(pointer(infoDomain + 4))
	user := binary.LittleEndian.Uint32(info[infoUser:])
	domain := r.sid(pointer(infoSID))
	if domain == "" || user == 0 {
		return ""
	}
	return fmt.Sprintf("%s-%d", domain, user)
}

// behind reads what pointers lead to. After something that is not there it has
// nothing more.
// Every length comes from the ticket, so each is held against what is left before it is
// used.
type behind struct {
	b  []byte
	at uint64
}

// skip goes on by n bytes; beyond the end there is nothing more.
// Whatever is read after that is zero, and no SID comes of it.
func (r *behind) skip(n uint64) {
	if size := uint64(len(r.b)); n > size || r.at > size-n {
		r.b, r.at = nil, 0
		return
	}
	r.at += n
}

// number returns four bytes, which stand at a multiple of four; zero when there are none.
func (r *behind) number() uint32 {
	start := (r.at + 3) &^ 3
	if start+4 > uint64(len(r.b)) {
		r.b, r.at = nil, 0
		return 0
	}
	r.at = start + 4
	return binary.LittleEndian.Uint32(r.b[start:])
}

// text passes a string by, if there is one.
// Its length is in characters of two bytes.
func (r *behind) text(there bool) {
	if !there {
		return
	}
	r.number() // room for
	r.number() // beginning at
	r.skip(uint64(r.number()) * 2)
}

// sid returns a SID ([MS-DTYP] 2.4.2.2) in text form; empty when there is none.
func (r *behind) sid(there bool) string {
	if !there {
		return ""
	}
	n := uint64(r.number())
	start := r.at
	if r.skip(8 + 4*n); r.b == nil || n == 0 || n > mostSubIDs || uint64(r.b[start+1]) != n {
		return ""
	}
	text := fmt.Sprintf("S-%d-%d", r.b[start], binary.BigEndian.Uint64(append([]byte{0, 0}, r.b[start+2:start+8]...)))
	for i := range n {
		text += fmt.Sprintf("-%d", binary.LittleEndian.Uint32(r.b[start+8+4*i:]))
	}
	return text
}
