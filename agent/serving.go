package agent

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/time/rate"

	"ldap-gateway/agent/health"
	"ldap-gateway/agent/policy"
	"ldap-gateway/configs"
	"ldap-gateway/directory"
)

// serving is what one reading of gateway.hcl has made. It is replaced as a whole:
// a link answers from the one that it began with.
type serving struct {
	file   *configs.Gateway
	policy *policy.Policy
	people *directory.Client
	rate   *rate.Limiter
	links  sync.WaitGroup // that answer from it

	attributes atomic.Pointer[[]string] // that the directory has and that may leave; nil: not known yet
}

// learnAttributes finds out what attributes there are to map, for the form in
// the console. It asks until the directory answers.
func (s *serving) learnAttributes(ctx context.Context) {
	for s.attributes.Load() == nil {
		names, err := s.people.AttributeNames(ctx)
		if err == nil {
			names = slices.DeleteFunc(names, func(n string) bool { return !s.policy.MayLeave(n) })
			s.attributes.Store(&names)
		} else if !wait(ctx, proveEvery) {
			return
		}
	}
}

// open prepares what a file says, and dials nothing.
func (i *Instance) open(file *configs.Gateway) (*serving, error) {
	rules, err := policy.New(file.Policy)
	if err != nil {
		return nil, err
	}
	cfg := DirectoryConfig(file.Directory, i.Logger.Named("directory"))
	cfg.ProveEvery, cfg.WatchEvery = proveEvery, watchEvery
	people, err := directory.Open(cfg)
	if err != nil {
		return nil, err
	}
	perMinute := file.Policy.SignOnsPerMinute
	return &serving{
		file:   file,
		policy: rules,
		people: people,
		rate:   rate.NewLimiter(rate.Limit(perMinute)/60, max(10, perMinute/6)),
	}, nil
}

// shown is what says how the gateway is.
func (s *serving) shown() health.Serving {
	return health.Serving{
		Cloud:     s.file.Cloud.URL.String(),
		Observe:   s.policy.File.Observe,
		Directory: s.people,
	}
}

// close waits for the links that answer from it, and gives the directory up.
func (s *serving) close() {
	s.links.Wait()
	_ = s.people.Close()
}

// errCannotReload says that nobody told the instance where its file is.
var errCannotReload = errors.New("this gateway cannot read its file again: restart it")

// reload reads the file again and takes it on, or refuses it and goes on with the
// one before. The link goes over to what the new one says without a gap: another
// is opened, and the old one drains once that is up.
func (i *Instance) reload() error {
	i.Manager.Reloading()
	defer i.Manager.Reloaded()
	fresh, err := i.reread()
	if err != nil {
		i.health.Refused(err)
		i.Logger.Error("gateway.hcl is refused, the former one stays in use", "error", err)
		return err
	}
	restart := takeOver(i.now.file, fresh.file)
	i.former.Go(i.now.close)
	i.now = fresh
	i.inUse.Store(fresh)
	i.health.TookOn(fresh.shown(), restart)
	if level := fresh.file.Log.Level; level != "" {
		i.Logger.SetLevel(hclog.LevelFromString(level))
	}
	i.Logger.Info("gateway.hcl was read again and is in use", "restartFor", strings.Join(restart, ", "))
	return nil
}

func (i *Instance) reread() (*serving, error) {
	if i.Load == nil {
		return nil, errCannotReload
	}
	file, err := i.Load()
	if err != nil {
		return nil, err
	}
	return i.open(file)
}

// takeOver puts into fresh what is read at a start only, as it was in old, and
// names what of it is another now.
func takeOver(old, fresh *configs.Gateway) (restart []string) {
	if *old.Cloud.URL != *fresh.Cloud.URL {
		restart = append(restart, "cloud.url")
	}
	if old.Audit != fresh.Audit {
		restart = append(restart, "audit")
	}
	if old.Metrics != fresh.Metrics {
		restart = append(restart, "metrics")
	}
	if old.Log.JSON != fresh.Log.JSON {
		restart = append(restart, "log.format")
	}
	fresh.Cloud.URL, fresh.Audit, fresh.Metrics, fresh.Log.JSON = old.Cloud.URL, old.Audit, old.Metrics, old.Log.JSON
	return restart
}

// pause waits until the state folder is to be looked at again, and meanwhile takes
// another file on when that is wished. False when ctx has ended. It is where the
// instance says that it is alive: see [health.Monitor.Lives].
func (i *Instance) pause(ctx context.Context) bool {
	i.Manager.Tell(i.health.Status().Summary())
	if i.health.Lives() {
		i.Manager.Alive()
	}
	next := time.NewTimer(pollState)
	defer next.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-i.Manager.Reloads():
		_ = i.reload() // which has told it
	case done := <-i.health.Reloads():
		done <- i.reload()
	case <-next.C:
	}
	return true
}
