package directory

import (
	"fmt"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// wholeElement reads one element that is there to its end, and what comes after it.
func wholeElement(p []byte) (tag byte, content, rest []byte, ok bool) {
	for head := 2; head <= len(p); head++ {
		length, whole, err := berLength(p[:head])
		switch {
		case err != nil, whole && length > int64(len(p)-head):
			return 0, nil, nil, false
		case whole:
			end := head + int(length)
			return p[0], p[head:end:end], p[end:], true
		}
	}
	return 0, nil, nil, false
}

// content reads one element of that tag.
func contentOf(p []byte, wanted byte) (content, rest []byte, ok bool) {
	tag, content, rest, ok := wholeElement(p)
	return content, rest, ok && tag == wanted
}

// operation reads what a message is about, and what comes after that in it.
func operation(message []byte) (op byte, body, controls []byte, ok bool) {
	_, rest, ok := contentOf(message, tagInteger)
	if !ok {
		return 0, nil, nil, false
	}
	return wholeElement(rest)
}

// readSearch reads the answer to a search, as go-ldap does.
func readSearch(request *ldap.SearchRequest, r *reply) (*ldap.SearchResult, error) {
	result := &ldap.SearchResult{}
	for rest := r.messages; len(rest) > 0; {
		message := rest
		content, next, ok := contentOf(rest, tagSequence)
		op, body, controls, is := operation(content)
		if !ok || !is {
			return result, errStrange
		}
		rest = next
		switch op {
		case opSearchEntry:
			if request.EnforceSizeLimit && request.SizeLimit > 0 && len(result.Entries) >= request.SizeLimit {
				return result, ldap.ErrSizeLimitExceeded
			}
			entry, ok := readEntry(body)
			if !ok {
				return result, errStrange
			}
			result.Entries = append(result.Entries, entry)
		case opSearchReference:
			url, _, ok := contentOf(body, tagOctets)
			if !ok {
				return result, errStrange
			}
			result.Referrals = append(result.Referrals, string(url))
		case opSearchDone:
			code, text, ok := readResult(body)
			if !ok {
				return result, errStrange
			}
			result.ResultCode, result.DiagnosticMessage = uint16(code), text
			if code == ldap.LDAPResultSuccess && len(controls) == 0 {
				return result, nil
			}
			packet, err := ber.DecodePacketErr(message[:len(message)-len(next)])
			if err == nil {
				err = ldap.GetLDAPError(packet)
			}
			if err == nil {
				result.Controls, err = controlsOf(packet)
			}
			return result, err
		case opIntermediate: // no request of ours asks for one
		default:
			return result, errStrange
		}
	}
	return result, r.err
}

// part is a part of an answer, and the same as a text: all texts of an entry share one copy of it.
type part struct {
	octets []byte
	text   string
}

// take reads one element of that tag.
func (p part) take(wanted byte) (content, rest part, ok bool) {
	content.octets, rest.octets, ok = contentOf(p.octets, wanted)
	end := len(p.octets) - len(rest.octets)
	content.text, rest.text = p.text[end-len(content.octets):end], p.text[end:]
	return content, rest, ok
}

// elements counts the elements of that tag with which it begins.
func (p part) elements(wanted byte) (n int) {
	for rest, ok := p.octets, true; len(rest) > 0; n++ {
		if _, rest, ok = contentOf(rest, wanted); !ok {
			break
		}
	}
	return n
}

// readEntry reads a SearchResultEntry (RFC 4511, 4.5.2).
func readEntry(body []byte) (*ldap.Entry, bool) {
	name, rest, ok := part{body, string(body)}.take(tagOctets)
	if !ok {
		return nil, false
	}
	attributes, _, ok := rest.take(tagSequence)
	n, values := attributes.room()
	read := make([]ldap.EntryAttribute, 0, n)
	e := &ldap.Entry{DN: name.text, Attributes: make([]*ldap.EntryAttribute, n)}
	into := ldap.EntryAttribute{Values: make([]string, 0, values), ByteValues: make([][]byte, 0, values)}
	for ok && len(attributes.octets) > 0 {
		var one part
		if one, attributes, ok = attributes.take(tagSequence); !ok {
			break
		}
		var a ldap.EntryAttribute
		if a, ok = one.attribute(&into); ok {
			read = append(read, a)
			e.Attributes[len(read)-1] = &read[len(read)-1]
		}
	}
	e.Attributes = e.Attributes[:len(read)]
	return e, ok
}

// room counts attributes, and their values, as far as they can be read.
func (p part) room() (attributes, values int) {
	for rest, ok := p, true; len(rest.octets) > 0; attributes++ {
		var one part
		if one, rest, ok = rest.take(tagSequence); !ok {
			break
		}
		_, set, _ := one.take(tagOctets)
		if set, _, ok = set.take(tagSet); ok {
			values += set.elements(tagOctets)
		}
	}
	return attributes, values
}

// attribute reads a PartialAttribute (RFC 4511, 4.1.7), whose values it appends to those of others.
func (p part) attribute(into *ldap.EntryAttribute) (a ldap.EntryAttribute, ok bool) {
	name, rest, ok := p.take(tagOctets)
	if !ok {
		return a, false
	}
	values, _, ok := rest.take(tagSet)
	a.Name = name.text
	from := len(into.Values)
	for ok && len(values.octets) > 0 {
		var value part
		if value, values, ok = values.take(tagOctets); ok {
			into.Values = append(into.Values, value.text)
			into.ByteValues = append(into.ByteValues, value.octets)
		}
	}
	if end := len(into.Values); end > from {
		a.Values, a.ByteValues = into.Values[from:end:end], into.ByteValues[from:end:end]
	}
	return a, ok
}

// readResult reads the code and the text of an LDAPResult (RFC 4511, 4.1.9).
func readResult(body []byte) (code byte, text string, ok bool) {
	digits, rest, ok := contentOf(body, tagEnumerated)
	if !ok || len(digits) != 1 {
		return 0, "", false
	}
	_, rest, ok = contentOf(rest, tagOctets)
	if !ok {
		return 0, "", false
	}
	said, _, ok := contentOf(rest, tagOctets)
	return digits[0], string(said), ok
}

// readBind reads the answer to a bind, as go-ldap does.
func readBind(r *reply) (*ldap.SimpleBindResult, error) {
	if r.err != nil {
		return nil, r.err
	}
	content, _, ok := contentOf(r.messages, tagSequence)
	op, body, controls, is := operation(content)
	code, _, has := readResult(body)
	if !ok || !is || !has || op != opBindResponse { // another may come before it, and look like one
		return nil, errStrange
	}
	if code == ldap.LDAPResultSuccess && len(controls) == 0 {
		return &ldap.SimpleBindResult{}, nil
	}
	// What is more than a plain success is read by go-ldap.
	packet, err := ber.DecodePacketErr(r.messages)
	if err != nil {
		return nil, err
	}
	found, err := controlsOf(packet)
	if err != nil {
		return nil, err
	}
	return &ldap.SimpleBindResult{Controls: found}, ldap.GetLDAPError(packet)
}

// controlsOf returns the controls of a message.
func controlsOf(packet *ber.Packet) (controls []ldap.Control, err error) {
	if len(packet.Children) < 3 {
		return nil, nil
	}
	for _, child := range packet.Children[2].Children {
		control, err := ldap.DecodeControl(child)
		if err != nil {
			return nil, fmt.Errorf("a control of the answer: %w", err)
		}
		controls = append(controls, control)
	}
	return controls, nil
}
