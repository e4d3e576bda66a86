package directorytest

import (
	"net"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

func octets(value, what string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, value, what)
}

// send writes one response with its controls.
func (c *conn) send(id int64, op, controls *ber.Packet) {
	p := ber.NewSequence("LDAPMessage")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, "messageID"))
	p.AppendChild(op)
	if controls != nil && len(controls.Children) > 0 {
		p.AppendChild(controls)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.raw.SetWriteDeadline(time.Now().Add(10 * time.Second))
	_, _ = c.stream.Write(p.Bytes())
}

// result sends an LDAPResult of the given kind; control may be nil.
func (c *conn) result(m message, tag ber.Tag, r Result, control ldap.Control) {
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "LDAPResult")
	op.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, int64(r.Code), "resultCode"))
	op.AppendChild(octets(r.matched, "matchedDN"))
	op.AppendChild(octets(r.Text, "diagnosticMessage"))
	if len(r.Referrals) > 0 {
		list := ber.Encode(ber.ClassContext, ber.TypeConstructed, 3, nil, "referral")
		for _, u := range r.Referrals {
			list.AppendChild(octets(u, "URI"))
		}
		op.AppendChild(list)
	}
	controls := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "controls")
	if control != nil {
		controls.AppendChild(control.Encode())
	}
	if r.Policy != nil && m.policy {
		controls.AppendChild(policyControl(*r.Policy))
	}
	if r.Control != "" {
		controls.AppendChild(valueControl(r.Control, "0"))
	}
	if tag == ldap.ApplicationBindResponse || tag == ldap.ApplicationSearchResultDone {
		c.pending.Add(-1) // before the client can know that it may go on
	}
	c.send(m.id, op, controls)
}

func valueControl(oid, value string) *ber.Packet {
	p := ber.NewSequence("Control")
	p.AppendChild(octets(oid, "controlType"))
	p.AppendChild(octets(value, "controlValue"))
	return p
}

// policyControl carries PasswordPolicyResponseValue with an error (draft-behera-10, 6.2).
func policyControl(code int8) *ber.Packet {
	value := ber.NewSequence("PasswordPolicyResponseValue")
	value.AppendChild(ber.NewInteger(ber.ClassContext, ber.TypePrimitive, 1, int64(code), "error"))
	return valueControl(oidPolicy, string(value.Bytes()))
}

func (c *conn) entry(m message, e sentEntry) {
	op := ber.Encode(
		ber.ClassApplication,
		ber.TypeConstructed,
		ldap.ApplicationSearchResultEntry,
		nil,
		"SearchResultEntry",
	)
	op.AppendChild(octets(e.dn, "objectName"))
	list := ber.NewSequence("attributes")
	for _, a := range e.attributes {
		one := ber.NewSequence("PartialAttribute")
		one.AppendChild(octets(a.name, "type"))
		set := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "vals")
		for _, v := range a.values {
			set.AppendChild(octets(v, "value"))
		}
		one.AppendChild(set)
		list.AppendChild(one)
	}
	op.AppendChild(list)
	c.send(m.id, op, nil)
}

func (c *conn) reference(m message, url string) {
	op := ber.Encode(
		ber.ClassApplication,
		ber.TypeConstructed,
		ldap.ApplicationSearchResultReference,
		nil,
		"SearchResultReference",
	)
	op.AppendChild(octets(url, "uri"))
	c.send(m.id, op, nil)
}

// reset closes the connection with a TCP reset instead of an orderly end.
func (c *conn) reset() {
	if tcp, ok := c.raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.raw.Close()
}
