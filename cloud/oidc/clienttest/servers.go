package clienttest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// oauth2Proxy is the module and its version.
const oauth2Proxy = "github.com/oauth2-proxy/oauth2-proxy/v7@v7.15.6"

// building has one test at a time build it.
var building sync.Mutex

// Apache has it run with the lines of a preset, before a page that shows who came.
func (a *Application) Apache(lines string) {
	a.t.Helper()
	if err := os.Chmod(a.dir, 0o755); err != nil { // its workers are somebody else
		a.t.Fatal(err)
	}
	a.Write("lines.conf", lines)
	a.Write("www/index.html", `<!--#echo var="OIDC_CLAIM_sub" --> <!--#echo var="OIDC_CLAIM_groups" -->`)
	a.command = []string{"/usr/sbin/apache2", "-f", filepath.Join(a.dir, "apache.conf"), "-DFOREGROUND"}
	a.Start("", "", "")
}

// Mellon has Apache run with mod_auth_mellon, before a page that shows who came.
func (a *Application) Mellon(issuer string) {
	a.t.Helper()
	if err := os.Chmod(a.dir, 0o755); err != nil { // its workers are somebody else
		a.t.Fatal(err)
	}
	a.Write("www/secret/index.html", `{"nameId":"<!--#echo var="MELLON_NAME_ID" -->",`+
		`"groups":<!--#echo var="MELLON_groups_N" -->,"email":"<!--#echo var="MELLON_email" -->"}`)
	a.Write("www/bye.html", `{"bye":true}`)
	a.command = []string{"/usr/sbin/apache2", "-f", filepath.Join(a.dir, "mellon.conf"), "-DFOREGROUND"}
	a.Start(issuer, "", "")
}

// OAuth2Proxy has it run with the lines of a preset, before nothing.
func (a *Application) OAuth2Proxy(lines string) {
	a.t.Helper()
	a.Write("oauth2-proxy.cfg", lines+fmt.Sprintf(`
http_address = "localhost:%d"
cookie_secure = false
upstreams = ["static://202"]
skip_provider_button = true
ready_path = "/ready"
`, a.port))
	a.command = []string{a.built(), "--config=oauth2-proxy.cfg"}
	a.Start("", "", "")
}

// built returns where oauth2-proxy is, which is built once into the user's cache.
func (a *Application) built() string {
	a.t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		a.t.Fatal(err)
	}
	folder := filepath.Join(cache, "ldap-gateway-tests", "oauth2-proxy-"+filepath.Base(oauth2Proxy))
	program := filepath.Join(folder, "oauth2-proxy")
	building.Lock()
	defer building.Unlock()
	if _, err := os.Stat(program); err == nil {
		return program
	}
	c := exec.CommandContext(a.t.Context(), "go", "install", oauth2Proxy)
	c.Dir, c.Env = os.TempDir(), append(os.Environ(), "GOBIN="+folder, "GOFLAGS=")
	if out, err := c.CombinedOutput(); err != nil {
		a.t.Fatalf("go install %s: %v\n%s", oauth2Proxy, err, out)
	}
	return program
}
