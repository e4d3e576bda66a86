package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-ldap/ldap/v3"

	"ldap-gateway/directory/dn"
)

// answer is what a search brought. result is never nil and may hold entries even
// when err is set. link and server are nil when none could be reached.
type answer struct {
	link   *link
	server *server
	result *ldap.SearchResult
	err    error
}

// search looks for people and single entries: see searchIn.
func (c *Client) search(ctx context.Context, prefer string, request func(*rootDSE) *ldap.SearchRequest) answer {
	return c.searchIn(ctx, prefer, func(s *server) *limiter { return &s.finding }, request)
}

// searchIn asks the preferred server, or the first that can be reached. A search that
// got no answer is repeated once, elsewhere when there is an elsewhere: unlike a
// bind, it changes nothing. Before it is sent it waits for its turn.
func (c *Client) searchIn(
	ctx context.Context, prefer string, turns func(*server) *limiter, request func(*rootDSE) *ldap.SearchRequest,
) answer {
	var last answer
	for attempt := range 2 {
		l, err := c.eachServer(ctx, prefer, func(s *server) (*link, error) { return s.service(ctx) })
		if err != nil {
			if attempt == 0 {
				return answer{result: &ldap.SearchResult{}, err: err}
			}
			return last
		}
		next, again := c.inTurn(ctx, l, turns(l.server), request(l.server.dse.Load()))
		if attempt == 0 || next.err == nil || len(next.result.Entries) >= len(last.result.Entries) {
			last = next
		}
		if !again {
			return last
		}
	}
	return last
}

// inTurn is searchOn when the server has time for it.
func (c *Client) inTurn(ctx context.Context, l *link, turns *limiter, request *ldap.SearchRequest) (answer, bool) {
	if err := turns.enter(ctx); err != nil {
		l.leave()
		return l.nothing(fmt.Errorf("%w: it has not come to its turn at %s: %w", ErrUnavailable, l.server.url, err)), false
	}
	start := time.Now()
	out, again := c.searchOn(ctx, l, request)
	_, refused := answered(out.err)
	turns.leave(time.Since(start), out.err == nil || refused, time.Now())
	return out, again
}

// searchOn runs one search on a link that this caller has entered, and says whether
// it is worth repeating.
func (c *Client) searchOn(ctx context.Context, l *link, request *ldap.SearchRequest) (out answer, again bool) {
	request.TimeLimit = int((c.cfg.Timeout + time.Second - 1) / time.Second)
	start := time.Now()
	out = l.search(ctx, request)
	switch e, ok := answered(out.err); {
	case out.err == nil, errors.Is(out.err, ldap.ErrSizeLimitExceeded):
		return out, false
	case ok && (e.ResultCode == ldap.LDAPResultBusy || e.ResultCode == ldap.LDAPResultUnavailable):
		elsewhere := c.anotherUp(l.server)
		if elsewhere {
			l.server.down(resultError(l.server.url, "search", e), 0)
		}
		return out, elsewhere
	case ok:
		return out, false
	case ctx.Err() != nil:
		out.err = fmt.Errorf("search at %s: %w", l.server.url, ctx.Err())
		return out, false
	}
	l.retire()
	if time.Since(start) < c.cfg.Timeout {
		return out, true
	}
	forgotten := l.silentSince(start) && start.Sub(l.born) > forgottenAfter*c.cfg.Timeout
	if forgotten {
		l.server.dropSilent(start)
	}
	l.server.silent(fmt.Errorf("no answer to a search within %s: %w", c.cfg.Timeout, out.err))
	return out, forgotten || c.anotherUp(l.server)
}

// forgottenAfter is how many time-outs old a connection is at the least that something
// between may have forgotten: a search that gets no answer there is tried once more, on
// a new one.
const forgottenAfter = 2

// errNoAnswer: an operation was sent and no answer came within Timeout.
var errNoAnswer = errors.New("no answer in time")

// search waits for the answer, the context or Timeout, whichever is first. A search that
// nobody waits for any more does not end the connection, which would fail the searches
// of others; see giveUp.
func (l *link) search(ctx context.Context, request *ldap.SearchRequest) answer {
	life := &l.server.client.life
	err := ctx.Err()
	if err == nil && !life.begin() {
		err = ErrClosed
	}
	if err != nil {
		l.leave()
		return l.nothing(err)
	}
	r, err := l.askSearch(ctx, request)
	if err != nil {
		l.leave()
		life.end()
		return l.nothing(err)
	}
	limit := time.NewTimer(l.server.client.cfg.Timeout)
	select {
	case <-r.over:
		limit.Stop()
		l.leave()
		life.end()
		return l.answer(request, r)
	case <-limit.C:
		err, limit = errNoAnswer, nil
	case <-ctx.Done():
		err = ctx.Err()
	}
	go func() {
		defer life.end()
		l.outlive(r, limit)
	}()
	return l.nothing(err)
}

// outlive counts a search out that nobody waits for, once it ends: in its time, or with the
// link. limit is nil when that time is over.
func (l *link) outlive(r *reply, limit *time.Timer) {
	if limit != nil {
		defer limit.Stop()
		select {
		case <-r.over:
			l.leave()
			return
		case <-limit.C:
		}
	}
	l.giveUp()
	<-r.over
	l.left(true)
}

// askSearch sends a search.
func (l *link) askSearch(ctx context.Context, request *ldap.SearchRequest) (*reply, error) {
	octets, err := searchRequest(request)
	if err != nil {
		return nil, err
	}
	most := 0
	if request.EnforceSizeLimit {
		most = request.SizeLimit
	}
	return l.ask(ctx, opSearchRequest, octets, request.Controls, most)
}

// answer reads what came for a search that is over.
func (l *link) answer(request *ldap.SearchRequest, r *reply) answer {
	result, err := readSearch(request, r)
	if !withinBase(request, result.Entries) {
		result, err = &ldap.SearchResult{}, errStrange
	}
	return answer{l, l.server, result, err}
}

// withinBase tells whether all entries are where they were looked for. A base that is no
// DN, as Active Directory's <GUID=…>, tells nothing of where that is.
func withinBase(request *ldap.SearchRequest, entries []*ldap.Entry) bool {
	base, err := dn.Parse(request.BaseDN)
	if err != nil {
		return true
	}
	for _, e := range entries {
		name, err := dn.Parse(e.DN)
		if err != nil {
			continue // odd names there are; whoever decides on one parses it again
		}
		if !name.Within(base) || request.Scope == ldap.ScopeBaseObject && name != base {
			return false
		}
	}
	return true
}

func (l *link) nothing(err error) answer { return answer{l, l.server, &ldap.SearchResult{}, err} }

// typed turns the error of a search into this package's.
func (a answer) typed(op string) error {
	if a.err == nil || a.server == nil {
		return a.err
	}
	e, ok := answered(a.err)
	if !ok {
		return fmt.Errorf("%w: %w", ErrUnavailable, a.err)
	}
	out := resultError(a.server.url, op, e)
	if e.ResultCode == ldap.LDAPResultNoSuchObject {
		out.Remedy = "the base does not exist or the service account may not see it: correct it, or grant the right to " +
			"read it"
	}
	return out
}
