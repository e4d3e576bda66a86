package demo

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/agent/command"
	"ldap-gateway/cloud"
	"ldap-gateway/cloud/api/client"
	"ldap-gateway/cloud/idp/idptest"
	"ldap-gateway/directory/directorytest"
)

//go:embed example.ldif
var people string

// Options say how the demo runs.
type Options struct {
	Listen string // address of the cloud
	Once   bool   // end with the story
}

// stage is what the story plays on.
type stage struct {
	out       io.Writer
	dir       string // temporary folder
	directory *directorytest.Server
	provider  *idptest.OpenID
	api       *client.Client
	setup     cloud.Setup
	gateway   string // ID
	userType  string // ID
	partner   string // ID
	started   time.Time
}

// Run tells the story on out. Everything it starts ends with it, and it ends
// with ctx or, with Once, with the story.
func Run(ctx context.Context, out io.Writer, o Options) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dir, err := os.MkdirTemp("", "ldap-gateway-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s := &stage{out: out, dir: dir, started: time.Now()}
	if err := s.startDirectory(); err != nil {
		return err
	}
	defer s.directory.Close()
	s.provider = idptest.StartOpenID(map[string]idptest.Person{})
	defer s.provider.Close()
	url, cloudEnded, err := s.startCloud(ctx, o.Listen)
	if err != nil {
		return err
	}
	defer func() { cancel(); err = errors.Join(err, <-cloudEnded) }()
	if err := s.makeGateway(ctx); err != nil {
		return err
	}
	agentEnded, err := s.startAgent(ctx, url)
	if err != nil {
		return err
	}
	defer func() { cancel(); <-agentEnded }()
	if err := s.tell(ctx); err != nil {
		return err
	}
	notices, applicationEnded, err := s.startApplication(ctx)
	if err != nil {
		return err
	}
	defer func() { cancel(); <-applicationEnded }()
	s.farewell(notices)
	if !o.Once {
		<-ctx.Done()
		s.say("\nStopping; nothing is left behind.")
	}
	return nil
}

func (s *stage) say(format string, args ...any) { fmt.Fprintf(s.out, format+"\n", args...) }

// startDirectory starts a directory in memory that takes no anonymous search, as most
// do, over TLS with an authority of its own that the agent is given in a file.
func (s *stage) startDirectory() error {
	s.directory = &directorytest.Server{RequireBind: true}
	if err := s.directory.LoadLDIF(strings.NewReader(people)); err != nil {
		return err
	}
	if err := s.directory.ListenTLS("127.0.0.1:0"); err != nil {
		return err
	}
	if err := os.WriteFile(s.path("directory-ca.pem"), s.directory.CAPEM(), 0o600); err != nil {
		return err
	}
	s.say("1. On premises, a directory: %s", s.directory.TLSURL())
	s.say("   engineering holds the groups backend and frontend; backend holds Alice.")
	s.say("   Alice is also in on-call and vpn-users.\n")
	return nil
}

func (s *stage) path(name string) string { return filepath.Join(s.dir, name) }

// shortName stands for the environment in addresses that people type.
const shortName = "demo"

// startCloud makes a cloud and runs it; the channel gives its end.
func (s *stage) startCloud(ctx context.Context, listen string) (url string, ended chan error, err error) {
	s.setup, err = cloud.Init(ctx, cloud.InFolder(s.path("cloud")), "", "Demo", "http://"+listen)
	if err != nil {
		return "", nil, err
	}
	ready := make(chan string, 1)
	server := &cloud.Server{
		Database:  cloud.InFolder(s.path("cloud")),
		Listen:    listen,
		Providers: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, // the partner's runs here
		Logger:    hclog.NewNullLogger(),
		Ready:     func(u string) { ready <- u },
	}
	ended = make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	select {
	case url = <-ready:
	case err := <-ended:
		return "", nil, fmt.Errorf("%w (another address: -listen 127.0.0.1:0)", err)
	}
	s.setup.ConsoleURL = url + "/console/"
	s.api = &client.Client{
		URL:         url,
		Environment: s.setup.EnvironmentID,
		ID:          s.setup.ClientID,
		Secret:      s.setup.ClientSecret,
	}
	if err := s.api.Do(ctx, "PUT", "", map[string]string{"name": "Demo", "shortName": shortName}, nil); err != nil {
		return "", nil, err
	}
	s.say("2. In the cloud, ldap-cloud: %s", url)
	s.say("   It opens no port towards the directory and knows no password of it.\n")
	return url, ended, nil
}

// gatewayFile is what an administrator writes.
const gatewayFile = `cloud {
  url = %q
}

directory {
  servers = [%q]
  base_dn = "dc=example,dc=com"

  bind {
    dn       = "cn=gateway,ou=services,dc=example,dc=com"
    password = file("bind.password")
  }

  tls {
    ca_file = "directory-ca.pem"
  }
}

policy {
  explain = true # "Try a person" in the console
}

log {
  level = "error"
}
`

// startAgent pairs and runs the agent by its command line; the channel is
// closed at its end.
func (s *stage) startAgent(ctx context.Context, url string) (ended chan struct{}, err error) {
	var pairing struct{ Code string }
	if err := s.api.Do(ctx, "POST", "/gateways/"+s.gateway+"/pairings", struct{}{}, &pairing); err != nil {
		return nil, err
	}
	for name, content := range map[string]string{
		"gateway.hcl":   fmt.Sprintf(gatewayFile, url, s.directory.TLSURL()),
		"bind.password": "gateway-secret",
		"code":          pairing.Code,
	} {
		if err := os.WriteFile(s.path(name), []byte(content), 0o600); err != nil {
			return nil, err
		}
	}
	s.say("3. On premises again, ldap-gateway: paired with the one-time code %s", pairing.Code)
	var output strings.Builder
	if code := s.agent(ctx, &output, "pair", "--code-file", s.path("code")); code != command.ExitOK {
		return nil, errors.New(output.String())
	}
	for line := range strings.Lines(output.String()) {
		if strings.Contains(line, "fingerprint  ") {
			s.say("   %s  (the console shows the same)", strings.Join(strings.Fields(line), " "))
		}
	}
	ended = make(chan struct{})
	go func() {
		defer close(ended)
		s.agent(ctx, s.out, "run")
	}()
	return ended, s.awaitLink(ctx)
}

// agent runs one command of ldap-gateway.
func (s *stage) agent(ctx context.Context, out io.Writer, args ...string) int {
	args = append(args, "--config", s.path("gateway.hcl"), "--state", s.path("state"))
	return command.Main(ctx, args, strings.NewReader(""), out, out)
}

// awaitLink returns when the console would show the instance as connected.
func (s *stage) awaitLink(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		var list struct {
			Embedded struct {
				GatewayInstances []struct{ Connected bool }
			} `json:"_embedded"`
		}
		if err := s.api.Do(ctx, "GET", "/gateways/"+s.gateway+"/instances", nil, &list); err != nil {
			return err
		}
		if i := list.Embedded.GatewayInstances; len(i) > 0 && i[0].Connected {
			s.say("   It dialled the cloud, outbound, and holds one websocket.\n")
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// farewell says how to look around. The secrets can be printed: the cloud is on a
// loopback address and ends with the demo.
func (s *stage) farewell(application string) {
	s.say("The story took %s. Everything is still running:\n", time.Since(s.started).Round(10*time.Millisecond))
	s.say("  console      %s", s.setup.ConsoleURL)
	s.say("  first visit  %s/console/setup?name=%s#%s", s.api.URL, s.setup.Administrator, s.setup.AdminSetup)
	s.say("  sign-on      %s/%s/signon", s.api.URL, shortName)
	s.say("  application  %s  (sign on there, and see what it learns)", application)
	s.say("  people       alice / wonderland, jose / correct horse, mei / battery staple")
	s.say("  API          environment %s", s.setup.EnvironmentID)
	s.say("               client %s, secret %s\n", s.setup.ClientID, s.setup.ClientSecret)
	s.say("Ctrl-C ends it.")
}
