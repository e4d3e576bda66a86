package command

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ldap-gateway/agent/health"
	"ldap-gateway/agent/service"
	"ldap-gateway/agent/state"
	"ldap-gateway/agent/version"
	"ldap-gateway/configs"
)

func (c *command) diagnoseCommand() *cobra.Command {
	var to string
	var logs []string
	cmd := &cobra.Command{
		Use:   "diagnose",
		Short: "Write one zip file with what helps to find out what is wrong",
		Args:  cobra.NoArgs,
		Long: `Write one zip file that can be mailed: gateway.hcl without secrets and comments,
the table of "check", how the running gateway is, what it is doing at the
moment, its recent log, versions, and the names of the files in the state
folder. No password, key or code is in it, and no audit file. It does name your
servers, your service account and your base DN. Run it as root or as the
service's account, so that the gateway answers and the log can be read.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if to == "" {
				to = "ldap-gateway-diagnose-" + time.Now().Format("20060102-150405") + ".zip"
			}
			return c.diagnose(cmd.Context(), to, logs)
		},
	}
	cmd.Flags().StringVar(&to, "output", "",
		"file to write; it must not be there (default: a name with the time, in the current folder)")
	cmd.Flags().StringSliceVar(&logs, "log", nil,
		"a log file to take along, where the gateway runs without a service manager")
	return cmd
}

// mostLog bounds, in bytes, what is taken of one log: its end.
const mostLog = 4 << 20

func (c *command) diagnose(ctx context.Context, to string, logs []string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	d := &diagnosis{ctx: ctx, command: c, folder: state.At(c.statePath)}
	d.file, d.mistakes = configs.Load(c.configPath)
	d.learnSecrets()
	d.add("gateway.hcl", func() ([]byte, error) { return configs.WithoutSecrets(c.configPath) })
	d.add("check.txt", d.check)
	d.add("status.json", func() ([]byte, error) { return d.ask("/status") })
	d.add("goroutines.txt", func() ([]byte, error) { return d.ask("/goroutines") })
	d.add("versions.txt", versions)
	d.add("state.txt", d.stateFolder)
	d.add("log.txt", func() ([]byte, error) { return service.RecentLog(ctx, configs.LogPath(c.statePath)) })
	for i, path := range logs {
		d.add(fmt.Sprintf("log-%d.txt", i+1), func() ([]byte, error) { return tail(path) })
	}
	b, err := d.zip()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(
		c.stdout,
		"%s\n\nLook through it before you mail it: it names your servers, your service\naccount and your base DN. No "+
			"password, key or code is in it.\n",
		to,
	)
	return err
}

// diagnosis gathers the files of one zip.
type diagnosis struct {
	*command
	ctx      context.Context
	file     *configs.Gateway // nil: it has mistakes
	mistakes error
	folder   state.Folder
	secrets  []string
	files    []diagnosed
}

type diagnosed struct {
	name string
	text []byte
}

// add takes one file along; what keeps it from being made is told in its place.
func (d *diagnosis) add(name string, content func() ([]byte, error)) {
	b, err := content()
	if err != nil {
		b = append(b, []byte("\nnot to be had: "+err.Error()+"\n")...)
	}
	d.files = append(d.files, diagnosed{name, d.cut(b)})
}

// learnSecrets notes every secret that there is, so that none is in any file by
// whatever way: nothing is to write them, and this is the second lock.
func (d *diagnosis) learnSecrets() {
	if d.file != nil {
		d.secrets = append(d.secrets, d.file.Directory.BindPassword.Reveal(), passwordOf(d.file.Cloud.Proxy))
		for _, s := range d.file.Secrets() {
			d.secrets = append(d.secrets, s.Reveal())
		}
	}
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
		if u, err := url.Parse(os.Getenv(name)); err == nil {
			d.secrets = append(d.secrets, passwordOf(u))
		}
	}
	if b, err := os.ReadFile(filepath.Join(filepath.Dir(d.configPath), configs.CredentialName)); err == nil {
		d.secrets = append(d.secrets, strings.TrimRight(string(b), "\r\n"))
	}
	if i, err := d.folder.Instance(); err == nil {
		for _, key := range [][]byte{i.Keys.Signing(), i.Keys.Signing().Seed(), i.Keys.Sealing()} {
			d.secrets = append(
				d.secrets,
				string(key),
				base64.StdEncoding.EncodeToString(key),
				base64.RawURLEncoding.EncodeToString(key),
				fmt.Sprintf("%x", key),
			)
		}
	}
}

// passwordOf returns the password in a URL, empty when there is none.
func passwordOf(u *url.URL) string {
	if u == nil {
		return ""
	}
	password, _ := u.User.Password()
	return password
}

const cutOut = "[cut out]"

// cut takes the secrets out. One of less than four octets would take words apart.
func (d *diagnosis) cut(b []byte) []byte {
	for _, s := range d.secrets {
		if len(s) >= 4 {
			b = bytes.ReplaceAll(b, []byte(s), []byte(cutOut))
		}
	}
	return b
}

func (d *diagnosis) check() ([]byte, error) {
	if d.mistakes != nil {
		return nil, d.mistakes
	}
	rows, err := checkAll(d.ctx, d.file, d.folder)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := printChecks(&out, rows); err != nil && !errors.Is(err, errTold) {
		return nil, err
	}
	return out.Bytes(), nil
}

// ask asks the running gateway.
func (d *diagnosis) ask(path string) (out []byte, err error) {
	ctx, cancel := context.WithTimeout(d.ctx, 10*time.Second)
	defer cancel()
	return out, health.Request(ctx, d.folder, http.MethodGet, path, func(body io.Reader) (err error) {
		out, err = io.ReadAll(io.LimitReader(body, 64<<20))
		return err
	})
}

func versions() ([]byte, error) {
	var out bytes.Buffer
	host, _ := os.Hostname() // empty when the system does not know
	fmt.Fprintf(
		&out,
		"ldap-gateway %s\n%s %s/%s, %d processors\nhost %s\ntime %s\n",
		version.Current(),
		runtime.Version(),
		runtime.GOOS,
		runtime.GOARCH,
		runtime.NumCPU(),
		host,
		time.Now().Format(time.RFC3339),
	)
	if b, err := os.ReadFile("/etc/os-release"); err == nil {
		fmt.Fprintf(&out, "\n%s", b)
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		fmt.Fprintf(&out, "\n%s", info)
	}
	return out.Bytes(), nil
}

// stateFolder lists the state folder, and no content of it.
func (d *diagnosis) stateFolder() ([]byte, error) {
	files, err := os.ReadDir(d.folder.String())
	var out bytes.Buffer
	for _, f := range files {
		if info, err := f.Info(); err == nil {
			fmt.Fprintf(&out, "%s %10d %s %s\n", info.Mode(), info.Size(), info.ModTime().UTC().Format(time.RFC3339), f.Name())
		}
	}
	if i, err := d.folder.Instance(); err == nil {
		public, _ := json.MarshalIndent(i, "", "  ") // without keys: they redact themselves
		fmt.Fprintf(&out, "\n%s\n", public)
	}
	return out.Bytes(), err
}

// tail returns the end of a file.
func tail(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > mostLog {
		if _, err := f.Seek(-mostLog, io.SeekEnd); err != nil {
			return nil, err
		}
	}
	return io.ReadAll(io.LimitReader(f, mostLog))
}

func (d *diagnosis) zip() ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, f := range d.files {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: time.Now()})
		if err == nil {
			_, err = w.Write(f.text)
		}
		if err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return out.Bytes(), err
}
