package agent

import (
	"context"
	"crypto/tls"
	"os"
	"runtime"
	"time"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/time/rate"

	"ldap-gateway/agent/state"
	"ldap-gateway/cloudlink"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
	"ldap-gateway/directory"
)

// Instance is the running agent.
type Instance struct {
	File   *configs.Gateway
	State  state.Folder
	Logger hclog.Logger
}

// proveEvery is how often the directory is asked what its memberOf means.
const proveEvery = 15 * time.Minute

// pollState is how often the state folder is looked at for a (new) pairing.
const pollState = 2 * time.Second

// Run serves the cloud until ctx ends. It waits for a pairing that is not there
// yet and follows one that is replaced. It returns an error only for what stays
// wrong however long it waits: a file that no directory can be opened with.
func (i *Instance) Run(ctx context.Context) error {
	cfg := directoryConfig(i.File.Directory, i.Logger.Named("directory"))
	cfg.ProveEvery = proveEvery
	people, err := directory.Open(cfg)
	if err != nil {
		return err
	}
	defer people.Close()
	policy, err := NewPolicy(i.File.Policy)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		paired, ok := i.awaitPairing(ctx)
		if !ok {
			return nil
		}
		if err := i.serve(ctx, paired, people, policy); err != nil {
			return err
		}
	}
	return nil
}

// awaitPairing returns what the state folder says this instance is, as soon as
// it says so; false when ctx ended first.
func (i *Instance) awaitPairing(ctx context.Context) (state.Instance, bool) {
	told := ""
	for {
		paired, err := i.State.Instance()
		if err == nil {
			return paired, true
		}
		if told != err.Error() {
			told = err.Error()
			i.Logger.Warn("waiting to be paired", "state", i.State, "error", err)
		}
		if !wait(ctx, pollState) {
			return state.Instance{}, false
		}
	}
}

// serve keeps the link of one pairing until ctx ends or another takes its place.
func (i *Instance) serve(ctx context.Context, paired state.Instance, people *directory.Client, policy *Policy) error {
	opener, err := wire.NewOpener(paired.ID, paired.Keys.Sealing())
	if err != nil {
		return err
	}
	stats := NewStats()
	handler := &handler{state: i.State, logger: i.Logger, signOns: &SignOns{
		People: people, Policy: policy, Opener: opener, Stats: stats, Logger: i.Logger.Named("sign-on"),
		Rate: rate.NewLimiter(rate.Limit(i.File.Policy.SignOnsPerMinute)/60, max(10, i.File.Policy.SignOnsPerMinute/6)),
	}}
	link := &cloudlink.Link{
		URL: i.File.Cloud.URL, Client: cloudlink.NewHTTPClient(i.File.Cloud.Proxy, i.File.Cloud.RootCAs),
		Credential: cloudlink.Credential{Instance: paired.ID, Key: paired.Keys.Signing()},
		Handler:    handler, Hello: func() wire.Hello { return hello(policy) }, Logger: i.Logger.Named("link"),
	}
	link.Heartbeat = func() wire.Heartbeat { return heartbeat(stats, people, link) }
	if paired.Cloud != i.File.Cloud.URL.String() {
		i.Logger.Warn("gateway.hcl names another cloud than the one that this machine was paired with: pair again with --replace, or put cloud.url back",
			"file", i.File.Cloud.URL, "paired", paired.Cloud)
	}
	i.Logger.Info("serving", "gateway", paired.GatewayName, "environment", paired.Environment, "instance", paired.ID, "fingerprint", paired.Fingerprint)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go i.watch(ctx, cancel, paired)
	return link.Run(ctx)
}

// watch cancels when the state folder holds another pairing than this one.
func (i *Instance) watch(ctx context.Context, cancel context.CancelFunc, paired state.Instance) {
	for wait(ctx, pollState) {
		if now, err := i.State.Instance(); err == nil && now.ID != paired.ID {
			i.Logger.Info("paired anew, changing over", "instance", now.ID)
			cancel()
			return
		}
	}
}

func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func hello(p *Policy) wire.Hello {
	host, _ := os.Hostname() // empty when the system does not know
	return wire.Hello{Software: Version(), Hostname: host, System: runtime.GOOS + "/" + runtime.GOARCH,
		PolicyHash: p.Hash(), Policy: p.Describe()}
}

func heartbeat(stats *Stats, people *directory.Client, link *cloudlink.Link) wire.Heartbeat {
	perSecond, median := stats.take()
	h := wire.Heartbeat{OperationsPerSecond: perSecond, ResponseTimeMillis: float64(median.Microseconds()) / 1000}
	up := 0
	for _, s := range people.Servers() {
		h.Servers = append(h.Servers, wire.Server{URL: s.URL, State: s.State, Vendor: s.Vendor, Error: s.Error})
		if s.State != "down" {
			up++
		}
	}
	if up == 0 && (len(h.Servers) > 0 || people.Undiscovered() != nil) {
		h.Problems = append(h.Problems, wire.Problem{Code: "directoryDown", Text: "no directory server can be reached",
			Remedy: "run \"ldap-gateway check\" on the machine"})
	}
	for _, p := range people.Problems() {
		h.Problems = append(h.Problems, wire.Problem{Code: p.Code, Text: p.Text, Remedy: p.Remedy})
	}
	if skew := link.State().ClockSkew; skew != 0 {
		h.Problems = append(h.Problems, wire.Problem{Code: "clock", Text: "the machine's clock differs by " + skew.String(),
			Remedy: "set it by NTP"})
	}
	return h
}

// handler gives the link what the sign-ons answer, and keeps what was delivered.
type handler struct {
	signOns *SignOns
	state   state.Folder
	logger  hclog.Logger
}

// UserTypes implements cloudlink.Handler.
func (h *handler) UserTypes(_ context.Context, m wire.UserTypes) wire.UserTypesAnswer {
	if err := h.state.SaveUserTypes(m); err != nil {
		h.logger.Warn("the user types could not be kept for \"check\" and \"explain\"", "error", err)
	}
	a := h.signOns.UserTypes(m)
	h.logger.Info("user types delivered", "revision", m.Revision, "types", len(m.Types), "refused", len(a.Refused))
	return a
}

// SignOn implements cloudlink.Handler.
func (h *handler) SignOn(ctx context.Context, m wire.SignOn) wire.SignOnResult {
	return h.signOns.SignOn(ctx, m)
}

// directoryConfig is the file's directory block as the directory room takes it.
func directoryConfig(d configs.Directory, logger hclog.Logger) directory.Config {
	return directory.Config{
		Servers: d.Servers, Discover: d.Discover, Site: d.Site, Canary: directory.Canary{User: d.CanaryUser, Group: d.CanaryGroup}, BaseDN: d.BaseDN, BindDN: d.BindDN, BindPassword: directory.Password(d.BindPassword.Reveal()),
		Vendor: d.Vendor, AllowClearText: d.AllowClearText, FollowReferrals: d.FollowReferrals, ReferralHosts: d.ReferralHosts, GroupsFrom: d.GroupsFrom,
		TLS: directory.TLS{RootCAs: d.TLS.RootCAs, PinsSHA256: d.TLS.Pins, ServerName: d.TLS.ServerName,
			MinVersion: max(d.TLS.MinVersion, tls.VersionTLS12)},
		Timeout: d.Timeout, DialTimeout: d.DialTimeout,
		SearchConns: d.Pool.Search, BindConns: d.Pool.Bind, Lifetime: d.Pool.Lifetime, Logger: logger,
		BuiltInPrimaryGroups: d.BuiltInPrimaryGroups,
	}
}
