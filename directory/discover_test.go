package directory_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
	"ldap-gateway/directory/slapdtest"
)

// fakeDNS answers SRV look-ups and says where names lead.
type fakeDNS struct {
	mu      sync.Mutex
	records map[string][]*net.SRV
	hosts   map[string]string // "host:port" to address
	asked   []string
}

func (d *fakeDNS) lookup(_ context.Context, name string) ([]*net.SRV, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, name)
	if d.records[name] == nil {
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return d.records[name], nil
}

func (d *fakeDNS) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d.mu.Lock()
	to := d.hosts[address]
	d.mu.Unlock()
	return (&net.Dialer{}).DialContext(ctx, network, to)
}

func (d *fakeDNS) questions() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.asked)
}

func (d *fakeDNS) set(name string, records ...*net.SRV) {
	d.mu.Lock()
	d.records[name] = records
	d.mu.Unlock()
}

const (
	srvName = "_ldap._tcp.example.test"
	srvSite = "_ldap._tcp.Berlin._sites.example.test"
)

// startDiscovered starts two servers, dc1 and dc2, that only DNS knows.
func startDiscovered(t *testing.T, change ...func(*directory.Config)) (*fakeDNS, *directory.Client) {
	t.Helper()
	authority, err := directorytest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	dns := &fakeDNS{records: map[string][]*net.SRV{}, hosts: map[string]string{}}
	for _, host := range []string{"dc1.example.test", "dc2.example.test"} {
		certificate, err := authority.Issue([]string{host}, nil)
		if err != nil {
			t.Fatal(err)
		}
		s := inProcess(t, person("alice"), func(s *directorytest.Server) { s.Certificate = &certificate })
		dns.hosts[host+":389"] = strings.TrimPrefix(s.URL(), "ldap://")
		dns.hosts[host+":636"] = strings.TrimPrefix(s.TLSURL(), "ldaps://")
	}
	dns.records[srvName] = []*net.SRV{{Target: "dc1.example.test.", Port: 389}}
	return dns, open(t, authority.Pool, "", append([]func(*directory.Config){func(cfg *directory.Config) {
		cfg.Servers, cfg.Discover, cfg.LookupSRV, cfg.Dial = nil, "example.test", dns.lookup, dns.dial
	}}, change...)...)
}

func urls(c *directory.Client) (out []string) {
	for _, s := range c.Servers() {
		out = append(out, s.URL)
	}
	return out
}

func TestServersAreDiscoveredAtTheFirstSignOn(t *testing.T) {
	dns, c := startDiscovered(t)
	if len(dns.questions()) != 0 {
		t.Errorf("Open asked DNS for %q", dns.questions())
	}
	for range 2 {
		e := find(t, c, compile(t, persons()), "alice")
		if err := c.Bind(t.Context(), e.DN, "password"); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(dns.questions(), []string{srvName}) {
		t.Errorf("asked %q", dns.questions())
	}
}

func TestServersOfTheSiteComeFirst(t *testing.T) {
	dns, c := startDiscovered(t, func(cfg *directory.Config) { cfg.Site = "Berlin" })
	dns.set(srvSite, &net.SRV{Target: "dc2.example.test.", Port: 636})
	dns.set(srvName, &net.SRV{Target: "dc1.example.test.", Port: 389}, &net.SRV{Target: "DC2.example.test.", Port: 636})
	find(t, c, compile(t, persons()), "alice")
	if got, want := urls(c), []string{"ldaps://dc2.example.test:636", "ldap://dc1.example.test:389"}; !slices.Equal(got,
		want) {
		t.Errorf("servers %q, want %q", got, want)
	}
}

func TestDiscoveryFollowsDNSAndSurvivesItsFailure(t *testing.T) {
	dns, c := startDiscovered(t, func(cfg *directory.Config) { cfg.DiscoverEvery = 10 * time.Millisecond })
	ut := compile(t, persons())
	find(t, c, ut, "alice")
	dns.set(srvName, &net.SRV{Target: "dc2.example.test.", Port: 389})
	eventually(t, "the new server takes over",
		func() bool { return slices.Equal(urls(c), []string{"ldap://dc2.example.test:389"}) })
	find(t, c, ut, "alice")
	eventually(t, "the old server's connections are closed", func() bool { return directory.OpenLinks(c) == 1 })
	dns.set(srvName)
	before := len(dns.questions())
	eventually(t, "DNS is asked again", func() bool { return len(dns.questions()) > before+1 })
	find(t, c, ut, "alice")
}

func TestForgedRecordsAreNotFollowed(t *testing.T) {
	dns, c := startDiscovered(t)
	dns.set(srvName, &net.SRV{Target: "dc1.evil.test.", Port: 389}, &net.SRV{Target: "evil-example.test.", Port: 389})
	for range 3 {
		if _, err := c.FindUser(t.Context(), compile(t, persons()), "alice"); !errors.Is(err, directory.ErrUnavailable) ||
			!strings.Contains(err.Error(), "evil.test") {
			t.Fatal(err)
		}
	}
	if len(dns.questions()) != 1 {
		t.Errorf("DNS was asked %d times within two seconds", len(dns.questions()))
	}
	if row := c.Check(t.Context())[0]; row.Name != "discover" || row.State != directory.Failed ||
		!strings.Contains(row.Remedy, srvName) {
		t.Errorf("%+v", row)
	}
}

func TestDiscoveryOrServersNotBoth(t *testing.T) {
	for _, cfg := range []directory.Config{
		{Servers: []string{"ldaps://a"}, Discover: "example.test"}, {Servers: []string{"ldaps://a"}, Site: "Berlin"}, {},
	} {
		cfg.BaseDN = slapdtest.Suffix
		if c, err := directory.Open(cfg); err == nil {
			t.Errorf("%+v was taken; %v", cfg, c.Close())
		}
	}
}
