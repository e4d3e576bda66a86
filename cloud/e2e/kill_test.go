package e2e

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"
)

// kills is how often the cloud is killed; "make long" has it be 50.
var kills = flag.Int("kills", 4, "how often the cloud is killed while people sign on")

// crowd returns n people, each in the same three groups.
func crowd(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "dn: uid=person%d,ou=people,dc=example,dc=test\nobjectClass: inetOrgPerson\nuid: person%d\ncn: Person %d\nsn: %d\nuserPassword: secret\n\n", i, i, i, i)
	}
	for _, g := range []string{"one", "two", "three"} {
		fmt.Fprintf(&b, "dn: cn=%s,ou=groups,dc=example,dc=test\nobjectClass: groupOfNames\ncn: %s\n", g, g)
		for i := range n {
			fmt.Fprintf(&b, "member: uid=person%d,ou=people,dc=example,dc=test\n", i)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// TestKilledAtRandom kills the cloud at random moments while people sign on for
// the first time and again. After each restart every acknowledged sign-on is there
// with its record, and no record is there in part.
func TestKilledAtRandom(t *testing.T) {
	const people = 100
	p := plan{update: true, policy: unlimited}
	p.slapd.LDIF = crowd(people)
	w := newWorld(t, p)
	acknowledged := map[string]signOn{}
	for kill := range *kills {
		w.awaitInstances(1)
		var mu sync.Mutex
		var all sync.WaitGroup
		over := make(chan struct{})
		for range 8 {
			all.Go(func() {
				for !isClosed(over) {
					var r signOn
					name := fmt.Sprintf("person%d", rand.IntN(people))
					if w.do("POST", "/signOns", map[string]string{"username": name, "password": "secret"}, &r) == nil {
						mu.Lock()
						acknowledged[r.ID] = r
						mu.Unlock()
					}
				}
			})
		}
		<-time.After(time.Duration(rand.IntN(400)) * time.Millisecond)
		w.cloud.kill()
		close(over)
		all.Wait()
		w.restartCloud()
		w.nothingIsHalfThere(t, kill)
	}
	ok := 0
	for id, want := range acknowledged {
		var got signOn
		w.must("GET", "/signOns/"+id, nil, &got)
		if got.Outcome != want.Outcome || got.User.ID != want.User.ID {
			t.Errorf("%+v, acknowledged was %+v", got, want)
		}
		if want.Outcome == "ok" {
			ok++
		}
	}
	t.Logf("%d killed, %d sign-ons acknowledged, %d of them ok", *kills, len(acknowledged), ok)
	if ok < 5**kills || len(acknowledged) < 20 {
		t.Error("too few signed on for this to say anything")
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// nothingIsHalfThere looks at every record of the crowd: it has all three groups.
func (w *world) nothingIsHalfThere(t testing.TB, kill int) {
	t.Helper()
	var list struct {
		Embedded struct {
			Users []struct{ ID, Username string }
		} `json:"_embedded"`
	}
	w.must("GET", `/users?limit=1000&filter=username%20sw%20"person"`, nil, &list)
	for _, u := range list.Embedded.Users {
		if _, groups := w.record(u.ID); strings.Count(groups, "cn=") != 3 {
			t.Errorf("after kill %d: %s is in %q", kill, u.Username, groups)
		}
	}
}
