package directory

import (
	"context"
	"math/rand/v2"

	"github.com/go-ldap/ldap/v3"
)

// watch asks each server that is taken to be up whether it is, until Close: while nobody signs on, nobody else would
// notice that it has gone. Those that are put aside are the prober's.
func (c *Client) watch() {
	if c.cfg.WatchEvery == 0 || !c.life.begin() {
		return
	}
	go func() {
		defer c.life.end()
		for pause(c.ctx, c.cfg.WatchEvery+rand.N(c.cfg.WatchEvery/4+1)) {
			for _, s := range c.list() {
				if s.snapshot().State == stateUp {
					s.isThere(c.ctx)
				}
			}
		}
	}()
}

// isThere reads nothing of the root DSE on a kept connection, or makes a new one. Whether the server is put aside is
// decided as by any search. No person is bound; the service account is where a connection had ended anyway.
func (s *server) isThere(ctx context.Context) {
	for range 2 {
		l, err := s.service(ctx)
		if err != nil {
			return // whoever dialled has said so
		}
		request := ldap.NewSearchRequest("", ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false, rootDSEFilter,
			[]string{"1.1"}, nil)
		if _, again := s.client.searchOn(ctx, l, request); !again {
			return
		}
	}
}
