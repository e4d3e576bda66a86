package directorytest

import (
	"slices"
	"strings"
	"time"
)

// Result is an LDAP result that replaces the true one.
type Result struct {
	Code uint16
	Text string
	// Policy is the error of the password policy control (draft-behera-10), sent when
	// the client asked for the control; nil means no control.
	Policy *int8
	// Referrals are URLs that go with result 10.
	Referrals []string
	// Control is the OID of one more control, sent with the value "0"; empty means none.
	Control string

	matched string // DN
}

// ActiveDirectoryRefusal is result 49 with one of Active Directory's sub-codes, such as
// "52e", in the text that a domain controller sends.
func ActiveDirectoryRefusal(subCode string) Result {
	return Result{
		Code: 49,
		Text: "80090308: LdapErr: DSID-0C0903C5, comment: AcceptSecurityContext error, data " + subCode + ", v4563",
	}
}

// Fault is what goes wrong with an operation, in this order.
type Fault struct {
	Delay  time.Duration // before anything else
	Silent bool          // never answer
	Close  bool          // close the connection instead of answering
	// ResetAfter resets the connection when so many entries were sent; 0 means never.
	ResetAfter int
	// References are sent as search references after the entries.
	References []string
	// Result replaces the result; the entries are sent before it all the same.
	Result *Result
	// OnlyIfRight keeps Result for a bind whose password is right.
	OnlyIfRight bool
}

// Pages is what becomes of the paged results control (RFC 2696), which the root DSE
// offers whatever comes of it.
type Pages int

// The zero value gives pages.
const (
	PagesGiven   Pages = iota
	PagesRefused       // result 53 and nothing else
	PagesHalved        // half of the entries, as if there were no more
	PagesEndless       // the first page again and again
)

// operation is a kind of what clients ask.
type operation int

const (
	binds operation = iota
	searches
	changes // of a password
)

// Hiding says what of an entry searches do not show, as access rules of a real server
// would have it. It goes for everybody who searches.
type Hiding uint8

// The ways to hide.
const (
	HideNothing Hiding = iota
	HideMembers        // who is in a group
	HideEntry          // that it is there
)

// Hide sets what of an entry is not shown; it stays so over ClearFaults.
func (s *Server) Hide(dn string, what Hiding) {
	key, err := foldDN(dn)
	if err != nil {
		key = dn
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hidden == nil {
		s.hidden = map[string]Hiding{}
	}
	s.hidden[key] = what
}

// members tells whether an attribute says who is in a group.
func members(name string) bool {
	return slices.ContainsFunc([]string{"member", "uniqueMember", "memberUid"},
		func(m string) bool { return strings.EqualFold(m, name) })
}

type faults struct {
	silent bool
	by     [changes + 1]map[string]Fault
}

// SetSilent makes the server accept connections and then say nothing at all on them,
// not even a TLS handshake.
func (s *Server) SetSilent(silent bool) {
	s.mu.Lock()
	s.faults.silent = silent
	s.mu.Unlock()
}

// SetBindFault makes binds with this DN go wrong; the empty DN means every bind that
// has no fault of its own.
func (s *Server) SetBindFault(dn string, f Fault) { s.setFault(binds, dn, f) }

// SetSearchFault makes searches with this base go wrong; the empty base means every
// search that has no fault of its own, except of the root DSE.
func (s *Server) SetSearchFault(base string, f Fault) { s.setFault(searches, base, f) }

// SetChangeFault makes changes of this entry's password go wrong; the empty DN means
// every one that has no fault of its own. A Result is sent instead of the true one; the
// password is changed all the same.
func (s *Server) SetChangeFault(dn string, f Fault) { s.setFault(changes, dn, f) }

// ClearFaults makes the server work again.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	s.faults = faults{}
	s.mu.Unlock()
}

func (s *Server) setFault(kind operation, dn string, f Fault) {
	key, err := foldDN(dn)
	if err != nil {
		key = dn
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults.by[kind] == nil {
		s.faults.by[kind] = map[string]Fault{}
	}
	s.faults.by[kind][key] = f
}

func (s *Server) fault(kind operation, dn string) Fault {
	key, err := foldDN(dn)
	if err != nil {
		key = dn
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	from := s.faults.by[kind]
	if f, ok := from[key]; ok {
		return f
	}
	return from[""]
}

// SetMemberOf changes how memberOf is computed while the server runs.
func (s *Server) SetMemberOf(kind MemberOf) {
	s.mu.Lock()
	s.MemberOf = kind
	s.mu.Unlock()
}

func (s *Server) silent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults.silent
}

// Forget has Operations, and all counts of them, begin anew.
func (s *Server) Forget() {
	s.mu.Lock()
	s.log = nil
	s.mu.Unlock()
}

// Operation is one bind, search or password change that reached the server.
type Operation struct {
	Conn     int    // counts connections from 1
	Identity string // DN bound on the connection at that moment, "" for nobody
	Bind     bool
	Change   bool   // of a password; neither: a search
	DN       string // of the bind or the change, or the base of the search
	Filter   string // of the search
	Policy   bool   // the password policy control came with the bind
	Secure   bool   // under TLS
}

func (s *Server) record(op Operation) {
	s.mu.Lock()
	s.log = append(s.log, op)
	s.mu.Unlock()
}

// Operations returns all binds, searches and password changes so far, in order of arrival.
func (s *Server) Operations() []Operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}

// Binds returns how many binds with this DN arrived; the empty DN counts all.
func (s *Server) Binds(dn string) int {
	return s.count(func(op Operation) bool { return op.Bind && (dn == "" || sameDN(op.DN, dn)) })
}

// Searches returns how many searches arrived, without those of the root DSE and the
// schema: a client may read these at any time, and they tell of no entry.
func (s *Server) Searches() int {
	return s.count(func(op Operation) bool {
		return !op.Bind && !op.Change && op.DN != "" && !strings.EqualFold(op.DN, subschema)
	})
}

// Changes returns how many changes of this entry's password arrived.
func (s *Server) Changes(dn string) int {
	return s.count(func(op Operation) bool { return op.Change && sameDN(op.DN, dn) })
}

// OverlappingBinds returns how many binds arrived while another operation was under
// way on the same connection, which RFC 4511 (4.2.1) forbids.
func (s *Server) OverlappingBinds() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.overlaps
}

func (s *Server) count(is func(Operation) bool) int {
	n := 0
	for _, op := range s.Operations() {
		if is(op) {
			n++
		}
	}
	return n
}

func sameDN(a, b string) bool {
	keyA, errA := foldDN(a)
	keyB, errB := foldDN(b)
	return errA == nil && errB == nil && keyA == keyB
}
