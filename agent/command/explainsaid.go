package command

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// say writes an explanation for people.
func (e explanation) say(out io.Writer) {
	if e.Usual {
		say(out, "No user type was delivered yet; this is what one with the usual values would bring.\n\n")
	}
	for _, t := range e.UserTypes {
		t.say(out, e.Identifier)
		fmt.Fprintln(out)
	}
}

func (t explainedType) say(out io.Writer, who string) {
	say(out, "User type %q\n", t.Name)
	if t.Outcome == "refused" {
		say(out, "  refused by gateway.hcl: %s\n", strings.Join(t.Refused, "; "))
		return
	}
	say(out, "  searched  %s below %s\n", t.Filter, t.SearchBase)
	switch t.Outcome {
	case "none":
		say(out, "  entry     none: no entry fits %q\n", who)
	case "several":
		say(out, "  entry     more than one fits %q, so nobody can sign on with it\n", who)
		for _, dn := range t.Several {
			say(out, "            %s\n", dn)
		}
	default:
		t.Entry.say(out)
		t.Account.say(out)
		if t.Groups != nil {
			t.Groups.say(out)
		}
	}
}

func (e *explainedEntry) say(out io.Writer) {
	say(out, "  server    %s\n  entry     %s\n", e.Server, e.DN)
	for _, v := range e.KnownBy {
		say(out, "  known by  %s=%s\n", v.Attribute, v.Value)
	}
	for _, name := range e.TooLarge {
		say(out, "  too large %s: its values do not leave, and the record keeps what it has\n", name)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Leaves)) {
		say(out, "  leaves    %s: %s\n", name, strings.Join(e.Leaves[name], " | "))
	}
	for _, name := range slices.Sorted(maps.Keys(e.KeptBack)) {
		say(out, "  kept back %d values of %s, which name what policy keeps back\n", e.KeptBack[name], name)
	}
}

func (a *explainedAccount) say(out io.Writer) {
	if a.Error != "" {
		say(out, "  account   cannot be read: %s\n", a.Error)
	}
	words := map[string]string{
		"hinders":      "keeps the person out: ",
		"depends":      "may keep the person out: ",
		"not readable": "not readable: ",
	}
	for _, f := range a.Facts {
		say(out, "  %-9s %s%s\n", f.Name, words[f.State], f.Detail)
	}
}

func (g *explainedGroups) say(out io.Writer) {
	say(out, "  groups    %s, found by %s: %s\n", g.Verdict, g.Method, g.Why)
	if g.Reason != "" {
		say(out, "            %s\n", g.Reason)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, p := range g.Pushed {
		say(table, "  + %s\t%s\tby %s\n", p.Name, p.DN, p.Source)
	}
	for _, l := range g.LeftOut {
		say(table, "  - \t%s\tleft out: %s\n", l.DN, l.Reason)
	}
	_ = table.Flush()
	if len(g.Pushed)+len(g.LeftOut) == 0 {
		fmt.Fprintln(out, "            none")
	}
}
