package directorytest

import (
	"fmt"
	"strconv"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

const memberOf = "memberOf"

// query is one search request.
type query struct {
	base      string
	scope     int64
	sizeLimit int64
	typesOnly bool
	filter    *ber.Packet
	names     []string
}

// sentEntry is an entry as one search returns it.
type sentEntry struct {
	dn         string
	attributes []attribute
}

func parseQuery(op *ber.Packet) (query, bool) {
	if len(op.Children) != 8 {
		return query{}, false
	}
	q := query{base: op.Children[0].Data.String(), filter: op.Children[6]}
	q.scope, _ = op.Children[1].Value.(int64)
	q.sizeLimit, _ = op.Children[3].Value.(int64)
	q.typesOnly, _ = op.Children[5].Value.(bool)
	for _, name := range op.Children[7].Children {
		q.names = append(q.names, name.Data.String())
	}
	return q, true
}

func (c *conn) search(m message) {
	done := func(r Result, control ldap.Control) { c.result(m, ldap.ApplicationSearchResultDone, r, control) }
	q, ok := parseQuery(m.op)
	if !ok {
		done(Result{Code: ldap.LDAPResultProtocolError}, nil)
		return
	}
	text, _ := ldap.DecompileFilter(q.filter)
	c.server.record(Operation{
		Conn:     c.number,
		Identity: c.who(),
		DN:       q.base,
		Filter:   text,
		Secure:   c.secure,
	})
	rootDSE := q.base == "" && q.scope == ldap.ScopeBaseObject
	var f Fault
	if !rootDSE {
		f = c.server.fault(searches, q.base)
	}
	if !c.suffer(f) {
		return
	}
	if c.server.RequireBind && !rootDSE && c.who() == "" {
		done(Result{Code: ldap.LDAPResultOperationsError, Text: "a successful bind must be completed on the connection"}, nil)
		return
	}
	entries, result := c.server.find(q, rootDSE)
	entries, result, control := c.limit(m, q, entries, result)
	if !c.sendEntries(m, entries, f) {
		return
	}
	if f.Result != nil {
		result = *f.Result
	}
	done(result, control)
}

func (c *conn) sendEntries(m message, entries []sentEntry, f Fault) bool {
	for i, e := range entries {
		if f.ResetAfter > 0 && i == f.ResetAfter {
			break
		}
		c.entry(m, e)
	}
	if f.ResetAfter > 0 && len(entries) >= f.ResetAfter {
		c.reset()
		return false
	}
	for _, url := range f.References {
		c.reference(m, url)
	}
	return true
}

// limit applies the paged results control (RFC 2696), or the size limits.
func (c *conn) limit(m message, q query, entries []sentEntry, r Result) ([]sentEntry, Result, ldap.Control) {
	if page, ok := ldap.FindControl(m.controls, oidPaging).(*ldap.ControlPaging); ok && page.PagingSize > 0 {
		return c.inPages(page, entries, r)
	}
	limit := 0
	for _, bound := range []int{c.server.SizeLimit, c.server.MaxPage, int(q.sizeLimit)} {
		if bound > 0 && (limit == 0 || bound < limit) {
			limit = bound
		}
	}
	if limit > 0 && len(entries) > limit {
		return entries[:limit], Result{Code: ldap.LDAPResultSizeLimitExceeded}, nil
	}
	return entries, r, nil
}

func (c *conn) inPages(page *ldap.ControlPaging, entries []sentEntry, r Result) ([]sentEntry, Result, ldap.Control) {
	switch c.server.Pages {
	case PagesRefused:
		return nil, Result{Code: ldap.LDAPResultUnwillingToPerform, Text: "no pages"}, nil
	case PagesHalved:
		return entries[:len(entries)/2], r, ldap.NewControlPaging(0)
	case PagesEndless:
		again := ldap.NewControlPaging(0)
		again.SetCookie([]byte("again"))
		return entries[:min(len(entries), int(page.PagingSize))], r, again
	}
	return c.page(page, entries, r)
}

// page returns one page. The cookie names the paged search that the connection
// remembers; a cookie of an older one is refused.
func (c *conn) page(page *ldap.ControlPaging, entries []sentEntry, r Result) ([]sentEntry, Result, ldap.Control) {
	c.mu.Lock()
	defer c.mu.Unlock()
	from := 0
	if len(page.Cookie) == 0 {
		c.pages++
	} else {
		search := 0
		n, _ := fmt.Sscanf(string(page.Cookie), "%d:%d", &search, &from)
		if n != 2 || search != c.pages || from < 0 || from > len(entries) {
			return nil, Result{Code: ldap.LDAPResultUnwillingToPerform, Text: "paged results cookie is invalid or old"}, nil
		}
	}
	size := int(page.PagingSize)
	if c.server.MaxPage > 0 {
		size = min(size, c.server.MaxPage)
	}
	to := min(from+size, len(entries))
	answer := ldap.NewControlPaging(uint32(len(entries)))
	if limit := c.server.SizeLimit; limit > 0 && to > limit {
		return entries[min(from, limit):limit], Result{Code: ldap.LDAPResultSizeLimitExceeded}, answer
	}
	if to < len(entries) {
		answer.SetCookie([]byte(strconv.Itoa(c.pages) + ":" + strconv.Itoa(to)))
	}
	return entries[from:to], r, answer
}

// find returns the entries of a search.
func (s *Server) find(q query, rootDSE bool) ([]sentEntry, Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := matcher{tree: &s.tree, memberOf: s.MemberOf, hidden: s.hidden}
	if rootDSE {
		if e := s.rootDSE(); m.match(e, q.filter) {
			return []sentEntry{s.pick(q, e)}, Result{}
		}
		return nil, Result{}
	}
	if strings.EqualFold(q.base, subschema) && q.scope == ldap.ScopeBaseObject {
		return []sentEntry{s.pick(q, &entry{
			dn: subschema,
			attributes: []attribute{
				{"objectClass", []string{"top", "subschema"}},
				{"attributeTypes", append(attributeTypes[:len(attributeTypes):len(attributeTypes)], s.AttributeTypes...)},
			},
		})}, Result{}
	}
	base, err := foldDN(q.base)
	if err != nil {
		return nil, Result{Code: ldap.LDAPResultInvalidDNSyntax, Text: "invalid DN"}
	}
	if s.hidden[base] == HideEntry { // as OpenLDAP has it: it names nothing above
		return nil, Result{Code: ldap.LDAPResultNoSuchObject}
	}
	if base != "" && s.tree.byKey[base] == nil {
		return nil, Result{Code: ldap.LDAPResultNoSuchObject, matched: s.tree.matched(q.base)}
	}
	var out []sentEntry
	for _, e := range s.tree.entries {
		if s.hidden[e.key] != HideEntry && inScope(e.key, base, q.scope) && m.match(e, q.filter) {
			out = append(out, s.pick(q, e))
		}
	}
	return out, Result{}
}

func inScope(key, base string, scope int64) bool {
	rest, below := strings.CutSuffix(key, ","+base)
	if base == "" {
		rest, below = key, true
	}
	switch scope {
	case ldap.ScopeBaseObject:
		return key == base
	case ldap.ScopeSingleLevel:
		return below && !strings.Contains(unescapedCommas(rest), ",")
	}
	return below || key == base
}

// unescapedCommas takes away the commas that belong to values.
func unescapedCommas(dn string) string { return strings.ReplaceAll(dn, `\,`, "") }

// pick takes the attributes that were asked for.
func (s *Server) pick(q query, e *entry) sentEntry {
	out := sentEntry{dn: e.dn}
	for _, a := range e.attributes {
		concealed := s.hidden[e.key] == HideMembers && members(a.name)
		if !concealed && !strings.EqualFold(a.name, memberOf) && !strings.EqualFold(a.name, "userPassword") {
			out.attributes = append(out.attributes, s.parts(q.names, a, e.dn != "")...)
		}
	}
	if groups := s.tree.groupsOf(e, s.MemberOf); len(groups) > 0 {
		out.attributes = append(out.attributes, s.parts(q.names, attribute{memberOf, groups}, true)...)
	}
	if q.typesOnly {
		for i := range out.attributes {
			out.attributes[i].values = nil
		}
	}
	return out
}

func wanted(names []string, name string) bool {
	everything := len(names) == 0
	for _, n := range names {
		if strings.EqualFold(n, name) || n == "+" && operational(name) {
			return true
		}
		everything = everything || n == "*"
	}
	return everything && !operational(name)
}

func operational(name string) bool {
	switch strings.ToLower(name) {
	case "entryuuid", "memberof", "nsuniqueid", "createtimestamp", "modifytimestamp", "structuralobjectclass", "entrydn",
		"supportedcontrol", "supportedextension", "supportedldapversion", "namingcontexts",
		"subschemasubentry", "attributetypes":
		return true
	}
	return strings.HasPrefix(strings.ToLower(name), "pwd")
}

// subschema is where the schema is (RFC 4512 section 4.2).
const subschema = "cn=Subschema"

// attributeTypes are a few of what a schema has, each in another form.
var attributeTypes = [...]string{
	"( 0.9.2342.19200300.100.1.3 NAME ( 'mail' 'rfc822Mailbox' ) EQUALITY caseIgnoreIA5Match SYNTAX " +
		"1.3.6.1.4.1.1466.115.121.1.26{256} )",
	"( 2.5.4.42 NAME ( 'givenName' 'gn' ) SUP name )",
	"( 2.5.4.31 NAME 'member' DESC 'it''s NAME' SUP distinguishedName )",
	"( 2.5.4.50 NAME 'uniqueMember' EQUALITY uniqueMemberMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.34 )",
	"( 1.3.6.1.1.1.1.12 NAME 'memberUid' EQUALITY caseExactIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )",
}

func (s *Server) rootDSE() *entry {
	values := map[string][]string{
		"objectClass":          {"top"},
		"supportedLDAPVersion": {"3"},
		"supportedControl":     {oidPaging, oidPolicy},
		"supportedExtension":   {oidStartTLS},
		"namingContexts":       s.suffixes(),
		"subschemaSubentry":    {subschema},
	}
	for name, replaced := range s.RootDSE {
		values[name] = replaced
	}
	e := &entry{}
	for name, list := range values {
		if len(list) > 0 {
			e.attributes = append(e.attributes, attribute{name, list})
		}
	}
	return e
}

// suffixes are the entries that have no parent.
func (s *Server) suffixes() []string {
	var out []string
	for _, e := range s.tree.entries {
		parsed, err := ldap.ParseDN(e.dn)
		if err != nil || len(parsed.RDNs) == 0 {
			continue
		}
		parent := &ldap.DN{RDNs: parsed.RDNs[1:]}
		if s.tree.byKey[strings.ToLower(parent.String())] == nil {
			out = append(out, e.dn)
		}
	}
	return out
}
