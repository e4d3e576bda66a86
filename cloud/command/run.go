package command

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"ldap-gateway/cloud"
	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/throttle"
)

// databaseFlags name the database, by exactly one of the first three.
type databaseFlags struct{ data, url, file, master string }

// addTo adds the flags, of which cobra then refuses two.
// A password in an argument could be read by others on the machine: hence the file.
func (f *databaseFlags) addTo(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.data, "data", "", "data folder, for one node")
	cmd.Flags().StringVar(&f.url, "database", "",
		"PostgreSQL URL without a password, for many nodes; PGPASSFILE or a service file has it")
	cmd.Flags().StringVar(&f.file, "database-file", "", "file with a PostgreSQL URL, which may have a password")
	cmd.Flags().StringVar(&f.master, "master-key", "",
		"file with the master key, which seals what the database must not show (default: in the data folder)")
	cmd.MarkFlagsMutuallyExclusive("data", "database", "database-file")
}

// database returns the database as cloud knows it. What is wrong with the flags is an
// error of usage.
func (f databaseFlags) database() (string, error) {
	if f.data == "" && f.url == "" && f.file == "" {
		return "", fmt.Errorf("%w: name the data folder, as in --data %s, or a database (--database or --database-file)",
			cloud.ErrUsage, packaged)
	}
	where, err := cloud.Database(f.data, f.url, f.file)
	if err != nil {
		return "", fmt.Errorf("%w: %w", cloud.ErrUsage, err)
	}
	return where, nil
}

// String returns the flag as it was given.
// People copy it into a shell, for which a URL is in quotation marks.
func (f databaseFlags) String() string {
	if f.master != "" {
		master := f.master
		f.master = ""
		return f.String() + " --master-key " + master
	}
	switch {
	case f.url != "":
		return "--database '" + f.url + "'"
	case f.file != "":
		return "--database-file " + f.file
	}
	return "--data " + f.data
}

// packaged is the data folder of the service that the packages bring.
const packaged = "/var/lib/ldap-cloud"

// start returns what starts the cloud in a data folder, for people.
// The packaged folder is its service's, which is started and not run by hand.
func (f databaseFlags) start(options string) string {
	if filepath.Clean(f.data) != packaged {
		return "ldap-cloud run " + f.String() + options
	}
	if f.master != "" {
		options = " --master-key " + f.master + options
	}
	if options == "" {
		return "systemctl start ldap-cloud"
	}
	return "systemctl start ldap-cloud, with OPTIONS=\"" + strings.TrimSpace(options) + "\" in /etc/default/ldap-cloud"
}

// runFlags are the flags of "run".
type runFlags struct {
	where             databaseFlags
	listen, cert, key string
	level, format     string
	urls, proxies     []string
	webhooks          []string
	providers         []string
	smtp, from        string
	metrics           string
	acmeOn            bool
	acme              cloud.ACME
	grace             time.Duration
	backups           cloud.Backups
	archive           string
	audit             []string
	auditSecret       string
	auditCA           string
	bus               hub.BusConfig
	busFile           string
}

// runCommand is "run".
// Flags that need or exclude each other are refused before run is called.
func (c *command) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Serve until stopped",
		Args:  cobra.NoArgs,
		Long: `Serve until stopped. Without --tls-cert and --tls-key only a loopback address
is listened on, for a proxy in front that ends TLS. Agents prove themselves to
the URL that their gateway.hcl has, so name that with --url.

Many nodes share a PostgreSQL database (--database) and a NATS cluster (--nats).
A balancer in front of them asks /ready, and --grace leaves it the time to see
that a node is about to stop.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), f) },
	}
	f.where.addTo(cmd)
	f.addBusTo(cmd)
	cmd.Flags().StringVar(&f.listen, "listen", "127.0.0.1:8080", "address to listen on")
	cmd.Flags().StringSliceVar(&f.urls, "url", nil,
		"URL that people and agents know this cloud by; may be repeated (default: the address)")
	cmd.Flags().StringVar(&f.cert, "tls-cert", "", "PEM file with the certificate chain")
	cmd.Flags().StringVar(&f.key, "tls-key", "", "PEM file with the key")
	cmd.Flags().BoolVar(&f.acmeOn, "acme", false,
		"have certificates for the hosts of --url made by ACME, which accepts the maker's terms;"+
			" they must lead here at port 443")
	cmd.Flags().StringVar(&f.acme.Directory, "acme-directory", "",
		"URL of another maker of certificates (default: Let's Encrypt)")
	cmd.Flags().StringVar(&f.acme.Email, "acme-email", "", "address that is told when a certificate is about to end")
	cmd.Flags().StringVar(&f.acme.CAFile, "acme-ca", "",
		"PEM file with the authority of --acme-directory (default: the system's)")
	cmd.Flags().StringSliceVar(&f.proxies, "trusted-proxy", nil,
		"network (CIDR) of proxies whose X-Forwarded-For is believed; may be repeated (default: none is)")
	cmd.Flags().DurationVar(&f.grace, "grace", 0, "how long a node that was told to stop answers while /ready says no")
	cmd.Flags().StringVar(&f.metrics, "metrics", "",
		"address at which a Prometheus server reads /metrics, as in 127.0.0.1:9390 (default: nowhere)")
	cmd.Flags().StringVar(&f.smtp, "smtp", "",
		"mail server for alerts, as in mail.example.com:25; it takes mail from this machine without a password")
	cmd.Flags().StringVar(&f.from, "mail-from", "", "address that mails come from")
	cmd.Flags().StringSliceVar(&f.webhooks, "webhook-network", nil,
		"network (CIDR) that is not public and that webhooks may be in all the same; may be repeated")
	cmd.Flags().StringSliceVar(&f.providers, "provider-network", nil,
		"network (CIDR) that is not public and that identity providers may be in all the same; may be repeated")
	cmd.Flags().StringVar(&f.level, "log-level", "info", "trace, debug, info, warn or error")
	cmd.Flags().StringVar(&f.format, "log-format", "text", "text or json")
	cmd.Flags().DurationVar(&f.backups.Every, "backup-every", 0,
		"time between two copies of the data folder's database, as in 24h (default: none are made)")
	cmd.Flags().IntVar(&f.backups.Keep, "backup-keep", 7, "how many copies are kept")
	cmd.Flags().StringVar(&f.backups.To, "backup-to", "", "folder that the copies are in")
	cmd.Flags().StringVar(&f.archive, "archive-to", "",
		"folder for sign-ons and activities that are older than an environment keeps, as JSON lines"+
			" (default: they are deleted)")
	f.addAuditTo(cmd)
	cmd.MarkFlagsRequiredTogether("backup-every", "backup-to")
	cmd.MarkFlagsRequiredTogether("tls-cert", "tls-key")
	cmd.MarkFlagsRequiredTogether("smtp", "mail-from")
	cmd.MarkFlagsMutuallyExclusive("acme", "tls-cert")
	return cmd
}

// addAuditTo adds the flags of systems outside that are told what happens.
func (f *runFlags) addAuditTo(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.audit, "audit-to", nil,
		"system that is told all activities, as https://HOST/PATH (JSON lines, signed) or syslog+tls://HOST[:6514]"+
			" (RFC 5424); may be repeated (default: none)")
	cmd.Flags().StringVar(&f.auditSecret, "audit-secret-file", "",
		"file with the secret that signs what goes to https://, 16 bytes or more")
	cmd.Flags().StringVar(&f.auditCA, "audit-ca", "",
		"PEM file with the authority of the certificates of --audit-to (default: the system's)")
}

// addBusTo adds the flags of the bus between nodes.
// Without any of them this is a cloud of one node.
func (f *runFlags) addBusTo(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&f.bus.URLs, "nats", nil,
		"NATS server that all nodes share, as tls://HOST:4222; may be repeated"+
			" (default: none, for one node)")
	cmd.Flags().StringVar(&f.busFile, "nats-file", "", "file with such URLs, one a line, which may have user and password")
	cmd.Flags().StringVar(&f.bus.CredentialsFile, "nats-credentials", "", "NATS credentials file")
	cmd.Flags().StringVar(&f.bus.CAFile, "nats-ca", "",
		"PEM file with the authority of the NATS servers (default: the system's)")
	cmd.Flags().StringVar(&f.bus.CertFile, "nats-cert", "", "PEM file with this node's certificate for NATS")
	cmd.Flags().StringVar(&f.bus.KeyFile, "nats-key", "", "PEM file with its key")
	cmd.MarkFlagsMutuallyExclusive("nats", "nats-file")
	cmd.MarkFlagsRequiredTogether("nats-cert", "nats-key")
}

// run serves until ctx is done. It reads every flag before anything listens; systemd is
// told when people can be served, and when that ends.
func (c *command) run(ctx context.Context, f runFlags) error {
	level := hclog.LevelFromString(f.level)
	if err := f.wrong(level); err != nil {
		return fmt.Errorf("%w: %w", cloud.ErrUsage, err)
	}
	// Whether the database can be reached is found by the server, not here.
	database, err := f.where.database()
	if err != nil {
		return err
	}
	if f.bus.URLs, err = f.busURLs(); err != nil {
		return fmt.Errorf("%w: %w", cloud.ErrUsage, err)
	}
	s := &cloud.Server{
		Database:  database,
		MasterKey: f.where.master,
		Bus:       f.bus,
		Listen:    f.listen,
		Grace:     f.grace,
		Bounds:    &throttle.Bounds{},
		Logger:    hclog.New(&hclog.LoggerOptions{Level: level, JSONFormat: f.format == "json", Output: c.stderr}),
		// The line is what a script waits for: from then on requests are answered.
		Ready: func(url string) {
			fmt.Fprintf(c.stdout, "ldap-cloud is ready: %s\n", url)
			tellSystemd("READY=1\nSTATUS=" + url)
		},
	}
	// It is said when the end begins, and not when it is over: the last requests are
	// served until then.
	defer context.AfterFunc(ctx, func() { tellSystemd("STOPPING=1") })()
	s.SMTP, s.MailFrom, s.Metrics, s.ArchiveTo = f.smtp, f.from, f.metrics, f.archive
	if err := f.addresses(s); err != nil {
		return err
	}
	// What libraries say by themselves is in the same log, and in its form.
	lines := &throttle.Sample{Bound: s.Bounds.Of(throttle.Lines)}
	slog.SetDefault(slog.New(slogHandler{log: s.Logger.Named("library"), lines: lines}))
	if f.cert != "" {
		if s.TLS, err = cloud.CertificateFiles(f.cert, f.key, s.Logger.Named("tls")); err != nil {
			return fmt.Errorf("--tls-cert, --tls-key: %w", err)
		}
	}
	if f.backups.To != "" {
		s.Backups = &f.backups
	}
	if f.acmeOn {
		s.ACME = &f.acme
	}
	return s.Run(ctx)
}

// addresses reads the flags that say where others are.
func (f runFlags) addresses(s *cloud.Server) (err error) {
	if s.Proxies, err = networks("--trusted-proxy", f.proxies); err != nil {
		return err
	}
	if s.Webhooks, err = networks("--webhook-network", f.webhooks); err != nil {
		return err
	}
	if s.Providers, err = networks("--provider-network", f.providers); err != nil {
		return err
	}
	if s.URLs, err = cloudURLs(f.urls); err != nil {
		return err
	}
	s.AuditTo, err = cloud.AuditTargets(f.audit, f.auditSecret, f.auditCA)
	return err
}

// networks reads a flag that names networks.
// What is no network is an error of usage that names the flag. No flag is no network.
func networks(flag string, texts []string) (all []netip.Prefix, err error) {
	for _, text := range texts {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %q is no network: it looks like 10.0.0.0/8 or 127.0.0.1/32",
				cloud.ErrUsage, flag, text)
		}
		all = append(all, network)
	}
	return all, nil
}
