package directory

import (
	"context"
	"crypto/x509"
	"errors"
	"slices"
)

// Presented is what a server showed of itself, before anybody is bound there.
type Presented struct {
	Server string              // URL
	Chain  []*x509.Certificate // of the TLS handshake, the server's own first; nil: it did not come to one
	Names  string              // of the server's own certificate; empty without one
	Rows   []Check             // "DNS", "TCP" and "TLS"
}

// Trusted tells whether the gateway would go on to bind there.
func (p Presented) Trusted() bool {
	return !slices.ContainsFunc(p.Rows, func(c Check) bool { return c.State == Failed || c.State == NotTried })
}

// Look connects to every server as far as its certificate, believed or not, and
// binds nobody. The error is that of discovering the servers.
func (c *Client) Look(ctx context.Context) ([]Presented, error) {
	if err := c.located(ctx); err != nil {
		return nil, err
	}
	var all []Presented
	for _, s := range c.list() {
		k := &checker{server: s, ctx: ctx}
		k.row("DNS", k.resolve)
		k.row("TCP", k.connect)
		k.row("TLS", k.handshake)
		k.close()
		p := Presented{Server: s.url, Chain: k.chain, Rows: k.rows}
		if len(k.chain) > 0 {
			p.Names = namesOf(k.chain[0])
		}
		all = append(all, p)
	}
	return all, nil
}

// NamingContexts asks the servers in their order which trees they hold, without a
// bind, and returns the first answer: the domain's own first on Active Directory. A
// server that does not tell has none. The error says why none could be asked.
func (c *Client) NamingContexts(ctx context.Context) ([]string, error) {
	var errs []error
	for _, s := range c.list() {
		dse, err := s.anonymousDSE(ctx)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		contexts := slices.DeleteFunc(slices.Clone(dse.contexts),
			func(dn string) bool { return dn == dse.domain || dn == "" })
		if dse.domain != "" {
			contexts = append([]string{dse.domain}, contexts...)
		}
		return contexts, nil
	}
	return nil, errors.Join(errs...)
}

// anonymousDSE reads the root DSE on a connection of its own.
func (s *server) anonymousDSE(ctx context.Context) (*rootDSE, error) {
	ctx, cancel := context.WithTimeout(ctx, s.client.cfg.DialTimeout)
	defer cancel()
	l, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer l.kill()
	stop := context.AfterFunc(ctx, l.cut)
	defer stop()
	if err := l.readRootDSE(); err != nil {
		return nil, err
	}
	return s.dse.Load(), ctx.Err()
}
