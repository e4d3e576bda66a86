package hub

import (
	"testing"
	"time"
)

// TestDeadNodesLinkIsNoTwin: a link of a node that died does not make the instance's
// next one look like that of a second machine, however far that node's clock was ahead.
func TestDeadNodesLinkIsNoTwin(t *testing.T) {
	const heartbeat = 10 * time.Second
	for ahead := range 60 {
		deadNode(t, heartbeat, time.Duration(ahead)*time.Second)
	}
}

func deadNode(t *testing.T, heartbeat, ahead time.Duration) {
	t.Helper()
	start := time.Now()
	p := presence{life: 3 * heartbeat}
	old := Live{Link: "old", Instance: "i", Gateway: "g", Since: start.Add(ahead)}
	p.note(old, start)
	now := start.Add(time.Second)
	live := Live{Link: "new", Instance: "i", Gateway: "g", Since: now}
	for range 100 {
		now = now.Add(time.Second)
		p.note(live, now)
		if _, twin := p.twin(live, now.Add(-2*heartbeat)); twin {
			t.Fatalf("ahead by %s, it is a twin after %s", ahead, now.Sub(start))
		}
	}
	p.note(old, now)
	if _, twin := p.twin(live, now.Add(-2*heartbeat)); twin != old.Since.After(live.Since) {
		t.Errorf("ahead by %s, one that lives is a twin: %t", ahead, twin)
	}
}
