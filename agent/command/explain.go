package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"ldap-gateway/agent"
	"ldap-gateway/agent/policy"
	"ldap-gateway/agent/signon"
	"ldap-gateway/agent/state"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
	"ldap-gateway/directory"
)

func (c *command) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain USER",
		Short: "Show what a sign-on of USER would bring, without a password",
		Args:  cobra.ExactArgs(1),
		Long: `Show which entry USER leads to, what of it would leave, how the account is, which
groups would be pushed and from where they come, and which are left out and why.
USER is what the person types at the sign-on. No password is needed and no bind
is made.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := c.load(cmd.Context())
			if err != nil {
				return err
			}
			return explain(cmd.Context(), c.stdout, file, state.At(c.statePath), args[0])
		},
	}
}

// explainer prints what a sign-on would bring.
type explainer struct {
	people signon.People
	policy *policy.Policy
	out    io.Writer
}

func explain(ctx context.Context, out io.Writer, file *configs.Gateway, folder state.Folder, who string) error {
	rules, err := policy.New(file.Policy)
	if err != nil {
		return err
	}
	people, err := directory.Open(agent.DirectoryConfig(file.Directory, nil))
	if err != nil {
		return err
	}
	defer people.Close()
	// Groups are found as the running gateway finds them. A directory that cannot be
	// reached is told by the search for the person.
	_, _, _ = people.ProveMemberOf(ctx)
	delivered, err := folder.UserTypes()
	if err != nil {
		return err
	}
	if len(delivered.Types) == 0 {
		say(out, "No user type was delivered yet; this is what one with the usual values would bring.\n\n")
		delivered.Types = []wire.UserType{usualUserType(file.Policy.SearchBases[0])}
	}
	e := explainer{people, rules, out}
	found := false
	for _, t := range delivered.Types {
		ok, err := e.userType(ctx, t, who)
		if err != nil {
			return err
		}
		found = found || ok
	}
	if !found {
		return errTold
	}
	return nil
}

// usualUserType finds people by the names that they commonly sign on with.
func usualUserType(base string) wire.UserType {
	return wire.UserType{
		ID:         "usual",
		Name:       "usual values",
		SearchBase: base,
		Filter: "(|(uid=${identifier})(sAMAccountName=${identifier})" +
			"(userPrincipalName=${identifier})(mail=${identifier}))",
		Correlation: []string{"entryUUID", "objectGUID", "nsUniqueId"},
		Attributes:  []string{"uid", "sAMAccountName", "cn", "givenName", "sn", "mail"},
		Groups:      &wire.GroupRule{},
	}
}

// userType explains one user type and tells whether it leads to the person.
func (e explainer) userType(ctx context.Context, t wire.UserType, who string) (bool, error) {
	say(e.out, "User type %q\n", t.Name)
	compiled, reasons := signon.Compile(e.policy, t)
	if len(reasons) > 0 {
		say(e.out, "  refused by gateway.hcl: %s\n\n", strings.Join(reasons, "; "))
		return false, nil
	}
	say(e.out, "  searched  %s below %s\n", t.Filter, compiled.SearchBase())
	entry, err := e.people.FindUser(ctx, compiled, who)
	switch {
	case errors.Is(err, directory.ErrNoSuchUser):
		say(e.out, "  entry     none: no entry fits %q\n\n", who)
		return false, nil
	case errors.Is(err, directory.ErrAmbiguousUser):
		say(e.out, "  entry     more than one fits %q, so nobody can sign on with it\n", who)
		var ambiguous *directory.AmbiguousError
		if errors.As(err, &ambiguous) {
			for _, dn := range ambiguous.DNs {
				say(e.out, "            %s\n", dn)
			}
		}
		say(e.out, "\n")
		return false, nil
	case err != nil:
		return false, err
	}
	told, kept := e.policy.Cut(entry)
	e.entry(told)
	for _, name := range slices.Sorted(maps.Keys(kept)) {
		say(e.out, "  kept back %d values of %s, which name what policy keeps back\n", kept[name], name)
	}
	e.account(ctx, entry)
	if t.Groups != nil {
		e.groups(ctx, compiled, entry)
	}
	fmt.Fprintln(e.out)
	return true, nil
}

func (e explainer) entry(entry directory.Entry) {
	say(e.out, "  server    %s\n  entry     %s\n", entry.Server, entry.DN)
	for _, v := range entry.Correlation {
		say(e.out, "  known by  %s=%s\n", v.Attribute, v.Value)
	}
	for _, name := range entry.TooLarge {
		say(e.out, "  too large %s: its values do not leave, and the record keeps what it has\n", name)
	}
	for _, name := range slices.Sorted(maps.Keys(entry.Attributes)) {
		say(e.out, "  leaves    %s: %s\n", name, strings.Join(entry.Attributes[name], " | "))
	}
}

// account prints what the directory says of the account.
func (e explainer) account(ctx context.Context, entry directory.Entry) {
	facts, err := e.people.AccountState(ctx, entry)
	if err != nil {
		say(e.out, "  account   cannot be read: %v\n", err)
		return
	}
	words := map[directory.FactState]string{
		directory.Hinders:     "keeps the person out: ",
		directory.Depends:     "may keep the person out: ",
		directory.NotReadable: "not readable: ",
	}
	for _, f := range facts {
		say(e.out, "  %-9s %s%s\n", f.Name, words[f.State], f.Detail)
	}
}

// groups prints the groups that would be pushed and those left out: by policy or
// rule, and the parents, which are not direct.
func (e explainer) groups(ctx context.Context, t *directory.UserType, entry directory.Entry) {
	method, why := e.people.GroupMethod(t)
	m := e.policy.Groups(e.people.DirectGroups(ctx, t, entry))
	say(e.out, "  groups    %s, found by %s: %s\n", m.Verdict, method, why)
	if m.Reason != "" {
		say(e.out, "            %s\n", m.Reason)
	}
	table := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	for _, g := range m.Groups {
		say(table, "  + %s\t%s\tby %s\n", g.Name, g.DN, g.Source)
	}
	skipped := m.Skipped
	if m.Verdict != directory.Unknown {
		skipped = append(skipped, signon.Parents(ctx, e.people, t, entry, m.Groups)...)
	}
	for _, s := range skipped {
		say(table, "  - \t%s\tleft out: %s\n", s.DN, s.Reason)
	}
	_ = table.Flush()
	if len(m.Groups) == 0 && len(skipped) == 0 {
		fmt.Fprintln(e.out, "            none")
	}
}
