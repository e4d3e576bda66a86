package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/spf13/cobra"

	"ldap-gateway/cloud"
	"ldap-gateway/cloud/api/client"
)

// access is how the commands for resources reach a cloud.
// What no flag says the environment of the process does, so that a script says it once.
type access struct{ file, url string }

// addTo adds the flags. The credentials are in a file and not in a flag, which others
// on the machine can read.
func (a *access) addTo(cmd *cobra.Command) {
	cmd.Flags().StringVar(
		&a.file,
		"client",
		os.Getenv("LDAP_CLOUD_CLIENT"),
		`file with the client's credentials, as "init --client-file" makes it (default: $LDAP_CLOUD_CLIENT)`,
	)
	cmd.Flags().StringVar(
		&a.url,
		"url",
		os.Getenv("LDAP_CLOUD_URL"),
		"URL of the cloud (default: $LDAP_CLOUD_URL, or the one in the file)",
	)
}

// open returns a client of the API.
// It is an error of usage when no file is named; any other when the file can be read by
// everyone or lacks a credential. Nothing is asked of the cloud yet.
func (a access) open() (*client.Client, error) {
	if a.file == "" {
		return nil, fmt.Errorf(
			`%w: --client: name a file with environmentId, clientId and clientSecret in JSON, as "init --client-file" makes it`,
			cloud.ErrUsage,
		)
	}
	// A file that everyone can read is refused: its secret is everyone's.
	text, err := cloud.SecretText(a.file)
	if err != nil {
		return nil, fmt.Errorf("--client: %w", err)
	}
	var s cloud.Setup
	err = json.Unmarshal([]byte(text), &s)
	if err != nil || s.EnvironmentID == "" || s.ClientID == "" || s.ClientSecret == "" {
		return nil, fmt.Errorf("--client: %s has no environmentId, clientId and clientSecret in JSON", a.file)
	}
	address := strings.TrimRight(a.url, "/")
	if address == "" {
		// "init" writes the address of the console, and the API is beside it.
		address = strings.TrimSuffix(s.ConsoleURL, "/console/")
	}
	return &client.Client{URL: address, Environment: s.EnvironmentID, ID: s.ClientID, Secret: s.ClientSecret}, nil
}

// columns are what a table shows of a resource: properties, those of objects by a dot.
// A resource without a line here is shown by its ID and name.
var columns = map[string][]string{
	"populations":      {"id", "name", "userCount", "default"},
	"gateways":         {"id", "name", "vendor", "enabled"},
	"gatewayInstances": {"id", "hostname", "connected", "healthStatus", "version.versionNumber", "fingerprint"},
	"userTypes":        {"id", "name", "searchBaseDn", "updateUserOnSuccessfulAuthentication", "userCount"},
	"users":            {"id", "username", "email", "enabled", "lastSignOn.at"},
	"groups":           {"id", "displayName", "sourceType", "directMemberCounts.users", "name"},
	"groupMemberships": {"id", "displayName", "sourceType", "since"},
	"signOns":          {"at", "username", "method", "outcome", "reason"},
	"activities":       {"at", "action", "actor", "text"},
	"applications":     {"id", "name", "type", "enabled"},
	"pairings":         {"id", "createdBy", "expiresAt"},
}

// resourceCommands are the commands that speak with a running cloud over its API.
// They need credentials and no file of the cloud, so they run on any machine.
func (c *command) resourceCommands() []*cobra.Command {
	where := "RESOURCE is a path below the environment, as in users, gateways/ID/instances or users/ID/memberOfGroups."
	all := []*cobra.Command{
		c.listCommand(where),
		c.getCommand(where),
		c.writeCommand("create", "POST", where, "RESOURCE"),
		c.writeCommand("update", "PATCH", where, "RESOURCE", "ID"),
		c.writeCommand("replace", "PUT", where, "RESOURCE", "ID"),
		c.deleteCommand(where),
	}
	for _, cmd := range all {
		cmd.ValidArgsFunction = completed
	}
	return append(all, c.exportCommand())
}

// listCommand is "list". It stops at 1000 unless told otherwise: a terminal is not the
// place for a million users, and each part is another request.
// That the limit left some out is told on standard error.
func (c *command) listCommand(where string) *cobra.Command {
	var a access
	var filter string
	var most int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list RESOURCE",
		Short: "List resources of a running cloud",
		Args:  named("RESOURCE"),
		Long:  "List resources of a running cloud, as a table or as JSON, one a line. " + where,
		Example: `  ldap-cloud list users --filter 'email co "@example.com" or username sw "svc-"'
  ldap-cloud list gateways --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if most < 0 {
				return fmt.Errorf("%w: --limit is a number of 1 or more; 0 lists all", cloud.ErrUsage)
			}
			api, err := a.open()
			if err != nil {
				return err
			}
			l := lister{api: api, path: "/" + strings.Trim(args[0], "/"), filter: filter, left: most, more: func() {
				fmt.Fprintf(c.stderr, "The first %d are shown; there are more: --limit 0 shows all, --filter fewer.\n", most)
			}}
			if !asJSON {
				return known(args[0], l.table(cmd.Context(), c.stdout))
			}
			return known(args[0], l.each(cmd.Context(), func(_ string, item json.RawMessage) error {
				_, err := fmt.Fprintf(c.stdout, "%s\n", item)
				return err
			}))
		},
	}
	a.addTo(cmd)
	cmd.Flags().StringVar(&filter, "filter", "", "SCIM filter, where the resource has one")
	cmd.Flags().IntVar(&most, "limit", 1000, "how many at most; 0: all")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, one resource a line")
	return cmd
}

// lister goes through the parts of a list.
// Each part is a request, and all go by one token.
type lister struct {
	api          *client.Client
	path, filter string
	left         int    // 0: all
	more         func() // called when there are more than those
}

// each calls show for every resource, with the name of the list.
// What is no list, as one resource, is an error of usage. An error of show ends it and
// is returned.
func (l lister) each(ctx context.Context, show func(name string, item json.RawMessage) error) error {
	q := url.Values{}
	if l.filter != "" {
		q.Set("filter", l.filter)
	}
	for {
		var part struct {
			Links    map[string]struct{ Href string } `json:"_links"`
			Embedded map[string]([]json.RawMessage)   `json:"_embedded"`
		}
		if err := l.api.Do(ctx, http.MethodGet, l.path+"?"+q.Encode(), nil, &part); err != nil {
			return err
		}
		if part.Embedded == nil {
			return fmt.Errorf("%w: %s is no list: use \"get\"", cloud.ErrUsage, strings.TrimPrefix(l.path, "/"))
		}
		// A list has one name, that of its resource.
		for name, items := range part.Embedded {
			for i, item := range items {
				if err := show(name, item); err != nil {
					return err
				}
				// From zero it counts down without ever being zero again, so all come.
				if l.left--; l.left == 0 {
					if i < len(items)-1 || part.Links["next"].Href != "" {
						l.more()
					}
					return nil
				}
			}
		}
		// Only the cursor is taken from the link: the token goes to no other host than
		// was named.
		next, err := url.Parse(part.Links["next"].Href)
		if err != nil || next.Query().Get("cursor") == "" {
			return err
		}
		q.Set("cursor", next.Query().Get("cursor"))
	}
}

// table prints a list with the columns of its resource.
// The first resource decides the columns. Of an empty list nothing is printed, not even
// a heading.
func (l lister) table(ctx context.Context, out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	var shown []string
	err := l.each(ctx, func(name string, item json.RawMessage) error {
		if shown == nil {
			if shown = columns[name]; shown == nil {
				shown = []string{"id", "name"}
			}
			fmt.Fprintln(w, strings.ToUpper(strings.Join(shown, "\t")))
		}
		var properties map[string]any
		if err := json.Unmarshal(item, &properties); err != nil {
			return err
		}
		cells := make([]string, len(shown))
		for i, column := range shown {
			cells[i] = cell(properties, column)
		}
		_, err := fmt.Fprintln(w, strings.Join(cells, "\t"))
		return err
	})
	// What came before an error is printed as well.
	return errors.Join(err, w.Flush())
}

// cell returns a property as a table has it: on one line, empty when it is not there.
func cell(properties map[string]any, column string) string {
	first, rest, inner := strings.Cut(column, ".")
	value := properties[first]
	if inner {
		object, _ := value.(map[string]any)
		return cell(object, rest)
	}
	if value == nil {
		return ""
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) { // a directory's text must not command the terminal
			return ' '
		}
		return r
	}, fmt.Sprint(value))
}

// getCommand is "get".
func (c *command) getCommand(where string) *cobra.Command {
	var a access
	cmd := &cobra.Command{
		Use:   "get RESOURCE ID",
		Short: "Print one resource of a running cloud as JSON",
		Args:  named("RESOURCE", "ID"),
		Long:  "Print one resource of a running cloud as JSON. " + where,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.call(cmd.Context(), a, http.MethodGet, args, nil)
		},
	}
	a.addTo(cmd)
	return cmd
}

// writeCommand is "create", "update" or "replace": they differ by the method, and by
// what they name.
func (c *command) writeCommand(word, method, where string, names ...string) *cobra.Command {
	var a access
	var file string
	does := strings.ToUpper(word[:1]) + word[1:] + " a resource of a running cloud from JSON"
	cmd := &cobra.Command{
		Use:   word + " " + strings.Join(names, " "),
		Short: does,
		Args:  named(names...),
		Long:  does + " in a file or on standard input, and print what it is then. " + where,
		RunE: func(cmd *cobra.Command, args []string) error {
			body, err := readBody(cmd.InOrStdin(), file)
			if err != nil {
				return err
			}
			return c.call(cmd.Context(), a, method, args, body)
		},
	}
	a.addTo(cmd)
	cmd.Flags().StringVarP(&file, "file", "f", "-", "file with the JSON; -: standard input")
	return cmd
}

// readBody returns what a file or, for "-", standard input has. Only that it is JSON is
// looked at here: what else is wrong with it the API says by field.
func readBody(stdin io.Reader, file string) (json.RawMessage, error) {
	b, err := os.ReadFile(file)
	if file == "-" {
		b, err = io.ReadAll(stdin)
	}
	if err != nil {
		return nil, fmt.Errorf("--file: %w", err)
	}
	if !json.Valid(b) {
		return nil, fmt.Errorf("%w: --file: this is no JSON", cloud.ErrUsage)
	}
	return b, nil
}

// deleteCommand is "delete". Without --force the API refuses to delete what others
// depend on.
func (c *command) deleteCommand(where string) *cobra.Command {
	var a access
	var force bool
	cmd := &cobra.Command{
		Use:   "delete RESOURCE ID",
		Short: "Delete a resource of a running cloud",
		Args:  named("RESOURCE", "ID"),
		Long:  "Delete a resource of a running cloud. " + where,
		RunE: func(cmd *cobra.Command, args []string) error {
			if force {
				// The query goes last, as call joins the parts in their order.
				args = append(slices.Clone(args), "?force=true")
			}
			return c.call(cmd.Context(), a, http.MethodDelete, args, nil)
		},
	}
	a.addTo(cmd)
	cmd.Flags().BoolVar(&force, "force", false, "also when others depend on it")
	return cmd
}

// call makes one request and prints its answer. Path is in parts; one that begins
// with a question mark is the query.
// An answer without a body, as of a deletion, prints nothing.
func (c *command) call(ctx context.Context, a access, method string, parts []string, body json.RawMessage) error {
	api, err := a.open()
	if err != nil {
		return err
	}
	path := "/" + strings.Trim(parts[0], "/")
	for _, p := range parts[1:] {
		if strings.HasPrefix(p, "?") {
			path += p
			continue
		}
		path += "/" + url.PathEscape(p)
	}
	// A nil in an interface that has a type is not nil, and would be sent as null.
	var in any
	if body != nil {
		in = body
	}
	var answer json.RawMessage
	if err := api.Do(ctx, method, path, in, &answer); err != nil || len(answer) == 0 {
		return known(parts[0], err)
	}
	e := json.NewEncoder(c.stdout)
	e.SetIndent("", "  ")
	return e.Encode(answer)
}
