package installer_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ldap-gateway/cloud/api/client"
	"ldap-gateway/directory/slapdtest"
	"ldap-gateway/installer/machinetest"
)

// built is the folder for the packages that the tests build.
var built string

func TestMain(m *testing.M) {
	os.Exit(withFolder(m))
}

func withFolder(m *testing.M) int {
	dir, err := os.MkdirTemp("", "packages-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	built = dir
	return m.Run()
}

// The versions of the story: what is installed, and what it is upgraded to.
var (
	first = sync.OnceValues(
		func() (string, error) { return build("0.1.0", "ldap-gateway ldap-cloud", "deb rpm archlinux apk") },
	)
	second = sync.OnceValues(
		func() (string, error) { return build("0.2.0", "ldap-gateway", "deb rpm archlinux apk") },
	)
	firstWindows  = sync.OnceValues(func() (string, error) { return build("0.1.0", "ldap-gateway", "windows") })
	secondWindows = sync.OnceValues(func() (string, error) { return build("0.2.0", "ldap-gateway", "windows") })
)

// build makes packages by the script that makes those of a release, and returns
// their folder.
func build(version, programs, formats string) (string, error) {
	dir := filepath.Join(built, strings.Fields(formats)[0]+version)
	cmd := exec.Command("./packages")
	cmd.Env = append(
		os.Environ(),
		"DIST="+dir,
		"VERSION="+version,
		"PROGRAMS="+programs,
		"ARCHES=amd64",
		"FORMATS="+formats,
	)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return dir, nil
}

// site is a machine with the gateway and the cloud on it, and a directory.
type site struct {
	*machinetest.Machine
	t       *testing.T
	how     system
	slapd   *slapdtest.Server
	api     *client.Client
	gateway string
}

// system is one kind of packages.
type system struct {
	pattern        string   // of a file's name: program, version
	install, older []string // commands; a file is added. older has the tool itself not mind an older version
	remove, purge  []string // commands; a program is added. No purge: remove
	again          []string // as remove: finishes an install that failed. None: there is no such thing
	change         func(s *site, file, version, program string) (changed string)
	goesOn         bool   // it only tells when a script fails
	shell          string // of a machine that has such packages; empty: this one's
	gatewayAlone   bool   // there is none of the cloud, which then is Debian's
	openRC         bool   // the machine has no systemd
}

// enabled is a command that says that the service starts with the machine, and known
// one that says that there is such a service.
func (how system) enabled() string {
	if how.openRC {
		return "rc-update show default | grep -q ldap-gateway"
	}
	return "systemctl is-enabled --quiet ldap-gateway"
}

func (how system) known() string {
	if how.openRC {
		return "test -e /etc/init.d/ldap-gateway"
	}
	return "systemctl cat ldap-gateway"
}

const people = 400

// newSite boots a machine with a cloud from its package, where that is for systemd, and
// a directory that the machine reaches.
func newSite(t *testing.T, how system) *site {
	t.Helper()
	if how.openRC {
		s := newScriptedSite(t, machinetest.OpenRC())
		s.how = how
		return s
	}
	s := &site{Machine: machinetest.Boot(t, machinetest.Systemd()), t: t, how: how}
	if how.shell != "" {
		s.Run("ln", "-sf", how.shell, "/bin/sh")
	}
	if how.gatewayAlone {
		s.how = debian
	}
	if s.how.pattern == debian.pattern {
		s.installByScript(first, "ldap-cloud", "0.1.0")
	} else {
		s.install(first, "ldap-cloud", "0.1.0")
	}
	s.how = how
	out := s.Run("runuser", "-u", "ldap-cloud", "--", "ldap-cloud", "init", "--data", "/var/lib/ldap-cloud", "--json")
	s.Write("/etc/default/ldap-cloud", []byte(`OPTIONS="--listen 127.0.0.1:443"`), 0o644)
	s.Run("systemctl", "start", "ldap-cloud")
	s.join(out)
	return s
}

// cloudURL is where the service of the cloud listens: at a port that only root may bind, or
// who was let.
const cloudURL = "http://127.0.0.1:443"

// join makes a gateway in the cloud, of which made tells the secrets, and the directory
// for it.
func (s *site) join(made string) {
	s.t.Helper()
	s.Inside(func() { s.slapd = slapdtest.Start(s.t, slapdtest.Config{Users: people, Groups: 3}) })
	var setup struct{ EnvironmentID, ClientID, ClientSecret string }
	s.must(json.Unmarshal([]byte(made), &setup))
	s.api = &client.Client{
		URL:         cloudURL,
		Environment: setup.EnvironmentID,
		ID:          setup.ClientID,
		Secret:      setup.ClientSecret,
		HTTP:        &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DialContext: s.Dial}},
	}
	s.await("the cloud answers", func() bool { return s.do("GET", "/gateways", nil, nil) == nil })
	var g struct{ ID string }
	s.must(
		s.do("POST", "/gateways",
			map[string]any{"name": "HQ", "type": "LDAP", "enabled": true, "vendor": "OpenLDAP", "userTypes": []any{userType()}},
			&g),
	)
	s.gateway = g.ID
}

func userType() map[string]any {
	mapping := func(name, attribute string) map[string]string {
		return map[string]string{"name": name, "value": "${ldapAttributes." + attribute + "}"}
	}
	return map[string]any{"name": "Staff", "passwordAuthority": "LDAP", "searchBaseDn": "ou=people," + slapdtest.Suffix,
		"orderedCorrelationAttributes": []string{"entryUUID"},
		"newUserLookup": map[string]any{"ldapFilterPattern": "(uid=${identifier})",
			"attributeMappings": []any{mapping("username", "uid"), mapping("memberOfExternalGroups", "memberOf")}}}
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) do(method, path string, in, out any) error {
	return s.api.Do(s.t.Context(), method, path, in, out)
}

// await polls until something holds, for 20 seconds at most.
func (s *site) await(what string, holds func() bool) {
	s.t.Helper()
	end := time.Now().Add(20 * time.Second)
	for tick := time.NewTicker(50 * time.Millisecond); !holds(); <-tick.C {
		if time.Now().After(end) {
			log, _ := s.Try("sh", "-c",
				"journalctl --no-pager -n 40 -u ldap-gateway -u ldap-cloud || tail -n 40 /var/log/ldap-gateway.log")
			s.t.Fatalf("within 20 seconds it did not come true that %s\n%s", what, log)
		}
	}
}

// file puts a package on the machine and returns its path there.
func (s *site) file(from func() (string, error), program, version string) string {
	s.t.Helper()
	dir, err := from()
	s.must(err)
	name := fmt.Sprintf(s.how.pattern, program, version)
	content, err := os.ReadFile(filepath.Join(dir, name))
	s.must(err)
	s.Write("/var/cache/packages/"+name, content, 0o644)
	return "/var/cache/packages/" + name
}

func (s *site) install(from func() (string, error), program, version string) {
	s.t.Helper()
	s.Run(append(s.how.install, s.file(from, program, version))...)
}

// installByScript installs what is signed, by the script for newcomers.
func (s *site) installByScript(from func() (string, error), program, version string) {
	s.t.Helper()
	s.file(from, program, version)
	dir, err := from()
	s.must(err)
	for path, name := range map[string]string{
		filepath.Join(dir, "SHA256SUMS"):     "SHA256SUMS",
		filepath.Join(dir, "SHA256SUMS.sig"): "SHA256SUMS.sig",
		filepath.Join(dir, "release.pub"):    "release.pub",
		"install.sh":                         "install.sh",
	} {
		content, err := os.ReadFile(path)
		s.must(err)
		s.Write("/var/cache/packages/"+name, content, 0o644)
	}
	s.Run("sh", "/var/cache/packages/install.sh", program, "--from", "/var/cache/packages",
		"--key", "/var/cache/packages/release.pub", "--version", version)
}

// code makes a pairing code.
func (s *site) code() string {
	s.t.Helper()
	var p struct{ Code string }
	s.must(s.do("POST", "/gateways/"+s.gateway+"/pairings", struct{}{}, &p))
	return p.Code
}

// setUp configures, pairs and starts the gateway by the command for it, with files
// and flags alone, as a script would; and raises the rates for what comes.
func (s *site) setUp() {
	s.t.Helper()
	ca, err := os.ReadFile(s.slapd.CAFile())
	s.must(err)
	s.Write("/etc/ldap-gateway/ca.pem", ca, 0o644)
	s.Write("/root/password", []byte(slapdtest.Password+"\n"), 0o600)
	s.Write("/root/code", []byte(s.code()+"\n"), 0o600)
	s.Run(
		"ldap-gateway",
		"setup",
		"--yes",
		"--cloud",
		cloudURL,
		"--server",
		s.slapd.TLSURL(),
		"--directory-ca",
		"/etc/ldap-gateway/ca.pem",
		"--base-dn",
		slapdtest.Suffix,
		"--bind-dn",
		slapdtest.ReaderDN,
		"--bind-password-file",
		"/root/password",
		"--code-file",
		"/root/code",
	)
	s.awaitSignOn("after the setup")
	s.Run(
		"sh",
		"-c",
		"rm /root/code /root/password; sed -i 's/# sign_ons_per_minute = .*/sign_ons_per_minute = 1000000/' "+
			"/etc/ldap-gateway/gateway.hcl",
	)
	s.Run("ldap-gateway", "restart")
}

// signOn signs one of the people on and returns the outcome, or what went wrong.
func (s *site) signOn(n int) string {
	var r struct{ Outcome, Reason string }
	err := s.do("POST", "/signOns",
		map[string]string{"username": fmt.Sprintf("user%05d", n%people), "password": "password"}, &r)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSuffix(r.Outcome+": "+r.Reason, ": ")
}

type instance struct {
	ID        string
	RevokedAt *time.Time
	RevokedBy string
}

// instance returns the only one that was ever paired.
func (s *site) instance() instance {
	s.t.Helper()
	var list struct {
		Embedded struct{ GatewayInstances []instance } `json:"_embedded"`
	}
	s.must(s.do("GET", "/gateways/"+s.gateway+"/instances?include=revoked", nil, &list))
	if len(list.Embedded.GatewayInstances) != 1 {
		s.t.Fatalf("instances: %+v", list.Embedded.GatewayInstances)
	}
	return list.Embedded.GatewayInstances[0]
}

func (s *site) awaitSignOn(when string) {
	s.t.Helper()
	s.await("somebody signs on "+when, func() bool { return s.signOn(0) == "ok" })
}

// version is that of the gateway that runs.
func (s *site) version() string {
	s.t.Helper()
	out := s.Run("ldap-gateway", "status")
	fields := strings.Fields(out)
	if len(fields) < 2 {
		s.t.Fatal(out)
	}
	version, _, _ := strings.Cut(fields[1], "+")
	return version
}

// load signs people on, several at once, until end is called, which returns how
// often each outcome came. Each comes again only after all the others.
func (s *site) load(atOnce int) (end func() map[string]int) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	outcomes, next, stop := map[string]int{}, 0, make(chan struct{})
	for range atOnce {
		wg.Go(func() {
			for tick := time.NewTicker(25 * time.Millisecond); ; {
				select {
				case <-stop:
					return
				case <-tick.C:
				}
				mu.Lock()
				next++
				n := next
				mu.Unlock()
				outcome := s.signOn(n)
				mu.Lock()
				outcomes[outcome]++
				mu.Unlock()
			}
		})
	}
	return func() map[string]int {
		close(stop)
		wg.Wait()
		return outcomes
	}
}
