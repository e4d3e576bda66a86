package e2e

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ldap-gateway/cloud/api/client"
	"ldap-gateway/directory/slapdtest"
)

// programs is the folder with both programs, built once.
var programs string

var (
	programsIn = flag.String("programs", "",
		"folder with both programs, in place of those that are built: to compare two")
	profilesWanted = flag.Bool("profiles", false,
		"print where both programs spend their time in each row of the benchmarks, and what a sign-on allocates")
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	if *floorPart != "" {
		return runFloor(*floorPart, flag.Args())
	}
	if *programsIn != "" {
		programs = *programsIn
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	packages := []string{"ldap-gateway/agent/ldap-gateway", "ldap-gateway/cloud/ldap-cloud"}
	if *profilesWanted {
		packages = []string{"ldap-gateway/cloud/e2e/profiled/ldap-gateway", "ldap-gateway/cloud/e2e/profiled/ldap-cloud"}
	}
	build := exec.Command("go", append([]string{"build", "-o", dir}, packages...)...)
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s\n%v\n", out, err)
		return 1
	}
	programs = dir
	return m.Run()
}

// unlimited is a policy for tests that sign one person on without a pause.
const unlimited = "policy {\n  sign_ons_per_minute            = 1000000\n  sign_ons_per_person_per_minute = 1000000\n}\n"

// world is a directory, a cloud and agents, all real.
type world struct {
	t       testing.TB
	dir     string
	slapd   *slapdtest.Server // nil when the plan names another directory
	at      directory
	cloud   *process
	url     string
	api     *client.Client
	console string
	secret  string // by which the administrator sets a password

	gateway, userType string
	update            bool
	cable             *cable
	agents            []*machine
	secure            *secured // nil: plain HTTP
	front             *front   // that ends TLS before the cloud; nil: none
	runWith           []string // the agent's command; nil: the program
	flags             []string // more of the cloud's
	cloudWith         []string // what the cloud is run by; nil: nothing
	logs              string   // how much both write; empty: all
	database          string   // PostgreSQL URL; empty: SQLite
}

// machine is one paired agent.
type machine struct {
	name string // of its folder
	*process
}

// plan says what differs from the usual world.
type plan struct {
	slapd   slapdtest.Config
	at      *directory // another than a slapd of the world's own
	servers []string   // of the agent's file; none: the directory's, over TLS
	update  bool       // the user type's switch
	change  func(userType map[string]any)
	policy  string   // more of gateway.hcl
	bind    string   // what is in the bind block; empty: DN and password of the directory
	cable   *cable   // between agent and cloud; nil: none
	flags   []string // more of the cloud's
	// cloudWith is what the cloud is run by, as a shell that bounds it; nil: nothing.
	cloudWith []string
	secure    *secured // nil: plain HTTP
	front     *front   // that ends TLS before the cloud; nil: none
	logs      string   // how much both write; empty: all
	database  string   // PostgreSQL URL; empty: SQLite
}

// directory is a running one, as a gateway's administrator knows it.
type directory struct {
	vendor, url, base, bindDN, password, caFile string
}

// startSlapd starts the directory that most worlds have.
func (w *world) startSlapd(cfg slapdtest.Config) *directory {
	w.t.Helper()
	cfg.LDIF = people + cfg.LDIF
	w.slapd = slapdtest.Start(w.t, cfg)
	return slapdDirectory(w.slapd)
}

func slapdDirectory(s *slapdtest.Server) *directory {
	return &directory{"OpenLDAP", s.TLSURL(), slapdtest.Suffix, slapdtest.ReaderDN, slapdtest.Password, s.CAFile()}
}

// must fails the test on an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newWorld starts everything and returns when a sign-on would be answered.
func newWorld(t testing.TB, p plan) *world {
	t.Helper()
	w := &world{
		t:         t,
		dir:       t.TempDir(),
		update:    p.update,
		cable:     p.cable,
		flags:     p.flags,
		secure:    p.secure,
		front:     p.front,
		cloudWith: p.cloudWith,
		logs:      p.logs,
		database:  p.database,
	}
	if p.at == nil {
		p.at = w.startSlapd(p.slapd)
	}
	w.at = *p.at
	w.initCloud()
	w.startCloud("127.0.0.1:0")
	w.makeGateway(p.change)
	w.addAgent("agent1", p)
	return w
}

// data returns a command of the cloud with where its data is.
func (w *world) data(command ...string) []string {
	w.t.Helper()
	if w.database == "" {
		return append(command, "--data", w.dir+"/cloud")
	}
	file := w.dir + "/database"
	must(w.t, os.WriteFile(file, []byte(w.database+"\n"), 0o600))
	return append(command, "--database-file", file, "--master-key", w.dir+"/master.key")
}

func (w *world) initCloud() {
	w.t.Helper()
	out, err := exec.Command(programs+"/ldap-cloud", append(w.data("init"), "--name", "Test", "--json")...).Output()
	must(w.t, err)
	var setup struct{ EnvironmentID, ClientID, ClientSecret, AdminSetup string }
	must(w.t, json.Unmarshal(out, &setup))
	w.api = &client.Client{Environment: setup.EnvironmentID, ID: setup.ClientID, Secret: setup.ClientSecret}
	w.secret = setup.AdminSetup
}

// startCloud runs the cloud; a restart names the address it had.
func (w *world) startCloud(listen string) {
	w.t.Helper()
	args := append(w.data("run", "--listen", listen, "--log-level", cmp.Or(w.logs, "trace")), w.flags...)
	if w.cable != nil {
		args = append(args, "--url", w.cable.url())
	}
	if w.secure != nil {
		args = append(args, "--tls-cert", w.secure.cert, "--tls-key", w.secure.key)
		w.api.HTTP = w.secure.client
	}
	run := slices.Concat(w.cloudWith, []string{programs + "/ldap-cloud"}, args)
	w.cloud = start(w.t, w.dir+"/cloud.log", run[0], run[1:]...)
	w.url = strings.TrimSpace(strings.TrimPrefix(w.cloud.line("ldap-cloud is ready: "), "ldap-cloud is ready: "))
	if w.cable != nil {
		w.url = w.address()
		w.cable.target = w.listens()
	}
	if w.front != nil {
		w.front.serve(w)
	}
	w.api.URL, w.console = w.url, w.url+"/console/"
}

// restartCloud starts it again where it was.
func (w *world) restartCloud() { w.startCloud(w.listens()) }

// listens returns the address of the cloud, without a scheme.
func (w *world) listens() string {
	_, address, _ := strings.Cut(w.url, "://")
	return address
}

// address returns where the cloud listens, as its log says it: with a --url the
// line that says ready has that.
func (w *world) address() string {
	w.t.Helper()
	b, err := os.ReadFile(w.dir + "/cloud.log")
	must(w.t, err)
	all := string(b)
	_, after, _ := strings.Cut(all[strings.LastIndex(all, "serving: address="):], "=")
	address, _, _ := strings.Cut(after, " ")
	if w.secure != nil {
		return "https://" + address
	}
	return "http://" + address
}

func (w *world) makeGateway(change func(map[string]any)) {
	w.t.Helper()
	u := w.userTypeForm()
	if change != nil {
		change(u)
	}
	var g struct {
		ID        string
		UserTypes []struct{ ID string }
	}
	w.must("POST", "/gateways", map[string]any{
		"name":      "HQ",
		"type":      "LDAP",
		"enabled":   true,
		"vendor":    w.at.vendor,
		"userTypes": []any{u},
	}, &g)
	w.gateway, w.userType = g.ID, g.UserTypes[0].ID
}

func (w *world) userTypeForm() map[string]any {
	mapping := func(name, attribute string) map[string]string {
		return map[string]string{"name": name, "value": "${ldapAttributes." + attribute + "}"}
	}
	return map[string]any{
		"name":                                 "Staff",
		"passwordAuthority":                    "LDAP",
		"searchBaseDn":                         "ou=people,dc=example,dc=test",
		"orderedCorrelationAttributes":         []string{"entryUUID"},
		"updateUserOnSuccessfulAuthentication": w.update,
		"newUserLookup": map[string]any{
			"ldapFilterPattern": "(&(objectClass=inetOrgPerson)(uid=${identifier}))",
			"attributeMappings": []any{mapping("username", "uid"), mapping("name.given", "givenName"), mapping("name.family", "sn"),
				mapping("email", "mail"), mapping("memberOfExternalGroups", "memberOf")},
		},
	}
}

// setUpdate turns the switch of the user type.
func (w *world) setUpdate(on bool) {
	w.t.Helper()
	w.update = on
	w.must("PUT", "/gateways/"+w.gateway+"/userTypes/"+w.userType, w.userTypeForm(), nil)
}

const gatewayFile = `cloud {
  url = %q
  %s
}

directory {
  servers          = [%s]
  base_dn          = %q
  allow_clear_text = %t
  timeout          = "2s"

  bind {
    %s
  }

  tls {
    ca_file = %q
  }
}

log {
  level = %q
}

%s
`

// addAgent writes a file, pairs and runs one more agent, and waits for its link.
func (w *world) addAgent(name string, p plan) *machine {
	w.t.Helper()
	w.writeFile(name, p)
	out, code := w.command(name, w.code(), "pair")
	if code != 0 {
		w.t.Fatalf("pair: %d\n%s", code, out)
	}
	m := &machine{name: name}
	w.agents = append(w.agents, m)
	w.runAgent(m)
	return m
}

func (w *world) writeFile(name string, p plan) {
	w.t.Helper()
	must(w.t, os.MkdirAll(filepath.Join(w.dir, name), 0o700))
	servers, clear := w.at.url, false
	if len(p.servers) > 0 {
		servers, clear = strings.Join(p.servers, `", "`), true
	}
	password := filepath.Join(w.dir, name, "bind.password")
	must(w.t, os.WriteFile(password, []byte(w.at.password+"\n"), 0o600))
	cloud := w.url
	if w.cable != nil {
		cloud = w.cable.url()
	}
	trust := ""
	if w.secure != nil {
		trust = fmt.Sprintf("ca_file = %q", w.secure.ca)
	}
	if w.front != nil {
		trust = fmt.Sprintf("ca_file = %q", w.front.ca)
	}
	bind := cmp.Or(p.bind, fmt.Sprintf("dn       = %q\n    password = file(%q)", w.at.bindDN, password))
	file := fmt.Sprintf(gatewayFile, cloud, trust, `"`+servers+`"`, w.at.base, clear, bind, w.at.caFile,
		cmp.Or(w.logs, "trace"), p.policy)
	must(w.t, os.WriteFile(filepath.Join(w.dir, name, "gateway.hcl"), []byte(file), 0o600))
}

// code makes a pairing code.
func (w *world) code() string {
	w.t.Helper()
	var p struct{ Code string }
	w.must("POST", "/gateways/"+w.gateway+"/pairings", struct{}{}, &p)
	return p.Code
}

// runAgent starts a paired agent and waits for its link.
func (w *world) runAgent(m *machine) {
	w.t.Helper()
	w.launchAgent(m)
	w.awaitInstances(len(w.agents))
}

// program returns the command that is an agent.
func (w *world) program() []string {
	if w.runWith != nil {
		return w.runWith
	}
	return []string{programs + "/ldap-gateway"}
}

// launchAgent starts a paired agent and does not wait for its link.
func (w *world) launchAgent(m *machine) {
	w.t.Helper()
	run := w.program()
	m.process = start(w.t, filepath.Join(w.dir, m.name, "log"), run[0], append(run[1:len(run):len(run)], w.args(m.name, "run")...)...)
}

func (w *world) args(name string, args ...string) []string {
	return append(args, "--config", filepath.Join(w.dir, name, "gateway.hcl"), "--state", filepath.Join(w.dir, name, "state"))
}

// command runs one command of an agent to its end.
func (w *world) command(name, stdin string, args ...string) (output string, code int) {
	w.t.Helper()
	run := w.program()
	cmd := exec.Command(run[0], append(run[1:len(run):len(run)], w.args(name, args...)...)...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

type instance struct {
	ID, Fingerprint, Hostname, HealthStatus string
	Connected                               bool
}

func (w *world) instances() []instance {
	w.t.Helper()
	all, err := w.listed()
	must(w.t, err)
	return all
}

func (w *world) listed() ([]instance, error) {
	var list struct {
		Embedded struct {
			Instances []instance `json:"gatewayInstances"`
		} `json:"_embedded"`
	}
	err := w.do("GET", "/gateways/"+w.gateway+"/instances", nil, &list)
	return list.Embedded.Instances, err
}

// awaitInstances waits until so many are connected. A cloud that cannot say so yet is waited for too.
func (w *world) awaitInstances(n int) {
	w.t.Helper()
	w.await(fmt.Sprintf("%d instances are connected", n), func() bool {
		all, err := w.listed()
		up := len(slices.DeleteFunc(all, func(i instance) bool { return !i.Connected }))
		return err == nil && up == n
	})
}

// await polls until the condition holds, and fails the test after 20 seconds.
func (w *world) await(what string, holds func() bool) {
	w.t.Helper()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-limit.C:
			w.t.Fatalf("within 20 seconds it did not come true that %s", what)
		}
	}
}

// must makes a request that has to succeed.
func (w *world) must(method, path string, in, out any) {
	w.t.Helper()
	must(w.t, w.do(method, path, in, out))
}

func (w *world) do(method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return w.api.Do(ctx, method, path, in, out)
}

// process is a running program.
type process struct {
	t     testing.TB
	cmd   *exec.Cmd
	lines chan string // of its standard output
	ended chan struct{}
	once  sync.Once
}

// start runs a program until the test ends; its standard error is added to a file.
func start(t testing.TB, log, name string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(name, args...), lines: make(chan string, 64), ended: make(chan struct{})}
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(t, err)
	p.cmd.Stderr = file
	out, err := p.cmd.StdoutPipe()
	must(t, err)
	must(t, p.cmd.Start())
	go func() {
		defer close(p.ended)
		defer file.Close()
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
		_ = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		p.stop()
		if b, err := os.ReadFile(log); t.Failed() && err == nil {
			t.Logf("%s:\n%s", filepath.Base(log), tail(b))
		}
	})
	return p
}

// tail returns the end of a log, or a crash and what came before it.
func tail(b []byte) []byte {
	for _, crash := range []string{"\nfatal error: ", "\npanic: "} {
		if i := bytes.Index(b, []byte(crash)); i >= 0 {
			return b[max(0, i-500):min(len(b), i+3000)]
		}
	}
	return b[max(0, len(b)-1500):]
}

// line returns the next line of the output that begins with prefix.
func (p *process) line(prefix string) string {
	p.t.Helper()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	for {
		select {
		case l := <-p.lines:
			if strings.HasPrefix(l, prefix) {
				return l
			}
		case <-p.ended:
			p.t.Fatalf("the program ended without saying %q", prefix)
		case <-limit.C:
			p.t.Fatalf("the program does not say %q", prefix)
		}
	}
}

// stop ends the program as a service manager does, and waits.
func (p *process) stop() { p.signal(syscall.SIGTERM) }

// kill ends it as a crash does.
func (p *process) kill() { p.signal(syscall.SIGKILL) }

func (p *process) signal(s syscall.Signal) {
	p.once.Do(func() { _ = p.cmd.Process.Signal(s) })
	limit := time.NewTimer(30 * time.Second)
	defer limit.Stop()
	select {
	case <-p.ended:
	case <-limit.C:
		_ = p.cmd.Process.Kill()
		<-p.ended
		p.t.Errorf("%s did not stop within 30 seconds", filepath.Base(p.cmd.Path))
	}
}

// running tells whether the program has not ended.
func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// everything returns all that the programs wrote: logs, database, state.
func (w *world) everything() []byte {
	w.t.Helper()
	var all bytes.Buffer
	must(w.t, filepath.Walk(w.dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() || strings.HasSuffix(path, "bind.password") {
			return err
		}
		b, err := os.ReadFile(path)
		all.Write(b)
		return err
	}))
	return all.Bytes()
}
