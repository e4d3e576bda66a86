package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/time/rate"

	"ldap-gateway/configs"
	"ldap-gateway/directory"
)

// serving is what one reading of gateway.hcl has made. It is replaced as a whole:
// a link answers from the one that it began with.
type serving struct {
	file   *configs.Gateway
	policy *Policy
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
			names = slices.DeleteFunc(names, func(n string) bool {
				return !containsFold(usualAttributes, n) && !containsFold(s.policy.file.Attributes, n)
			})
			s.attributes.Store(&names)
		} else if !wait(ctx, proveEvery) {
			return
		}
	}
}

// open prepares what a file says, and dials nothing.
func (i *Instance) open(file *configs.Gateway) (*serving, error) {
	policy, err := NewPolicy(file.Policy)
	if err != nil {
		return nil, err
	}
	cfg := directoryConfig(file.Directory, i.Logger.Named("directory"))
	cfg.ProveEvery = proveEvery
	people, err := directory.Open(cfg)
	if err != nil {
		return nil, err
	}
	perMinute := file.Policy.SignOnsPerMinute
	return &serving{file: file, policy: policy, people: people, rate: rate.NewLimiter(rate.Limit(perMinute)/60, max(10, perMinute/6))}, nil
}

// close waits for the links that answer from it, and gives the directory up.
func (s *serving) close() {
	s.links.Wait()
	_ = s.people.Close()
}

// refusedFile is a gateway.hcl that was not taken on.
type refusedFile struct {
	at  time.Time
	err error
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
		i.health.refused.Store(&refusedFile{time.Now(), err})
		i.Logger.Error("gateway.hcl is refused, the former one stays in use", "error", err)
		return err
	}
	restart := takeOver(i.now.file, fresh.file)
	i.health.refused.Store(nil)
	i.health.restart.Store(&restart)
	i.former.Go(i.now.close)
	i.now = fresh
	i.health.serving.Store(fresh)
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
// instance says that it is alive: see lives.
func (i *Instance) pause(ctx context.Context) bool {
	how := i.health.status()
	i.Manager.Tell(how.summary())
	if i.health.lives() {
		i.Manager.Alive()
	}
	next := time.NewTimer(pollState)
	defer next.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-i.Manager.Reloads():
		_ = i.reload() // which has told it
	case done := <-i.health.reloads:
		done <- i.reload()
	case <-next.C:
	}
	return true
}

// mostSilence is above what a link lets pass before it closes itself.
const mostSilence = 3 * time.Minute

// lives tells whether the parts of the instance get on. Whoever asks has taken the
// locks of directory and link for the status before; here it is whether the link
// still watches over itself.
func (h *health) lives() bool {
	c := h.current.Load()
	return c == nil || c.link.State().Silent < mostSilence
}

// summary says how it is in one line, for the service manager.
func (s Status) summary() string {
	for _, p := range s.Problems {
		if p.Severity == Error {
			return oneLine(p.Text)
		}
	}
	if n := len(s.Problems); n > 0 {
		return fmt.Sprintf("people can sign on; \"ldap-gateway status\" has %d more to say", n)
	}
	return "people can sign on"
}
