package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"ldap-gateway/cloud/store"
)

// Line is an activity as it is told, and as archives have it. Its names are promised to
// those who read them.
type Line struct {
	ID          string         `json:"id"`
	At          time.Time      `json:"at"`
	Environment string         `json:"environment"`
	Action      string         `json:"action"`
	Actor       string         `json:"actor"`
	Subject     string         `json:"subject"`
	SignOn      string         `json:"signOn,omitempty"`
	Text        string         `json:"text"`
	Detail      map[string]any `json:"detail,omitempty"`
	Cut         bool           `json:"cut,omitempty"` // the detail is left out: it is too long for syslog
}

// LineOf returns the line of an activity.
func LineOf(a store.Activity) Line {
	return Line{
		ID:          a.ID,
		At:          a.At,
		Environment: a.EnvironmentID,
		Action:      a.Action,
		Actor:       a.Actor,
		Subject:     a.Subject,
		SignOn:      a.SignOnID,
		Text:        a.Text,
		Detail:      a.Detail,
	}
}

// inJSON returns activities as JSON, one a line.
func inJSON(all []store.Activity) ([]byte, error) {
	var b bytes.Buffer
	for _, a := range all {
		if err := json.NewEncoder(&b).Encode(LineOf(a)); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

const (
	// priority is of facility 13, "log audit", and severity 6, "informational" (RFC 5424
	// section 6.2.1).
	priority = 13*8 + 6
	// longest is as many bytes as every receiver should take (RFC 5425 section 4.3.1).
	longest = 8192
	// longestText is how many bytes of a text stay where a line is too long.
	longestText = 500
)

// inSyslog returns activities as messages of RFC 5424, each after its length (RFC 5425
// section 4.3). The message is the line in JSON; its ID is the action.
func inSyslog(all []store.Activity, host string) ([]byte, error) {
	var b bytes.Buffer
	for _, a := range all {
		m, err := message(LineOf(a), host)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%d %s", len(m), m)
	}
	return b.Bytes(), nil
}

func message(l Line, host string) ([]byte, error) {
	text, err := json.Marshal(l)
	head := fmt.Sprintf("<%d>1 %s %s ldap-cloud - %s - ",
		priority, l.At.UTC().Format("2006-01-02T15:04:05.000000Z"), printable(host, 255), printable(l.Action, 32))
	if err == nil && len(head)+len(text) > longest {
		l.Cut, l.Detail = true, nil
		l.Text, l.Subject, l.Actor = start(l.Text), start(l.Subject), start(l.Actor)
		text, err = json.Marshal(l)
	}
	return append([]byte(head), text...), err
}

// start returns what fits of a text.
func start(text string) string {
	if len(text) <= longestText {
		return text
	}
	return string(bytes.ToValidUTF8([]byte(text[:longestText]), nil))
}

// printable returns a field of the header, which has neither blanks nor anything beyond
// ASCII (RFC 5424 section 6); "-" for none.
func printable(text string, most int) string {
	b := []byte(text)
	for i, c := range b {
		if c <= ' ' || c > '~' {
			b[i] = '_'
		}
	}
	if len(b) == 0 {
		return "-"
	}
	return string(b[:min(len(b), most)])
}
