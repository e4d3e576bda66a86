package directorytest

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/uuid"
)

// MemberOf says what the memberOf of an entry lists.
type MemberOf uint8

// Direct is what Active Directory and OpenLDAP's overlay do, Transitive is what 389
// does by default.
const (
	MemberOfNone MemberOf = iota
	MemberOfDirect
	MemberOfTransitive
)

// Failures of the methods that change entries.
var (
	ErrExists  = errors.New("entry exists already")
	ErrMissing = errors.New("no such entry")
)

type attribute struct {
	name   string
	values []string
}

type entry struct {
	dn         string
	key        string // folded DN
	attributes []attribute
}

// tree holds the entries in the order in which they were added. Server guards it.
type tree struct {
	entries []*entry
	byKey   map[string]*entry
	parents map[string][]string // folded DN of a member: DNs of its groups; nil when stale
}

func newEntry(dn string, lines []Line) (*entry, error) {
	key, err := foldDN(dn)
	if err != nil {
		return nil, fmt.Errorf("DN %q: %w", dn, err)
	}
	e := &entry{dn: dn, key: key}
	for _, l := range lines {
		e.append(l.Name, l.Value)
	}
	if len(e.values("entryUUID")) == 0 {
		e.append("entryUUID", uuid.NewString())
	}
	return e, nil
}

func (e *entry) append(name, value string) {
	for i := range e.attributes {
		if strings.EqualFold(e.attributes[i].name, name) {
			e.attributes[i].values = append(e.attributes[i].values, value)
			return
		}
	}
	e.attributes = append(e.attributes, attribute{name, []string{value}})
}

func (e *entry) values(name string) []string {
	for _, a := range e.attributes {
		if strings.EqualFold(a.name, name) {
			return a.values
		}
	}
	return nil
}

func (t *tree) add(e *entry) error {
	if t.byKey[e.key] != nil {
		return fmt.Errorf("%s: %w", e.dn, ErrExists)
	}
	if t.byKey == nil {
		t.byKey = map[string]*entry{}
	}
	t.byKey[e.key], t.parents = e, nil
	t.entries = append(t.entries, e)
	return nil
}

// groupsOf returns the memberOf of an entry.
func (t *tree) groupsOf(e *entry, kind MemberOf) []string {
	if kind == MemberOfNone {
		return e.values("memberOf")
	}
	if t.parents == nil {
		t.indexMembers()
	}
	direct := t.parents[e.key]
	if kind == MemberOfDirect {
		return direct
	}
	seen, all := map[string]bool{e.key: true}, []string(nil)
	for queue := slices.Clone(direct); len(queue) > 0; queue = queue[1:] {
		key, _ := foldDN(queue[0])
		if !seen[key] {
			seen[key] = true
			all, queue = append(all, queue[0]), append(queue, t.parents[key]...)
		}
	}
	return all
}

func (t *tree) indexMembers() {
	t.parents = map[string][]string{}
	for _, e := range t.entries {
		for _, member := range append(slices.Clone(e.values("member")), e.values("uniqueMember")...) {
			if key, err := foldDN(member); err == nil {
				t.parents[key] = append(t.parents[key], e.dn)
			}
		}
	}
}

// LoadLDIF adds the content records of an LDIF text, in order.
func (s *Server) LoadLDIF(r io.Reader) error {
	records, err := ParseLDIF(r)
	if err != nil {
		return err
	}
	for _, record := range records {
		if record.ChangeType != "" && record.ChangeType != "add" {
			return fmt.Errorf("%s: changetype %s: only content is loaded", record.DN, record.ChangeType)
		}
		e, err := newEntry(record.DN, record.Lines)
		if err == nil {
			s.mu.Lock()
			err = s.tree.add(e)
			s.mu.Unlock()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Add adds one entry; ErrExists when there is one of that DN.
func (s *Server) Add(dn string, attributes map[string][]string) error {
	var lines []Line
	for name, values := range attributes {
		for _, v := range values {
			lines = append(lines, Line{name, v})
		}
	}
	slices.SortStableFunc(lines, func(a, b Line) int { return strings.Compare(a.Name, b.Name) })
	e, err := newEntry(dn, lines)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tree.add(e)
}

// Replace sets all values of one attribute; without values the attribute goes.
// ErrMissing when there is no such entry.
func (s *Server) Replace(dn, name string, values ...string) error {
	return s.change(dn, func(e *entry) error {
		e.attributes = slices.DeleteFunc(e.attributes, func(a attribute) bool { return strings.EqualFold(a.name, name) })
		if len(values) > 0 {
			e.attributes = append(e.attributes, attribute{name, slices.Clone(values)})
		}
		return nil
	})
}

// Delete removes one entry and leaves what is below it and what names it.
func (s *Server) Delete(dn string) error {
	return s.change(dn, func(e *entry) error {
		delete(s.tree.byKey, e.key)
		s.tree.entries = slices.DeleteFunc(s.tree.entries, func(o *entry) bool { return o == e })
		return nil
	})
}

// Rename gives an entry another DN, with the first RDN's attribute following; its
// entryUUID stays. Values that name the old DN stay as they are.
func (s *Server) Rename(dn, to string) error {
	key, err := foldDN(to)
	if err != nil {
		return err
	}
	return s.change(dn, func(e *entry) error {
		if s.tree.byKey[key] != nil && key != e.key {
			return fmt.Errorf("%s: %w", to, ErrExists)
		}
		delete(s.tree.byKey, e.key)
		e.dn, e.key = to, key
		s.tree.byKey[key] = e
		if parsed, err := ldap.ParseDN(to); err == nil && len(parsed.RDNs) > 0 {
			rdn := parsed.RDNs[0].Attributes[0]
			e.attributes = slices.DeleteFunc(e.attributes, func(a attribute) bool { return strings.EqualFold(a.name, rdn.Type) })
			e.append(rdn.Type, rdn.Value)
		}
		return nil
	})
}

// change works on a copy that replaces the entry, since searches under way may hold
// the old one.
func (s *Server) change(dn string, edit func(*entry) error) error {
	key, err := foldDN(dn)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.tree.byKey[key]
	if old == nil {
		return fmt.Errorf("%s: %w", dn, ErrMissing)
	}
	fresh := &entry{dn: old.dn, key: old.key}
	for _, a := range old.attributes {
		fresh.attributes = append(fresh.attributes, attribute{a.name, slices.Clone(a.values)})
	}
	at := slices.Index(s.tree.entries, old)
	s.tree.entries[at], s.tree.byKey[key], s.tree.parents = fresh, fresh, nil
	if err := edit(fresh); err != nil {
		s.tree.entries[at], s.tree.byKey[key] = old, old
		return err
	}
	return nil
}

// foldDN returns one spelling for all spellings of a DN.
func foldDN(dn string) (string, error) {
	parsed, err := ldap.ParseDN(dn)
	if err != nil {
		return "", err
	}
	return strings.ToLower(parsed.String()), nil
}

// matched returns the DN of the nearest entry above a name that nothing has, or "".
func (t *tree) matched(dn string) string {
	parsed, err := ldap.ParseDN(dn)
	for err == nil && len(parsed.RDNs) > 0 {
		parsed.RDNs = parsed.RDNs[1:]
		if e := t.byKey[strings.ToLower(parsed.String())]; e != nil {
			return e.dn
		}
	}
	return ""
}
