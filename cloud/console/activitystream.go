package console

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"ldap-gateway/cloud/store"
)

const (
	// look is how often a stream looks for what is new. It asks the store, since
	// another node may have written it.
	look = time.Second
	// writeTime is how long a browser may take to read one part of a long answer: one that
	// takes longer is gone.
	writeTime = 30 * time.Second
	// streamTime is how long a stream goes on. The browser comes back by itself.
	streamTime = 5 * time.Minute
)

// streamActivity sends what happens from now on, as server-sent events (HTML
// Living Standard, section 9.2) with the rows of the list in them.
func (c *console) streamActivity(k *call) error {
	list, f, err := c.activityFilter(k)
	if err != nil {
		return err
	}
	if len(list.Errors) > 0 {
		return k.render(http.StatusUnprocessableEntity, "activity", "Activity", list)
	}
	// What comes now is later than any day that the list ended with.
	f.Until = time.Time{}
	k.w.Header().Set("Content-Type", "text/event-stream")
	k.w.Header().Set("X-Accel-Buffering", "no") // has nginx pass each event on as it comes
	out := http.NewResponseController(k.w)
	_ = out.SetWriteDeadline(time.Now().Add(writeTime)) // where there is none, none ends the stream
	// The browser is to wait a second, in milliseconds, before it asks again.
	if _, err := io.WriteString(k.w, "retry: 1000\n\n"); err != nil || out.Flush() != nil {
		return nil // the browser is gone
	}
	// A browser that comes back says by itself where it was; the first time the address
	// does.
	seen, err := c.seenOf(k, f, cmp.Or(k.Header.Get("Last-Event-ID"), k.query("after")))
	if err != nil {
		return err
	}
	tick, end := time.NewTicker(look), time.NewTimer(streamTime)
	defer tick.Stop()
	defer end.Stop()
	for {
		select {
		case <-k.Context().Done():
			return nil
		// A server that stops waits for its answers, and this one goes on for minutes.
		case <-c.Ending:
			return nil
		case <-end.C:
			return nil
		case <-tick.C:
		}
		_ = out.SetWriteDeadline(time.Now().Add(writeTime))
		if c.still(k) != nil {
			return nil // the browser comes back, and is told then
		}
		if seen, err = c.sendNew(k, f, seen); err != nil {
			c.log().Warn("a stream of activities ended", "error", err)
			return nil // an answer was begun: there is no other to give
		}
		if out.Flush() != nil {
			return nil
		}
	}
}

// seenOf returns those of the newest activities that the browser has: up to the
// last that it had. Of none that is there any more it has none.
func (c *console) seenOf(k *call, f store.ActivityFilter, last string) (map[string]bool, error) {
	all, _, err := c.Store.Activities(k.Context(), k.env(), f, store.Page{Limit: rows})
	seen := map[string]bool{}
	for _, a := range all {
		if a.ID == last || len(seen) > 0 {
			seen[a.ID] = true
		}
	}
	return seen, err
}

// sendNew sends the activities of the newest page that the browser has not seen,
// the oldest first, and returns that page. What was written by several at once
// need not come in the order of its times.
func (c *console) sendNew(k *call, f store.ActivityFilter, seen map[string]bool) (map[string]bool, error) {
	all, _, err := c.Store.Activities(k.Context(), k.env(), f, store.Page{Limit: rows})
	if err != nil {
		return seen, err
	}
	now := map[string]bool{}
	for _, row := range slices.Backward(rowsOf(all)) {
		if now[row.ID] = true; seen[row.ID] {
			continue
		}
		var html bytes.Buffer
		if err := c.pages["activity"].ExecuteTemplate(&html, "activities", []activityRow{row}); err != nil {
			return seen, err
		}
		// A line break ends a field of an event, so every line of the HTML is one of
		// its own.
		text := strings.ReplaceAll(strings.TrimSpace(html.String()), "\n", "\ndata: ")
		if _, err := fmt.Fprintf(k.w, "id: %s\nevent: activity\ndata: %s\n\n", row.ID, text); err != nil {
			return seen, err
		}
	}
	return now, nil
}

// export is a form in which activities are saved.
type export struct {
	kind, extension, head string
	line                  func(w io.Writer, a store.Activity) error
}

// exportAs returns the form of a name: "csv", and JSON Lines for every other.
func exportAs(name string) export {
	if name == "csv" {
		return export{"text/csv; charset=utf-8", "csv", "at,action,actor,subject,signOn,text,detail\r\n", csvLine}
	}
	return export{"application/jsonl", "jsonl", "", jsonLine}
}

// exportActivity sends everything that the filter lets through. An answer that
// cannot be finished is cut off, so that nobody takes it for the whole.
// It is read in parts, so that a long one needs no more memory than a short one.
func (c *console) exportActivity(k *call) error {
	list, f, err := c.activityFilter(k)
	if err != nil {
		return err
	}
	if len(list.Errors) > 0 {
		return k.render(http.StatusUnprocessableEntity, "activity", "Activity", list)
	}
	as := exportAs(k.query("as"))
	all, next, err := c.Store.Activities(k.Context(), k.env(), f, store.Page{Limit: store.MaxLimit})
	if err != nil {
		return err
	}
	k.w.Header().Set("Content-Type", as.kind)
	k.w.Header().Set(
		"Content-Disposition",
		`attachment; filename="activity-`+c.now().UTC().Format(day)+"."+as.extension+`"`,
	)
	out := http.NewResponseController(k.w)
	_, err = io.WriteString(k.w, as.head)
	for err == nil {
		_ = out.SetWriteDeadline(time.Now().Add(writeTime)) // where there is none, none cuts it off
		for _, a := range all {
			err = cmp.Or(err, as.line(k.w, a))
		}
		if err != nil || next == "" {
			break
		}
		if err = c.still(k); err != nil {
			break
		}
		all, next, err = c.Store.Activities(k.Context(), k.env(), f, store.Page{Limit: store.MaxLimit, Cursor: next})
	}
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	// The status has been sent, so that only a broken connection still tells of a
	// failure.
	return nil
}

// jsonLine writes one activity a line. The names are part of what is promised to those
// who read such files.
// The form is one JSON object a line, which programs read without having it whole.
func jsonLine(w io.Writer, a store.Activity) error {
	return json.NewEncoder(w).Encode(map[string]any{
		"id":      a.ID,
		"at":      a.At,
		"action":  a.Action,
		"actor":   a.Actor,
		"subject": a.Subject,
		"signOn":  a.SignOnID,
		"text":    a.Text,
		"detail":  a.Detail,
	})
}

// csvLine writes one activity a row.
func csvLine(w io.Writer, a store.Activity) error {
	detail, err := json.Marshal(a.Detail)
	if err != nil {
		return err
	}
	return csvRow(w, []string{iso(a.At), a.Action, a.Actor, a.Subject, a.SignOnID, a.Text, string(detail)})
}
