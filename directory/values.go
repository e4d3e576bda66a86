package directory

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
)

// valueForm is how the octets of an attribute become text.
type valueForm uint8

const (
	formText     valueForm = iota // UTF-8, else base64
	formGUID                      // 16 octets, mixed-endian: objectGUID ([MS-DTYP] 2.3.4.2)
	formSID                       // objectSid ([MS-DTYP] 2.4.2.2)
	formUUID                      // text already: entryUUID (RFC 4530)
	formNsUnique                  // four groups of eight digits: nsUniqueId of 389
)

func formOf(attribute string) valueForm {
	switch strings.ToLower(attribute) {
	case "objectguid":
		return formGUID
	case "objectsid":
		return formSID
	case "entryuuid":
		return formUUID
	case "nsuniqueid":
		return formNsUnique
	}
	return formText
}

// textOf turns one value into text; octets that fit no known form become base64.
func textOf(attribute string, raw []byte) string {
	switch formOf(attribute) {
	case formGUID:
		if len(raw) == 16 {
			return swapGUID([16]byte(raw)).String()
		}
	case formSID:
		if sid, ok := sidText(raw); ok {
			return sid
		}
	case formUUID:
		return strings.ToLower(string(raw))
	case formNsUnique:
		if id, err := uuid.Parse(strings.ReplaceAll(string(raw), "-", "")); err == nil {
			return id.String()
		}
	}
	if utf8.Valid(raw) {
		return string(raw)
	}
	return base64.StdEncoding.EncodeToString(raw)
}

// octetsOf is the way back, for a filter. ok is false when text is not of the form.
func octetsOf(attribute, text string) (octets string, ok bool) {
	switch formOf(attribute) {
	case formGUID:
		id, err := uuid.Parse(text)
		if err != nil {
			return "", false
		}
		swapped := swapGUID(id)
		return string(swapped[:]), true
	case formSID:
		return sidOctets(text)
	case formNsUnique:
		id, err := uuid.Parse(text)
		if err != nil {
			return "", false
		}
		h := hex.EncodeToString(id[:])
		return h[:8] + "-" + h[8:16] + "-" + h[16:24] + "-" + h[24:], true
	}
	return text, text != ""
}

// swapGUID turns the first three fields round; it is its own inverse.
func swapGUID(g [16]byte) uuid.UUID {
	return uuid.UUID{g[3], g[2], g[1], g[0], g[5], g[4], g[7], g[6],
		g[8], g[9], g[10], g[11], g[12], g[13], g[14], g[15]}
}

func sidText(raw []byte) (string, bool) {
	if len(raw) < 8 || raw[0] != 1 || raw[1] > 15 || len(raw) != 8+4*int(raw[1]) {
		return "", false
	}
	authority := uint64(binary.BigEndian.Uint16(raw[2:]))<<32 | uint64(binary.BigEndian.Uint32(raw[4:]))
	text := "S-1-" + strconv.FormatUint(authority, 10)
	for rest := raw[8:]; len(rest) > 0; rest = rest[4:] {
		text += "-" + strconv.FormatUint(uint64(binary.LittleEndian.Uint32(rest)), 10)
	}
	return text, true
}

func sidOctets(text string) (string, bool) {
	parts := strings.Split(text, "-")
	if len(parts) < 3 || len(parts) > 18 || !strings.EqualFold(parts[0], "S") || parts[1] != "1" {
		return "", false
	}
	authority, err := strconv.ParseUint(parts[2], 10, 48)
	if err != nil {
		return "", false
	}
	out := binary.BigEndian.AppendUint16([]byte{1, byte(len(parts) - 3)}, uint16(authority>>32))
	out = binary.BigEndian.AppendUint32(out, uint32(authority))
	for _, part := range parts[3:] {
		n, err := strconv.ParseUint(part, 10, 32)
		if err != nil {
			return "", false
		}
		out = binary.LittleEndian.AppendUint32(out, uint32(n))
	}
	return string(out), true
}

// primaryGroupSID replaces the last sub-authority of a user's SID by the RID of the
// user's primary group, which is always of the same domain.
func primaryGroupSID(userSID []byte, rid uint32) (string, bool) {
	if _, ok := sidText(userSID); !ok || len(userSID) < 12 {
		return "", false
	}
	domain := append([]byte(nil), userSID[:len(userSID)-4]...)
	return string(binary.LittleEndian.AppendUint32(domain, rid)), true
}
