package e2e

import (
	"bufio"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// outside is a system that is told what happens in the cloud.
type outside struct {
	t     testing.TB
	flags []string // of a node that tells it

	mu   sync.Mutex
	told map[string]int // how often, by activity
}

func startOutside(t testing.TB) *outside {
	t.Helper()
	o := &outside{t: t, told: map[string]int{}}
	s := httptest.NewTLSServer(o)
	t.Cleanup(s.Close)
	dir := t.TempDir()
	must(t, os.WriteFile(dir+"/secret", []byte("0123456789abcdef\n"), 0o600))
	must(t, os.WriteFile(dir+"/ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600))
	o.flags = []string{"--audit-to", s.URL + "/in", "--audit-secret-file", dir + "/secret", "--audit-ca", dir + "/ca.pem"}
	return o
}

func (o *outside) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	for lines := bufio.NewScanner(r.Body); lines.Scan(); {
		var line struct{ ID string }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			o.t.Error(err)
		}
		o.mu.Lock()
		o.told[line.ID]++
		o.mu.Unlock()
	}
}

// missing returns how many of some activities were never told.
func (o *outside) missing(ids []string) (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, id := range ids {
		if o.told[id] == 0 {
			n++
		}
	}
	return n
}

// activitiesBefore returns all that happened before a time.
func (w *world) activitiesBefore(until time.Time) (ids []string) {
	w.t.Helper()
	for path := "/activities?limit=500"; path != ""; {
		var page struct {
			Links struct {
				Next struct{ Href string }
			} `json:"_links"`
			Embedded struct {
				Activities []struct {
					ID string
					At time.Time
				}
			} `json:"_embedded"`
		}
		w.must("GET", path, nil, &page)
		for _, a := range page.Embedded.Activities {
			if a.At.Before(until) {
				ids = append(ids, a.ID)
			}
		}
		_, after, more := strings.Cut(page.Links.Next.Href, "/activities")
		if path = ""; more {
			path = "/activities" + after
		}
	}
	return ids
}

// tellsAll waits until all that happened before a time was told: a node that was killed
// while it told keeps the others from it for two minutes.
func (o *outside) tellsAll(w *world, until time.Time) {
	o.t.Helper()
	ids := w.activitiesBefore(until)
	if len(ids) < 20 {
		o.t.Fatalf("%d activities are too few for this to say anything", len(ids))
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for end := time.Now().Add(3 * time.Minute); o.missing(ids) > 0; <-tick.C {
		if time.Now().After(end) {
			o.t.Fatalf("of %d activities %d were never told", len(ids), o.missing(ids))
		}
	}
}
