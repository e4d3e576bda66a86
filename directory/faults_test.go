package directory_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
	"ldap-gateway/directory/slapdtest"
)

var (
	faultySignOns = flag.Int("signons", 500, "sign-ons under random faults")
	faultySeed    = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the random faults")
)

// faultyGroups are the groups of the n-th user.
func faultyGroups(n int) []string {
	return []string{fmt.Sprintf("g%02d", n%20), fmt.Sprintf("h%02d", n%7)}
}

// threeControllers start three domain controllers with the same people.
func threeControllers(t *testing.T, users int) ([]*directorytest.Server, func(*directory.Config)) {
	t.Helper()
	authority, err := directorytest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := authority.Issue([]string{"127.0.0.1"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var ldif strings.Builder
	members := map[string][]string{}
	for n := range users {
		ldif.WriteString(person(fmt.Sprintf("u%d", n)))
		for _, g := range faultyGroups(n) {
			members[g] = append(members[g], fmt.Sprintf("uid=u%d,%s", n, people))
		}
	}
	for g, list := range members {
		ldif.WriteString(group(g, list...))
	}
	var all []*directorytest.Server
	for range 3 {
		all = append(all, inProcess(t, ldif.String(), func(s *directorytest.Server) {
			s.Certificate, s.RootDSE, s.MemberOf = &certificate, directorytest.ActiveDirectory(), directorytest.MemberOfDirect
		}))
	}
	return all, func(cfg *directory.Config) {
		cfg.TLS.RootCAs, cfg.Servers = authority.Pool, nil
		for _, s := range all {
			cfg.Servers = append(cfg.Servers, s.TLSURL())
		}
		cfg.GroupsFrom = directory.GroupsSearch // one more operation that can go wrong
		cfg.Timeout, cfg.DialTimeout = 150*time.Millisecond, 150*time.Millisecond
	}
}

// randomFault is mostly none.
func randomFault(r *rand.Rand, codes ...uint16) directorytest.Fault {
	switch r.IntN(20) {
	case 0:
		return directorytest.Fault{Close: true}
	case 1:
		return directorytest.Fault{Silent: true}
	case 2:
		return directorytest.Fault{Delay: time.Duration(r.IntN(200)) * time.Millisecond}
	case 3:
		return directorytest.Fault{ResetAfter: 1 + r.IntN(2)}
	case 4:
		return directorytest.Fault{Result: &directorytest.Result{Code: codes[r.IntN(len(codes))], Text: "at random"}}
	}
	return directorytest.Fault{}
}

// spoil changes what is wrong with a controller until done is closed.
func spoil(s *directorytest.Server, r *rand.Rand, done <-chan struct{}) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		s.SetSearchFault("", randomFault(r, 1, 2, 3, 4, 10, 11, 51, 52, 80))
		s.SetBindFault("", randomFault(r, 1, 51, 52, 53, 80))
		s.SetChangeFault("", randomFault(r, 1, 19, 51, 52, 53, 80))
		s.SetBindFault(slapdtest.ReaderDN, randomFault(r, 51, 52, 80)) // never 49, which stops the client for seconds
		s.SetSilent(r.IntN(30) == 0)
		if r.IntN(10) == 0 {
			s.CutConnections()
		}
	}
}

var errNotTried = errors.New("not tried")

const faultyDeadline = 2 * time.Second

// faultyOutcome is one sign-on.
type faultyOutcome struct {
	find, bind error // bind is that of the change, when there was one
	bound      bool
	change     bool
	groups     directory.Membership
	took       time.Duration
}

func faultySignOn(ctx context.Context, c *directory.Client, ut *directory.UserType, n int) (out faultyOutcome) {
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, faultyDeadline)
	defer cancel()
	defer func() { out.took = time.Since(start) }()
	var e directory.Entry
	// A search may be repeated; it is here, so that most sign-ons get as far as the bind.
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for out.find = errNotTried; out.find != nil; <-tick.C {
		if e, out.find = c.FindUser(ctx, ut, fmt.Sprintf("u%d", n)); ctx.Err() != nil {
			return out
		}
	}
	out.bound, out.change = true, n%5 == 0
	if out.change {
		out.bind = c.ChangePassword(ctx, e.DN, "password", "another password")
		return out
	}
	if out.bind = c.Bind(ctx, e.DN, "password"); out.bind == nil {
		out.groups = c.DirectGroups(ctx, ut, e)
	}
	return out
}

// faultyRound is how many people the controllers have: a server in the process goes
// through all entries at each search.
const faultyRound = 500

// Whatever three controllers do, a sign-on or a password change binds at most once and
// changes at most once, ends in time, and never calls an incomplete membership complete. That
// no goroutine is left is TestMain's.
func TestRandomFaultsNeverBindTwiceNorLoseAGroup(t *testing.T) {
	t.Logf("seed %d", *faultySeed)
	total := map[string]int{}
	for from := 0; from < *faultySignOns; from += faultyRound {
		people := min(faultyRound, *faultySignOns-from)
		t.Run(fmt.Sprint(from), func(t *testing.T) { randomFaults(t, people, *faultySeed+uint64(from), total) })
	}
	t.Logf("outcomes: %v", total)
	if total["signed on, complete"] == 0 || total["signed on, partial"]+total["signed on, unknown"] == 0 ||
		total["answer lost"]+total["not found"] == 0 ||
		total["changed"] == 0 {
		t.Errorf("too little happened: %v", total)
	}
}

// randomFaults signs each of some people on once, and adds to total how that ended.
func randomFaults(t *testing.T, people int, seed uint64, total map[string]int) {
	controllers, three := threeControllers(t, people)
	c, ut := open(t, nil, "", three), compile(t, persons())
	done := make(chan struct{})
	var spoilers, workers sync.WaitGroup
	for i, s := range controllers {
		spoilers.Go(func() { spoil(s, rand.New(rand.NewPCG(seed, uint64(i))), done) })
	}
	outcomes := make([]faultyOutcome, people)
	for worker := range 16 {
		workers.Go(func() {
			for n := worker; n < len(outcomes); n += 16 {
				outcomes[n] = faultySignOn(t.Context(), c, ut, n)
			}
		})
	}
	workers.Wait()
	close(done)
	spoilers.Wait()
	judgeFaulty(t, controllers, outcomes, total)
	if err := c.Close(); err != nil || directory.OpenLinks(c) != 0 {
		t.Errorf("after Close: %v, %d links", err, directory.OpenLinks(c))
	}
	for _, s := range controllers {
		eventually(t, "the controllers see no connection", func() bool { return s.Connections() == 0 })
		s.Close()
	}
}

func judgeFaulty(t *testing.T, controllers []*directorytest.Server, outcomes []faultyOutcome, total map[string]int) {
	t.Helper()
	binds, changes := map[string]int{}, map[string]int{}
	for _, s := range controllers {
		for _, op := range s.Operations() {
			switch {
			case op.Bind:
				binds[op.DN]++
			case op.Change:
				changes[op.DN]++
			}
		}
	}
	for n, o := range outcomes {
		dn := fmt.Sprintf("uid=u%d,%s", n, people)
		sent := binds[dn]
		kind, agrees := faultyKind(o, sent, changes[dn])
		total[kind]++
		if !agrees {
			t.Errorf("sign-on %d: %s, %d binds: %v %v", n, kind, sent, o.find, o.bind)
		}
		if o.took > faultyDeadline+time.Second {
			t.Errorf("sign-on %d took %s", n, o.took)
		}
		want := strings.Join(faultyGroups(n), " ")
		if o.groups.Verdict == directory.Complete && names(o.groups) != want {
			t.Errorf("sign-on %d: complete with %q, want %q", n, names(o.groups), want)
		}
		for _, g := range o.groups.Groups {
			if !strings.Contains(want, g.Name) {
				t.Errorf("sign-on %d: a stranger's group %+v", n, g)
			}
		}
	}
}

// faultyKind names an outcome and says whether it agrees with the binds and changes that
// arrived.
func faultyKind(o faultyOutcome, sent, changed int) (string, bool) {
	if changed > 1 || changed > sent || changed > 0 && !o.change {
		return "changed more than once, or without a bind", false
	}
	switch {
	case !o.bound:
		return "not found", sent == 0
	case o.change && o.bind == nil:
		return "changed", sent == 1 && changed == 1
	case o.bind == nil:
		return "signed on, " + o.groups.Verdict.String(), sent == 1
	case errors.Is(o.bind, directory.ErrAnswerLost):
		return "answer lost", sent <= 1
	case errors.Is(o.bind, directory.ErrUnavailable):
		return "no bind", sent == 0
	}
	return "refused", sent == 1
}
