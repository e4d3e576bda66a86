package wire

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// What an answer may have, in bytes, so that it fits into a frame whatever a directory
// holds. One that did not would end the link of everybody.
const (
	mostGroupBytes     = 2 << 20   // of all groups
	mostAttributeBytes = 512 << 10 // of all attributes
	mostGroupName      = 1 << 10   // of the display name of a group
	mostGroupDN        = 64 << 10
	mostSkipped        = 1000 // groups that an explanation tells of
)

// Fitted returns the answer as it fits into a frame: groups beyond are left aside, which
// makes the list partial, and attributes beyond are named as too large.
func (r SignOnResult) Fitted() SignOnResult {
	r.Entry, r.Membership = r.Entry.fitted(), r.Membership.fitted()
	return r
}

// Fitted is SignOnResult's for an explanation.
func (e Explained) Fitted() Explained {
	e.Entry, e.Membership = e.Entry.fitted(), e.Membership.fitted()
	e.Skipped = slices.Clone(e.Skipped[:min(len(e.Skipped), mostSkipped)])
	for i := range e.Skipped {
		e.Skipped[i].DN, e.Skipped[i].Reason = shortened(e.Skipped[i].DN), shortened(e.Skipped[i].Reason)
	}
	return e
}

// fitted leaves aside what is beyond the size of all groups.
func (m *Membership) fitted() *Membership {
	if m == nil {
		return nil
	}
	fit, size := *m, 0
	fit.Groups = make([]Group, 0, len(m.Groups))
	for _, g := range m.Groups {
		g.Name = shortened(g.Name)
		size += len(g.DN) + len(g.Name) + len(g.ID) + len(g.Stamp) + 16
		if len(g.DN) > mostGroupDN || size > mostGroupBytes {
			break
		}
		fit.Groups = append(fit.Groups, g)
	}
	if left := len(m.Groups) - len(fit.Groups); left > 0 {
		fit.Verdict, fit.Whole = max(fit.Verdict, VerdictPartial), false
		fit.Reason = strings.TrimPrefix(fmt.Sprintf("%s; %d groups do not fit into an answer", m.Reason, left), "; ")
	}
	return &fit
}

// fitted names attributes as too large that are beyond the size of all.
func (e *Entry) fitted() *Entry {
	if e == nil {
		return nil
	}
	fit, size := *e, 0
	fit.Attributes, fit.TooLarge = maps.Clone(e.Attributes), slices.Clone(e.TooLarge)
	for _, name := range slices.Sorted(maps.Keys(e.Attributes)) {
		for _, v := range e.Attributes[name] {
			size += len(v) + 8
		}
		if size > mostAttributeBytes {
			delete(fit.Attributes, name)
			fit.TooLarge = append(fit.TooLarge, name)
		}
	}
	return &fit
}

// shortened cuts a text for people between two characters.
func shortened(s string) string { return strings.ToValidUTF8(cut(s, mostGroupName), "") }
