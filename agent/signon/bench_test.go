package signon

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/hashicorp/go-hclog"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/agent/policy"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
	"ldap-gateway/directory"
	"ldap-gateway/directory/slapdtest"
)

const (
	benchUsers  = 2000
	benchRounds = 7
	benchRound  = time.Second
)

// BenchmarkSignOn measures the agent's part of a sign-on, from the sealed
// password to the cut list of groups, and beside it in the same run the same
// three LDAP operations made bare with go-ldap on connections that are kept.
// The two take turns, a second each; the metrics are medians of the rounds.
//
// Repeat it with "make bench", on a machine that does nothing else: slapd and
// both clients share its processors. "ratio" is the agent's sign-ons by the
// bare ones; compare ratios, not rates, between machines.
func BenchmarkSignOn(b *testing.B) {
	s := slapdtest.Start(b, slapdtest.Config{Users: benchUsers, Groups: 100})
	agent, bare := benchAgent(b, s), benchBare(b, s)
	for _, atOnce := range []int{1, 64} {
		b.Run(fmt.Sprintf("at-once-%d", atOnce), func(b *testing.B) {
			for b.Loop() {
				compare(b, atOnce, agent, bare)
			}
		})
	}
}

// compare has both take turns and reports the medians.
func compare(b *testing.B, atOnce int, agent, bare func(n int) error) {
	var agents, bares, ratios []float64
	for round := range benchRounds + 1 {
		x, y := rateOf(b, atOnce, agent), rateOf(b, atOnce, bare)
		if round > 0 { // the first warms the connections
			agents, bares, ratios = append(agents, x), append(bares, y), append(ratios, x/y)
		}
	}
	b.ReportMetric(median(agents), "agent/s")
	b.ReportMetric(median(bares), "bare/s")
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(0, "ns/op")
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// rateOf runs sign-ons for a round and returns how many it made a second.
func rateOf(b *testing.B, atOnce int, signOn func(n int) error) float64 {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), benchRound)
	defer cancel()
	var next atomic.Int64
	var wg sync.WaitGroup
	from := time.Now()
	for range atOnce {
		wg.Go(func() {
			for ctx.Err() == nil {
				if err := signOn(int(next.Add(1)) % benchUsers); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return float64(next.Load()) / time.Since(from).Seconds()
}

// benchAgent returns a whole sign-on by the agent.
func benchAgent(b *testing.B, s *slapdtest.Server) func(n int) error {
	b.Helper()
	client, err := directory.Open(
		directory.Config{Servers: []string{s.TLSURL()}, BaseDN: slapdtest.Suffix, BindDN: slapdtest.ReaderDN,
			BindPassword: slapdtest.Password, TLS: directory.TLS{RootCAs: s.CA()}},
	)
	agenttest.Must(b, err)
	b.Cleanup(func() { _ = client.Close() })
	rules, err := policy.New(
		configs.Policy{
			SearchBases: []string{slapdtest.Suffix},
			Groups:      configs.GroupPolicy{SearchBases: []string{slapdtest.Suffix}, Max: 5000},
		},
	)
	agenttest.Must(b, err)
	private, public, err := wire.NewSealKey()
	agenttest.Must(b, err)
	opener, err := wire.NewOpener("i", private)
	agenttest.Must(b, err)
	sealer, err := wire.NewSealer("i", public)
	agenttest.Must(b, err)
	d := &Service{
		People:  client,
		Policy:  rules,
		Opener:  opener,
		Stats:   NewStats(),
		Guard:   &Guard{},
		Seen:    &Replays{},
		Persons: &Persons{},
		Changes: &Deliveries{},
		Logger:  hclog.NewNullLogger(),
	}
	u := agenttest.Staff()
	u.SearchBase, u.Attributes = "ou=people,"+slapdtest.Suffix, []string{"uid", "cn", "mail"}
	d.UserTypes(wire.UserTypes{Types: []wire.UserType{u}})
	var id atomic.Int64
	return func(n int) error {
		name := fmt.Sprint(id.Add(1))
		r, _ := d.SignOn(
			b.Context(),
			wire.SignOn{
				ID:         name,
				UserType:   "staff",
				Identifier: fmt.Sprintf("user%05d", n),
				Want:       wire.WantRecord,
				Password:   sealer.Seal(name, []byte("password")),
			},
		)
		if r.Outcome != wire.OutcomeOK || r.Membership.Verdict != wire.VerdictComplete || len(r.Membership.Groups) != 2 {
			return fmt.Errorf("%+v", r)
		}
		return nil
	}
}

// benchBare returns the same LDAP operations without anything around them.
func benchBare(b *testing.B, s *slapdtest.Server) func(n int) error {
	b.Helper()
	kept := func() *ldap.Conn {
		c, err := ldap.DialURL(s.TLSURL(), ldap.DialWithTLSConfig(&tls.Config{RootCAs: s.CA()}))
		agenttest.Must(b, err)
		c.SetTimeout(5 * time.Second)
		b.Cleanup(func() { _ = c.Close() })
		return c
	}
	service := []*ldap.Conn{kept(), kept()}
	for _, c := range service {
		agenttest.Must(b, c.Bind(slapdtest.ReaderDN, slapdtest.Password))
	}
	binds := make(chan *ldap.Conn, 64)
	for range cap(binds) {
		binds <- kept()
	}
	search := func(n int, base, filter string, limit int, attributes ...string) (*ldap.SearchResult, error) {
		return service[n%2].Search(
			ldap.NewSearchRequest(
				base,
				ldap.ScopeWholeSubtree,
				ldap.NeverDerefAliases,
				limit,
				5,
				false,
				filter,
				attributes,
				nil,
			),
		)
	}
	return func(n int) error {
		uid := fmt.Sprintf("user%05d", n)
		found, err := search(
			n,
			"ou=people,"+slapdtest.Suffix,
			"(&(objectClass=inetOrgPerson)(uid="+uid+"))",
			2,
			"uid",
			"cn",
			"mail",
			"entryUUID",
		)
		if err != nil {
			return err
		}
		dn := found.Entries[0].DN
		c := <-binds
		err = c.Bind(dn, "password")
		binds <- c
		if err != nil {
			return err
		}
		groups, err := search(
			n,
			slapdtest.Suffix,
			fmt.Sprintf("(|(member=%[1]s)(uniqueMember=%[1]s)(memberUid=%[2]s))", dn, uid),
			0,
			"cn",
			"objectClass",
		)
		if err == nil && len(groups.Entries) != 2 {
			err = fmt.Errorf("%d groups", len(groups.Entries))
		}
		return err
	}
}
