package cloud

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// TestClockOfANode: it is told when it is far from the database's, whichever way.
func TestClockOfANode(t *testing.T) {
	for ahead, says := range map[time.Duration]string{
		0: "", 9 * time.Second: "", -9 * time.Second: "",
		10 * time.Minute: "10m0s ahead of", -10 * time.Minute: "10m0s behind", 24 * 365 * time.Hour: "8760h0m0s ahead of",
	} {
		all, err := ofClock(t.Context(), func(context.Context) (time.Duration, error) { return ahead, nil })
		if err != nil || (len(all) == 1) != (says != "") || says != "" && !strings.Contains(all[0].Text, says) {
			t.Errorf("%s: %+v, %v", ahead, all, err)
		}
	}
	away := errors.New("away")
	if _, err := ofClock(t.Context(), func(context.Context) (time.Duration, error) { return 0, away }); !errors.Is(err, away) {
		t.Error(err)
	}
}
