package agent

import (
	"context"
	"crypto/tls"
	"errors"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/agent/audit"
	"ldap-gateway/agent/health"
	"ldap-gateway/agent/policy"
	"ldap-gateway/agent/service"
	"ldap-gateway/agent/signon"
	"ldap-gateway/agent/state"
	"ldap-gateway/agent/version"
	"ldap-gateway/cloudlink"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
	"ldap-gateway/directory"
)

// Instance is the running agent.
type Instance struct {
	File    *configs.Gateway
	Load    func() (*configs.Gateway, error) // the file again, to reload it; nil: it cannot be
	State   state.Folder
	Logger  hclog.Logger
	Manager *service.Manager // nil: none

	guard   signon.Guard // these outlive a link
	seen    signon.Replays
	persons signon.Persons
	changes signon.Deliveries
	ceiling signon.Ceiling
	started time.Time
	// policyKey is what the hash of the policy is keyed with.
	policyKey []byte
	audit     *audit.Log
	health    *health.Monitor
	now       *serving                // of the goroutine of Run
	inUse     atomic.Pointer[serving] // now, for everybody else
	former    sync.WaitGroup          // what drains of files that were replaced
}

// proveEvery is how often the directory is asked what its memberOf means.
const proveEvery = 15 * time.Minute

// watchEvery is how often it is asked whether it is there at all.
const watchEvery = time.Minute

// pollState is how often the state folder is looked at for a (new) pairing.
const pollState = 2 * time.Second

// Run serves the cloud until ctx ends. It waits for a pairing that is not there
// yet and follows one that is replaced, and a file that is to be read again. It
// returns an error only for what stays wrong however long it waits: a file that
// no directory can be opened with.
func (i *Instance) Run(ctx context.Context) (err error) {
	i.started = time.Now()
	if i.now, err = i.open(i.File); err != nil {
		return err
	}
	i.inUse.Store(i.now)
	i.audit = auditLog(i.File.Audit, i.State, i.Logger)
	defer i.audit.Close()
	wrong, answered := i.State.WrongPasswords(), i.State.Answered()
	defer wrong.Close()
	defer answered.Close()
	defer func() { _ = i.seen.End() }() // when nothing is answered any more; the next start tells what was lost
	defer func() { i.now.close() }()
	if err := i.guard.Remember(wrong); err != nil {
		i.Logger.Warn("wrong passwords are counted until the next start only", "error", err)
	}
	if err := i.seen.Remember(answered); err != nil {
		i.Logger.Warn("which sign-ons were answered is known until the next start only", "error", err)
	}
	if i.State.Delivered() {
		m, _ := i.State.UserTypes() // what cannot be read counts as a change when it comes again
		i.changes.Know(m.Types)
	}
	if i.policyKey, err = i.State.PolicyKey(); err != nil {
		i.Logger.Warn("the cloud will take the policy for another one after the next start", "error", err)
	}
	i.health = health.New(i.now.shown(), i.audit, i.problems)
	stopHealth := i.health.Serve(ctx, i.State, i.File.Metrics.Listen, i.Logger)
	defer stopHealth()
	defer i.former.Wait()
	for stopLast := func() {}; ; {
		paired, ok := i.awaitPairing(ctx)
		if !ok {
			return nil
		}
		link, err := i.link(paired, i.now)
		if err != nil {
			return err
		}
		linked, stop := context.WithCancel(ctx)
		defer stop()
		i.now.links.Go(func() { _ = link.Run(linked) })
		now := i.now
		now.links.Go(func() { now.learnAttributes(linked) })
		i.health.Opens(paired, link)
		awaitUp(ctx, link)
		i.health.Linked(paired, link)
		i.Manager.Ready(i.health.Status().Summary())
		stopLast() // the link before, if any, drains while this one is up
		stopLast = stop
		i.watch(ctx, link, paired)
	}
}

// problems are those of what outlives a link.
func (i *Instance) problems() (all []health.Problem) {
	if err := i.guard.Lost(); err != nil {
		all = append(all, health.Problem{
			Code:     "wrongPasswordsNotKept",
			Severity: health.Warning,
			Text:     "wrong passwords are counted until the next start only",
			Remedy:   remedyOfLost(err),
			Detail:   err.Error(),
		})
	}
	if err := i.seen.Lost(); err != nil {
		all = append(all, health.Problem{
			Code:     "answeredNotKept",
			Severity: health.Warning,
			Text:     "which sign-ons were answered is known until the next start only",
			Remedy:   remedyOfLost(err),
			Detail:   err.Error(),
		})
	}
	if i.changes.Refused() {
		all = append(all, health.Problem{
			Code:     "userTypesChangedOften",
			Severity: health.Warning,
			Text:     "the cloud changed user types more often than policy.user_type_changes_per_hour allows",
			Remedy:   "ask who changes them: a cloud that does so by itself asks the directory questions. Or raise the number",
		})
	}
	if i.ceiling.Met(time.Now()) {
		all = append(all, health.Problem{
			Code:     "signOnsLimited",
			Severity: health.Warning,
			Text: "sign-ons were refused within the last quarter of an hour:" +
				" more came than policy.sign_ons_per_minute allows",
			Remedy: "raise policy.sign_ons_per_minute when these were people, and run \"ldap-gateway reload\";" +
				" or ask who makes them",
		})
	}
	return all
}

// remedyOfLost says what to do about a journal that is not kept.
func remedyOfLost(err error) string {
	var unreadable *state.UnreadableError
	if errors.As(err, &unreadable) {
		return "have the service's user read and write the file, or move it away; the next sign-on that needs it tries again"
	}
	return "make the state folder writable, and make room on the disk"
}

// awaitUp returns when the link is up, when the cloud does not take its keys, or when it
// has had its time.
func awaitUp(ctx context.Context, link *cloudlink.Link) {
	for range 50 {
		if link.State().Connected || refusedKeys(link) || !wait(ctx, 100*time.Millisecond) {
			return
		}
	}
}

// awaitPairing returns what the state folder says this instance is, as soon as
// it says so; false when ctx ended first.
func (i *Instance) awaitPairing(ctx context.Context) (state.Instance, bool) {
	told := ""
	for ctx.Err() == nil {
		paired, err := i.State.Instance()
		if err == nil {
			return paired, true
		}
		if told != err.Error() {
			told = err.Error()
			i.Logger.Warn("waiting to be paired", "state", i.State, "error", err)
		}
		i.Manager.Ready(i.health.Status().Summary())
		i.pause(ctx)
	}
	return state.Instance{}, false
}

// link prepares the link of one pairing, with the keys that it has now.
func (i *Instance) link(paired state.Instance, s *serving) (*cloudlink.Link, error) {
	opener, err := wire.NewOpener(paired.ID, paired.Keys.Sealing())
	if err != nil {
		return nil, err
	}
	var link *cloudlink.Link
	stats := signon.NewStats()
	service := &signon.Service{
		People:    s.people,
		Policy:    s.policy,
		Opener:    opener,
		Stats:     stats,
		Ceiling:   &i.ceiling,
		Logger:    i.Logger.Named("sign-on"),
		Guard:     &i.guard,
		Seen:      &i.seen,
		Persons:   &i.persons,
		Changes:   &i.changes,
		Started:   i.started,
		CloudTime: func(t time.Time) time.Time { return link.CloudTime(t) },
		Rate:      s.rate,
	}
	handler := newHandler(service, i.State, i.Logger, newRecorder(i.audit, paired.ID), &i.health.Totals)
	link = &cloudlink.Link{
		URL:    s.file.Cloud.URL,
		Client: cloudlink.NewHTTPClient(s.file.Cloud.Proxy, s.file.Cloud.RootCAs),
		Credential: cloudlink.Credential{Instance: paired.ID, Key: paired.Keys.Signing(),
			Epoch: func() uint64 { return i.State.Epoch(paired.ID) },
			Keep:  func(epoch uint64) error { return i.State.SaveEpoch(paired.ID, epoch) }},
		Handler: handler,
		Hello:   func() wire.Hello { return hello(s.policy, i.policyKey) },
		Logger:  i.Logger.Named("link"),
		Watch:   handler.happened,
	}
	link.Heartbeat = func() wire.Heartbeat { return i.heartbeat(stats) }
	if paired.Cloud != s.file.Cloud.URL.String() {
		i.Logger.Warn(
			"gateway.hcl names another cloud than the one that this machine was paired with: pair again with --replace, or "+
				"put cloud.url back",
			"file",
			s.file.Cloud.URL,
			"paired",
			paired.Cloud,
		)
	}
	i.Logger.Info(
		"serving",
		"gateway",
		paired.GatewayName,
		"environment",
		paired.Environment,
		"instance",
		paired.ID,
		"fingerprint",
		paired.Fingerprint,
	)
	return link, nil
}

// watch returns when the state folder holds another pairing than this one, or
// other keys for it, when another file is in use, or when ctx ends. Keys that are
// due are changed here.
func (i *Instance) watch(ctx context.Context, link *cloudlink.Link, paired state.Instance) {
	for s := i.now; i.pause(ctx) && i.now == s; {
		i.rotateIfDue(ctx, link, paired)
		if now, err := i.State.Instance(); err == nil && now.Fingerprint != paired.Fingerprint {
			i.Logger.Info("changing over", "instance", now.ID, "fingerprint", now.Fingerprint)
			return
		}
	}
}

func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func hello(p *policy.Policy, key []byte) wire.Hello {
	host, _ := os.Hostname() // empty when the system does not know
	return wire.Hello{
		Software:   version.Current(),
		Hostname:   host,
		System:     runtime.GOOS + "/" + runtime.GOARCH,
		PolicyHash: p.Hash(key),
		Policy:     p.Told(),
	}
}

func (i *Instance) heartbeat(stats *signon.Stats) wire.Heartbeat {
	perSecond, median := stats.Take()
	now := i.inUse.Load()
	out := wire.Heartbeat{OperationsPerSecond: perSecond, ResponseTimeMillis: float64(median.Microseconds()) / 1000}
	if names := now.attributes.Load(); names != nil {
		out.Attributes = *names
	}
	for _, s := range now.people.Servers() {
		out.Servers = append(out.Servers, wire.Server{URL: s.URL, State: s.State, Vendor: s.Vendor, Error: s.Told})
	}
	for _, p := range i.health.Problems() {
		if p.Code != "linkDown" { // of a link that drains: this arrives on another
			out.Problems = append(out.Problems, wire.Problem{
				Code:     p.Code,
				Text:     p.Text,
				Remedy:   p.Remedy,
				Severity: string(p.Severity),
			})
		}
	}
	return out
}

// DirectoryConfig is the file's directory block as the directory room takes it.
func DirectoryConfig(d configs.Directory, logger hclog.Logger) directory.Config {
	out := directory.Config{
		Servers:         d.Servers,
		Discover:        d.Discover,
		Site:            d.Site,
		BaseDN:          d.BaseDN,
		Vendor:          d.Vendor,
		BindDN:          d.BindDN,
		BindPassword:    directory.Password(d.BindPassword.Reveal()),
		OwnIdentity:     d.OwnIdentity,
		Canary:          directory.Canary{User: d.CanaryUser, Group: d.CanaryGroup},
		AllowClearText:  d.AllowClearText,
		FollowReferrals: d.FollowReferrals,
		ReferralHosts:   d.ReferralHosts,
		GroupsFrom:      d.GroupsFrom,
		TLS: directory.TLS{
			RootCAs:        d.TLS.RootCAs,
			PinsSHA256:     d.TLS.Pins,
			ServerName:     d.TLS.ServerName,
			MinVersion:     max(d.TLS.MinVersion, tls.VersionTLS12),
			Certificate:    d.TLS.Certificate,
			OldKeyExchange: d.TLS.OldKeyExchange,
		},
		Timeout:              d.Timeout,
		DialTimeout:          d.DialTimeout,
		SearchConns:          d.Pool.Search,
		BindConns:            d.Pool.Bind,
		Lifetime:             d.Pool.Lifetime,
		Logger:               logger,
		BuiltInPrimaryGroups: d.BuiltInPrimaryGroups,
		PosixPrimaryGroups:   d.PosixPrimaryGroups,
		MemberUIDFrom:        d.MemberUIDFrom,
		MemberAttributes:     d.MemberAttributes,
	}
	if g := d.GSSAPI; g != nil {
		out.Kerberos = &directory.Kerberos{
			Principal: g.Principal,
			Keytab:    g.Keytab,
			KDCs:      g.KDCs,
			ConfFile:  g.Krb5Conf,
			Service:   g.Service,
		}
	}
	return out
}
