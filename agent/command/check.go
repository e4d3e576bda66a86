package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"ldap-gateway/agent"
	"ldap-gateway/agent/health"
	"ldap-gateway/agent/policy"
	"ldap-gateway/agent/signon"
	"ldap-gateway/agent/state"
	"ldap-gateway/cloudlink"
	"ldap-gateway/configs"
	"ldap-gateway/directory"
)

func (c *command) checkCommand() *cobra.Command {
	var asJSON bool
	return jsonFlag(&cobra.Command{
		Use:   "check",
		Short: "Show what works and what does not, with the remedy",
		Args:  cobra.NoArgs,
		Long: `Try everything that a sign-on needs, and print a table: the file, the policy,
each directory server from its name to a readable base, the cloud, whether a
websocket reaches it, the clock, the pairing and the user types. Nothing is changed. The exit code is 0 when
nothing failed.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, err := c.load(cmd.Context())
			if err != nil {
				return err
			}
			rows, err := checkAll(cmd.Context(), file, state.At(c.statePath))
			if err != nil {
				return err
			}
			if asJSON {
				return printChecksAsJSON(c.stdout, rows)
			}
			return printChecks(c.stdout, rows)
		},
	}, &asJSON)
}

// checkRow is a row for programs.
type checkRow struct {
	Name   string `json:"name"`
	Target string `json:"target,omitempty"`
	State  string `json:"state"` // "ok", "warning", "failed" or "not tried"
	Detail string `json:"detail,omitempty"`
	Remedy string `json:"remedy,omitempty"`
}

// printChecksAsJSON writes the rows; its error is errTold when one failed.
func printChecksAsJSON(w io.Writer, rows []directory.Check) error {
	all, failed := []checkRow{}, false
	for _, r := range rows {
		all = append(all, checkRow{r.Name, r.Target, r.State.String(), r.Detail, r.Remedy})
		failed = failed || r.State == directory.Failed
	}
	if err := printJSON(w, all); err != nil {
		return err
	}
	if failed {
		return errTold
	}
	return nil
}

// checkAll tries everything, cloud and directory at the same time.
func checkAll(ctx context.Context, file *configs.Gateway, folder state.Folder) ([]directory.Check, error) {
	rules, err := policy.New(file.Policy)
	if err != nil {
		return nil, err
	}
	people, err := directory.Open(agent.DirectoryConfig(file.Directory, nil))
	if err != nil {
		return nil, err
	}
	defer people.Close()
	cloud := make(chan []directory.Check, 1)
	go func() { cloud <- checkCloud(ctx, file) }()
	rows := []directory.Check{{Name: "file", Target: file.Path, State: directory.OK}}
	for _, line := range rules.Describe() {
		rows = append(rows, directory.Check{Name: "policy", State: directory.OK, Detail: line})
	}
	rows = append(rows, checkAudit(file.Audit, folder))
	rows = append(rows, people.Check(ctx)...)
	rows = append(rows, <-cloud...)
	rows = append(rows, checkPairing(file, folder))
	return append(rows, checkUserTypes(ctx, people, rules, folder)...), ctx.Err()
}

// checkAudit says where requests are written down. It does not try to: a file
// made by whoever runs the command might not be the service's.
func checkAudit(a configs.Audit, folder state.Folder) directory.Check {
	path := agent.AuditPath(a, folder)
	if path == "" {
		return directory.Check{Name: "audit", State: directory.OK, Detail: "switched off"}
	}
	return directory.Check{Name: "audit", Target: path, State: directory.OK,
		Detail: fmt.Sprintf("%d MB a file, %d older files are kept", a.MaxSize>>20, a.Keep)}
}

// checkCloud asks the cloud who it is and what time it has.
func checkCloud(ctx context.Context, file *configs.Gateway) []directory.Check {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	target := file.Cloud.URL.String()
	before := time.Now()
	client := cloudlink.NewHTTPClient(file.Cloud.Proxy, file.Cloud.RootCAs)
	status, err := cloudlink.GetStatus(ctx, client, file.Cloud.URL)
	if err != nil {
		return []directory.Check{
			{Name: "cloud", Target: target, State: directory.Failed, Detail: err.Error(), Remedy: health.CloudRemedy(err)},
			{Name: "websocket", Target: target, State: directory.NotTried},
			{Name: "clock", Target: target, State: directory.NotTried},
		}
	}
	took := time.Since(before)
	rows := []directory.Check{
		{
			Name:   "cloud",
			Target: target,
			State:  directory.OK,
			Detail: fmt.Sprintf("answers in %s", took.Round(time.Millisecond)),
		},
	}
	clock := checkClock(target, status.Time.Sub(before.Add(took/2)))
	return append(rows, checkWebsocket(ctx, client, file.Cloud.URL), clock)
}

// checkWebsocket tries whether what the link is made of passes: a cloud that answers may be
// behind a proxy that does not pass websockets.
func checkWebsocket(ctx context.Context, client *http.Client, cloud *url.URL) directory.Check {
	c := directory.Check{Name: "websocket", Target: cloud.String(), State: directory.OK, Detail: "passes"}
	if err := cloudlink.TryWebsocket(ctx, client, cloud); err != nil {
		c.State, c.Detail, c.Remedy = directory.Failed, err.Error(), health.CloudRemedy(err)
	}
	return c
}

func checkClock(target string, difference time.Duration) directory.Check {
	c := directory.Check{
		Name:   "clock",
		Target: target,
		State:  directory.OK,
		Detail: "differs by " + difference.Abs().Round(100*time.Millisecond).String(),
	}
	if difference.Abs() > 30*time.Second {
		c.State, c.Remedy = directory.Warning, "set this machine's clock by NTP, or the cloud's"
	}
	return c
}

func checkPairing(file *configs.Gateway, folder state.Folder) directory.Check {
	c := directory.Check{Name: "paired", Target: folder.String()}
	i, err := folder.Instance()
	switch {
	case errors.Is(err, state.ErrNotPaired):
		c.State, c.Detail, c.Remedy = directory.Failed, "not paired", "make a code in the console and run \"ldap-gateway "+
			"pair\""
	case err != nil:
		c.State, c.Detail = directory.Failed, err.Error()
	case i.Cloud != file.Cloud.URL.String():
		c.State, c.Detail = directory.Failed, "paired with "+i.Cloud
		c.Remedy = "pair again with \"ldap-gateway pair --replace\", or put cloud.url back"
	default:
		c.State, c.Detail = directory.OK, fmt.Sprintf("gateway %q, fingerprint %s", i.GatewayName, i.Fingerprint)
	}
	return c
}

// checkUserTypes shows what became of the user types that were delivered last.
func checkUserTypes(
	ctx context.Context, people *directory.Client, p *policy.Policy, folder state.Folder,
) (rows []directory.Check) {
	m, err := folder.UserTypes()
	if err != nil {
		return []directory.Check{{Name: "user types", Target: folder.String(), State: directory.Warning, Detail: err.Error()}}
	}
	if len(m.Types) == 0 {
		return []directory.Check{{Name: "user types", State: directory.NotTried, Detail: "none delivered yet",
			Remedy: "run the gateway once; make a user type in the console if there is none"}}
	}
	for _, t := range m.Types {
		c := directory.Check{Name: "user type", Target: t.Name, State: directory.OK}
		compiled, reasons := signon.Compile(p, t)
		if len(reasons) > 0 {
			c.State, c.Detail = directory.Warning, "refused: "+strings.Join(reasons, "; ")
			c.Remedy = "change the user type in the console, or the policy in gateway.hcl"
		} else if t.Groups != nil && ctx.Err() == nil {
			method, why := people.GroupMethod(compiled)
			c.Detail = "groups by " + method + ": " + why
		}
		rows = append(rows, c)
		if len(reasons) == 0 && ctx.Err() == nil {
			rows = append(rows, checkIndexes(ctx, people, t.Name, compiled.AskedAttributes()))
		}
	}
	return rows
}

// checkIndexes tells whether people are found by attributes that the server indexes.
func checkIndexes(ctx context.Context, people *directory.Client, userType string, asked []string) directory.Check {
	c := directory.Check{
		Name:   "indexes",
		Target: userType,
		State:  directory.OK,
		Detail: "for " + strings.Join(asked, ", "),
	}
	switch missing, told := people.Unindexed(ctx, asked); {
	case !told:
		c.State, c.Detail = directory.NotTried, "the server does not tell whether it has indexes for "+strings.Join(asked,
			", ")
	case len(missing) > 0:
		c.State, c.Detail = directory.Warning, "none for "+strings.Join(missing, ", ")
		c.Remedy = "have the server index these for equality, or take them out of the user type's filter: otherwise each " +
			"sign-on makes it read every entry"
	}
	return c
}

// warnings says how many there are.
func warnings(n int) string {
	if n == 1 {
		return "1 warning"
	}
	return fmt.Sprintf("%d warnings", n)
}

// printChecks writes the table, the remedies below it, and a summary; its error
// is errTold when a row failed.
func printChecks(w io.Writer, rows []directory.Check) error {
	if err := printRows(w, rows); err != nil {
		return err
	}
	count := map[directory.CheckState]int{}
	for _, r := range rows {
		count[r.State]++
	}
	fmt.Fprintf(
		w,
		"\n%d ok, %s, %d failed, %d not tried\n",
		count[directory.OK],
		warnings(count[directory.Warning]),
		count[directory.Failed],
		count[directory.NotTried],
	)
	if count[directory.Failed] > 0 {
		return errTold
	}
	return nil
}

// printRows writes the table and the remedies below it.
func printRows(w io.Writer, rows []directory.Check) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		say(table, "%s\t%s\t%s\t%s\n", marks[r.State], r.Name, r.Target, oneLine(r.Detail))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, r := range rows {
		if r.State != directory.OK && r.Remedy != "" {
			say(w, "\n%s %s\n  %s\n", r.Name, r.Target, lines(strings.ReplaceAll(r.Remedy, "\n", "\n  ")))
		}
	}
	return nil
}

var marks = map[directory.CheckState]string{
	directory.OK:       "ok",
	directory.Warning:  "WARN",
	directory.Failed:   "FAIL",
	directory.NotTried: "-",
}

// oneLine keeps a table a table.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
