package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"

	"ldap-gateway/cloud/api/client"
)

// BenchmarkFloor measures the least that a sign-on takes with the parts that both programs
// are made of, and nothing of ours: two processes, of which one takes the same request by
// net/http, asks the other over a websocket in CBOR, and has a row in SQLite on the disk
// before it gives the same answer; the other searches and binds with go-ldap (floor), or by
// bare bytes (floor-raw). Nothing is decided, checked, sealed, limited or written down.
//
// It takes turns with the whole path of known people whose record is left alone, and with
// what the directory alone takes, as in BenchmarkWholePath. So to-floor is how much of what
// these parts can do is left, and floor-to-raw is how much of raw any program of them reaches.
func BenchmarkFloor(b *testing.B) {
	m := startMeasured(b, nil)
	m.setUpdate(false)
	m.startFloor()
	for _, atOnce := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("at-once-%d", atOnce), func(b *testing.B) {
			b.ReportMetric(0, "ns/op")
			for b.Loop() {
				m.measureFloor(b, atOnce)
			}
		})
	}
}

// floors are the agents of the floor, and their names in the report.
var floors = map[string]string{"library": "floor", "raw": "floor-raw"}

// startFloor starts the processes.
func (m *measured) startFloor() {
	m.t.Helper()
	self, err := os.Executable()
	must(m.t, err)
	folder := m.t.TempDir()
	must(m.t, os.WriteFile(folder+"/answer.json", m.answer(), 0o600))
	cloud := start(m.t, folder+"/cloud.log", self, "-floor", "cloud", folder)
	var address string
	_, err = fmt.Sscanf(cloud.line("the floor is at "), "the floor is at %s", &address)
	must(m.t, err)
	m.floor, m.floorAPI = map[string]*process{"floor-cloud": cloud}, map[string]*client.Client{}
	for kind, name := range floors {
		agent := start(m.t, folder+"/"+kind+".log", self, "-floor", kind, address, m.slapdAddress())
		agent.line("the floor is linked")
		m.floor[name+"-agent"] = agent
		m.floorAPI[kind] = &client.Client{URL: "http://" + address + "/" + kind, Environment: "floor", HTTP: m.http}
	}
}

// answer is that of a known person's sign-on.
func (m *measured) answer() (answer json.RawMessage) {
	m.t.Helper()
	asked := map[string]string{"username": m.names(0, 1)[0], "password": "password"}
	must(m.t, m.api.Do(context.Background(), "POST", "/signOns", asked, &answer))
	return answer
}

// measureFloor has whole path, floors and directory take turns, and reports medians.
func (m *measured) measureFloor(b *testing.B, atOnce int) {
	b.Helper()
	raw, whole := m.workers("raw", atOnce), m.through(m.api, atOnce)
	values := map[string][]float64{}
	note := func(name string, v float64) { values[name] = append(values[name], v) }
	for range *benchRounds {
		runtime.GC() // so that no round pays for another's
		w := m.spend(b, m.anyKnown(atOnce), whole)
		r := m.spend(b, m.unchanged(), raw)
		note("per-s", w.perSecond)
		note("to-raw", w.perSecond/r.perSecond)
		note("client-µs", w.cpu["client"])
		note("cloud-µs", w.cpu["cloud"])
		note("agent-µs", w.cpu["agent"])
		note("raw-client-µs", r.cpu["client"])
		for kind, name := range floors {
			f := m.spend(b, m.anyKnown(atOnce), m.through(m.floorAPI[kind], atOnce))
			note(name+"-per-s", f.perSecond)
			note(name+"-to-raw", f.perSecond/r.perSecond)
			note(name+"-client-µs", f.cpu["client"])
			note(name+"-cloud-µs", f.cpu["floor-cloud"])
			note(name+"-agent-µs", f.cpu[name+"-agent"])
			note(name+"-slapd-µs", f.cpu["slapd"])
			note("to-"+name, w.perSecond/f.perSecond)
		}
	}
	for name, all := range values {
		slices.Sort(all)
		b.ReportMetric(all[len(all)/2], name)
	}
}

// through are so many who sign people on at an API.
func (m *measured) through(api *client.Client, atOnce int) []bareSignOn {
	return slices.Repeat([]bareSignOn{func(name, _ string) error { return signOnBy(api, name) }}, atOnce)
}
