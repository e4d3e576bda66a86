package command

import (
	"context"
	"errors"
	"io"

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
	asJSON := false
	return jsonFlag(&cobra.Command{
		Use:   "explain USER",
		Short: "Show what a sign-on of USER would bring, without a password",
		Args:  named("USER"),
		Long: `Show which entry USER leads to, what of it would leave, how the account is, which
groups would be pushed and from where they come, and which are left out and why.
USER is what the person types at the sign-on. No password is needed and no bind
is made.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := c.load(cmd.Context())
			if err != nil {
				return err
			}
			e, err := explain(cmd.Context(), file, state.At(c.statePath), args[0])
			if err != nil {
				return err
			}
			return e.print(c.stdout, asJSON)
		},
	}, &asJSON)
}

// explanation is what a sign-on would bring. Its JSON is promised to programs.
type explanation struct {
	Identifier string `json:"identifier"` // what the person types
	// Usual says that no user type was delivered yet: it is told of one with the usual values.
	Usual     bool            `json:"usualUserType,omitempty"`
	UserTypes []explainedType `json:"userTypes"`
}

// explainedType is what one user type leads to.
type explainedType struct {
	Name       string            `json:"name"`
	Outcome    string            `json:"outcome"` // "found", "none", "several" or "refused"
	Refused    []string          `json:"refused,omitempty"`
	Filter     string            `json:"filter,omitempty"`
	SearchBase string            `json:"searchBase,omitempty"`
	Several    []string          `json:"several,omitempty"` // DNs
	Entry      *explainedEntry   `json:"entry,omitempty"`
	Account    *explainedAccount `json:"account,omitempty"`
	Groups     *explainedGroups  `json:"groups,omitempty"`
}

// explainedEntry is what leaves of an entry, and what does not.
type explainedEntry struct {
	Server   string              `json:"server"`
	DN       string              `json:"dn"`
	KnownBy  []explainedValue    `json:"knownBy"`
	TooLarge []string            `json:"tooLarge,omitempty"` // attributes
	Leaves   map[string][]string `json:"leaves"`
	KeptBack map[string]int      `json:"keptBack,omitempty"` // how many values, by attribute
}

type explainedValue struct {
	Attribute string `json:"attribute"`
	Value     string `json:"value"`
}

// explainedAccount is what the directory says of an account.
type explainedAccount struct {
	Error string          `json:"error,omitempty"` // why it cannot be read
	Facts []explainedFact `json:"facts,omitempty"`
}

type explainedFact struct {
	Name   string `json:"name"`
	State  string `json:"state"` // "fine", "hinders", "depends" or "not readable"
	Detail string `json:"detail"`
}

// explainedGroups are the groups that would be pushed, and those that would not.
type explainedGroups struct {
	Verdict string           `json:"verdict"`
	Reason  string           `json:"reason,omitempty"`
	Method  string           `json:"method"` // how they are found, and why so
	Why     string           `json:"why"`
	Pushed  []explainedGroup `json:"pushed"`
	LeftOut []explainedGroup `json:"leftOut,omitempty"`
}

type explainedGroup struct {
	Name   string `json:"name,omitempty"`
	DN     string `json:"dn"`
	Source string `json:"source,omitempty"`
	Reason string `json:"reason,omitempty"` // why it is left out
}

// explainer looks into the directory as a sign-on does.
type explainer struct {
	people signon.People
	policy *policy.Policy
}

func explain(ctx context.Context, file *configs.Gateway, folder state.Folder, who string) (explanation, error) {
	told := explanation{Identifier: who, UserTypes: []explainedType{}}
	rules, err := policy.New(file.Policy)
	if err != nil {
		return told, err
	}
	people, err := directory.Open(agent.DirectoryConfig(file.Directory, nil))
	if err != nil {
		return told, err
	}
	defer people.Close()
	// Groups are found as the running gateway finds them. A directory that cannot be
	// reached is told by the search for the person.
	_, _, _ = people.ProveMemberOf(ctx)
	delivered, err := folder.UserTypes()
	if err != nil {
		return told, err
	}
	if told.Usual = len(delivered.Types) == 0; told.Usual {
		delivered.Types = []wire.UserType{usualUserType(file.Policy.SearchBases[0])}
	}
	e := explainer{people, rules}
	for _, t := range delivered.Types {
		one, err := e.userType(ctx, t, who)
		if err != nil {
			return told, err
		}
		told.UserTypes = append(told.UserTypes, one)
	}
	return told, nil
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

// userType explains one user type. The error is of a directory that cannot be asked.
func (e explainer) userType(ctx context.Context, t wire.UserType, who string) (explainedType, error) {
	told := explainedType{Name: t.Name, Outcome: "refused"}
	compiled, reasons := signon.Compile(e.policy, t)
	if len(reasons) > 0 {
		told.Refused = reasons
		return told, nil
	}
	told.Filter, told.SearchBase = t.Filter, compiled.SearchBase()
	entry, err := e.people.FindUser(ctx, compiled, who)
	switch {
	case errors.Is(err, directory.ErrNoSuchUser):
		told.Outcome = "none"
		return told, nil
	case errors.Is(err, directory.ErrAmbiguousUser):
		told.Outcome = "several"
		var ambiguous *directory.AmbiguousError
		if errors.As(err, &ambiguous) {
			told.Several = ambiguous.DNs
		}
		return told, nil
	case err != nil:
		return told, err
	}
	told.Outcome = "found"
	told.Entry = e.entry(entry)
	told.Account = e.account(ctx, entry)
	if t.Groups != nil {
		told.Groups = e.groups(ctx, compiled, entry)
	}
	return told, nil
}

// entry returns what leaves of an entry.
func (e explainer) entry(entry directory.Entry) *explainedEntry {
	cut, kept := e.policy.Cut(entry)
	told := &explainedEntry{
		Server:   cut.Server,
		DN:       cut.DN,
		KnownBy:  []explainedValue{},
		TooLarge: cut.TooLarge,
		Leaves:   cut.Attributes,
		KeptBack: kept,
	}
	for _, v := range cut.Correlation {
		told.KnownBy = append(told.KnownBy, explainedValue{v.Attribute, v.Value})
	}
	return told
}

// account returns what the directory says of the account.
func (e explainer) account(ctx context.Context, entry directory.Entry) *explainedAccount {
	facts, err := e.people.AccountState(ctx, entry)
	if err != nil {
		return &explainedAccount{Error: err.Error()}
	}
	told := &explainedAccount{}
	for _, f := range facts {
		told.Facts = append(told.Facts, explainedFact{f.Name, f.State.String(), f.Detail})
	}
	return told
}

// groups returns the groups that would be pushed and those left out: by policy or
// rule, and the parents, which are not direct.
func (e explainer) groups(ctx context.Context, t *directory.UserType, entry directory.Entry) *explainedGroups {
	m := e.policy.Groups(e.people.DirectGroups(ctx, t, entry))
	told := &explainedGroups{Verdict: m.Verdict.String(), Reason: m.Reason, Pushed: []explainedGroup{}}
	told.Method, told.Why = e.people.GroupMethod(t)
	for _, g := range m.Groups {
		told.Pushed = append(told.Pushed, explainedGroup{Name: g.Name, DN: g.DN, Source: g.Source})
	}
	skipped := m.Skipped
	if m.Verdict != directory.Unknown {
		skipped = append(skipped, signon.Parents(ctx, e.people, t, entry, m.Groups)...)
	}
	for _, s := range skipped {
		told.LeftOut = append(told.LeftOut, explainedGroup{DN: s.DN, Reason: s.Reason})
	}
	return told
}

// found tells whether a user type leads to the person.
func (e explanation) found() bool {
	for _, t := range e.UserTypes {
		if t.Outcome == "found" {
			return true
		}
	}
	return false
}

// print writes it for people or for programs; errTold when nobody is found.
func (e explanation) print(out io.Writer, asJSON bool) (err error) {
	if asJSON {
		err = printJSON(out, e)
	} else {
		e.say(out)
	}
	if err == nil && !e.found() {
		err = errTold
	}
	return err
}
