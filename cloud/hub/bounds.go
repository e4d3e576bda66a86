package hub

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"ldap-gateway/cloudlink/wire"
)

// Limits of what an agent says. They are far above what is real, and keep what
// every node remembers of it, and what the store keeps, small. Texts are cut and
// lists end there: they are for people to read. Values of an entry are not cut,
// as another value would be kept: the whole answer is refused.
const (
	mostText  = 1 << 10  // bytes of a text
	mostWords = 64       // problems, servers, refused user types, lines of a policy
	mostValue = 64 << 10 // bytes of a value, DN or name
)

// clip cuts a text, between two characters, and makes blanks of what steers a terminal.
func clip(s string, most int) string {
	s = strings.ToValidUTF8(s[:min(len(s), most)], "")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}

// clipAll is clip for a list, with clipOne for each of it.
// What is beyond is let go and not refused: an agent that reports too much is still an
// agent.
func clipAll[T any](all []T, clipOne func(*T)) []T {
	all = all[:min(len(all), mostWords)]
	for i := range all {
		clipOne(&all[i])
	}
	return all
}

// clipText is clip to what a text may be.
func clipText(s *string) { *s = clip(*s, mostText) }

// boundHello bounds what an agent says of itself at the door. It is shown on pages and
// kept in the store.
func boundHello(h *wire.Hello) {
	for _, s := range []*string{&h.Hostname, &h.Software, &h.System, &h.PolicyHash} {
		*s = clip(*s, 255)
	}
	h.Policy = clipAll(h.Policy, clipText)
}

// boundHeartbeat bounds what every node remembers of an agent, and is told every ten
// seconds.
func boundHeartbeat(b *wire.Heartbeat) {
	b.Attributes = boundAttributes(b.Attributes)
	b.Servers = clipAll(b.Servers, func(s *wire.Server) {
		for _, text := range []*string{&s.URL, &s.State, &s.Vendor, &s.Error} {
			clipText(text)
		}
	})
	b.Problems = clipAll(b.Problems, func(p *wire.Problem) {
		for _, text := range []*string{&p.Code, &p.Text, &p.Remedy, &p.Severity} {
			clipText(text)
		}
	})
}

// mostAttributes bounds the names of attributes that an agent tells.
const mostAttributes = 500

// boundAttributes bounds the names that forms offer; they are the directory's, and a
// schema has many.
func boundAttributes(all []string) []string {
	all = all[:min(len(all), mostAttributes)]
	for i := range all {
		all[i] = clip(all[i], 255)
	}
	return all
}

// boundRefused bounds why an agent's file does not allow user types.
func boundRefused(all []wire.Refused) []wire.Refused {
	return clipAll(all, func(r *wire.Refused) {
		clipText(&r.ID)
		r.Reasons = clipAll(r.Reasons, clipText)
	})
}

// boundResult cuts the reasons of an answer, and tells what of it is too long.
// Its error makes the outcome unknown, as a bind may have been sent. A password was
// right or wrong, and what is cut here would be kept as the person's record.
func boundResult(r *wire.SignOnResult) error {
	clipText(&r.Reason)
	if m := r.Membership; m != nil {
		// It is for people, and is cut; a name that was cut would be another group's.
		clipText(&m.Reason)
		for i := range m.Groups {
			g := &m.Groups[i]
			g.Stamp = clip(g.Stamp, mostStamp)
			if len(g.DN) > mostValue || len(g.Name) > mostValue || len(g.ID) > mostValue {
				return errors.New("the name of a group is too long")
			}
		}
	}
	if r.Entry == nil {
		return nil
	}
	r.Entry.TooLarge = clipAll(r.Entry.TooLarge, clipText)
	for _, c := range r.Entry.Correlation {
		if len(c.Attribute) > mostValue || len(c.Value) > mostValue {
			return errors.New("an identifying value is too long")
		}
	}
	for name, values := range r.Entry.Attributes {
		for _, v := range values {
			if len(v) > mostValue {
				return fmt.Errorf("a value of %s is too long", clip(name, 64))
			}
		}
	}
	if len(r.Entry.DN) > mostValue {
		return errors.New("the DN is too long")
	}
	return nil
}
