package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// Pages are asked for (RFC 2696) only of a server that has cut a plain search off: a
// control must not change the answer of a search that does without.
const (
	groupPage   = 500
	mostEntries = 100_000 // of one search in pages; nobody is in so many groups
	mostPages   = 1000    // one may be empty: of what is in it nothing may be seen
	// pagesAfter is how long a server that pages badly is not asked for pages.
	pagesAfter = time.Hour
)

var (
	errPagesRefused = errors.New("the server offers pages and does not give them")
	errPagesLess    = errors.New("the server answers less in pages than without")
	errPagesEndless = errors.New("the pages have no end")
)

// cutOff tells whether a limit of the server's ended a search.
func (a answer) cutOff() bool {
	e, ok := answered(a.err)
	return ok && (e.ResultCode == ldap.LDAPResultSizeLimitExceeded || e.ResultCode == ldap.LDAPResultAdminLimitExceeded)
}

// inPages reads in pages what was cut off without. When that brings no more, the plain
// answer stands, with its own error: why pages did not help is for the log.
func (q *groupQuery) inPages(ctx context.Context, plain answer, filter string) answer {
	s := plain.server
	if dse := s.dse.Load(); dse == nil || !dse.paging || s.pagesBadly() {
		return plain
	}
	l, err := s.extraLink(ctx)
	if err != nil {
		return plain
	}
	defer l.retire()
	return l.pagesInPlaceOf(ctx, plain, func() *ldap.SearchRequest { return q.request(filter) })
}

// pagesInPlaceOf returns the better of two answers.
func (l *link) pagesInPlaceOf(ctx context.Context, plain answer, request func() *ldap.SearchRequest) answer {
	s := l.server
	paged := l.pages(ctx, request)
	switch err := badPages(plain, paged); {
	case err != nil:
		s.noPages.Store(time.Now().Add(pagesAfter).UnixNano())
		s.client.cfg.Logger.Warn("pages are not used for an hour", "server", s.url, "because", err)
		return plain
	case len(paged.result.Entries) < len(plain.result.Entries):
		return plain
	}
	return paged
}

// badPages says what is wrong with how a server pages; nil when nothing is.
func badPages(plain, paged answer) error {
	e, ok := answered(paged.err)
	switch {
	case errors.Is(paged.err, errPagesEndless):
		return paged.err
	case ok && !paged.cutOff() && len(paged.result.Entries) == 0:
		return fmt.Errorf("%w: result %d", errPagesRefused, e.ResultCode)
	case (paged.err == nil || paged.cutOff()) && len(paged.result.Entries) < len(plain.result.Entries):
		return errPagesLess
	}
	return nil
}

// pagesBadly says whether the server is not to be asked for pages now.
func (s *server) pagesBadly() bool { return time.Now().UnixNano() < s.noPages.Load() }

// extraLink is a service link for one caller, who retires it: a server keeps the state
// of a paged search with the connection, and OpenLDAP keeps only one of them.
func (s *server) extraLink(ctx context.Context) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, s.client.cfg.DialTimeout)
	defer cancel()
	return s.connectService(ctx)
}

// pages reads all pages, or those that come before an error. Cookies that come again,
// and more entries than can be, are an error.
func (l *link) pages(ctx context.Context, request func() *ldap.SearchRequest) answer {
	all := l.nothing(nil)
	seen := map[string]bool{}
	for cookie, n := []byte(nil), 0; ; n++ {
		if !l.enter() {
			all.err = fmt.Errorf("the connection was closed between two pages: %w", ErrUnavailable)
			return all
		}
		page := ldap.NewControlPaging(groupPage)
		page.SetCookie(cookie)
		r := request()
		r.Controls = append(r.Controls, page)
		next := l.search(ctx, r)
		all.result.Entries = append(all.result.Entries, next.result.Entries...)
		all.result.Referrals = append(all.result.Referrals, next.result.Referrals...)
		all.err = next.err
		cookie = pageCookie(next.result)
		switch {
		case next.err != nil || len(cookie) == 0:
			return all
		case seen[string(cookie)] || n == mostPages || len(all.result.Entries) > mostEntries:
			all.err = errPagesEndless
			return all
		}
		seen[string(cookie)] = true
	}
}

func pageCookie(result *ldap.SearchResult) []byte {
	control, _ := ldap.FindControl(result.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
	if control == nil {
		return nil
	}
	return control.Cookie
}
