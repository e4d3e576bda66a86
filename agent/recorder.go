package agent

import (
	"context"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/time/rate"

	"ldap-gateway/agent/audit"
	"ldap-gateway/agent/health"
	"ldap-gateway/agent/service"
	"ldap-gateway/agent/signon"
	"ldap-gateway/agent/state"
	"ldap-gateway/cloudlink"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
)

// auditLog returns the audit file that gateway.hcl asks for.
func auditLog(a configs.Audit, folder state.Folder, logger hclog.Logger) *audit.Log {
	return &audit.Log{Path: AuditPath(a, folder), MaxSize: a.MaxSize, Keep: a.Keep, Logger: logger}
}

// AuditPath returns where the audit file is, empty when it is switched off.
func AuditPath(a configs.Audit, folder state.Folder) string {
	switch {
	case a.Off:
		return ""
	case a.Path == "":
		return filepath.Join(folder.String(), "audit.jsonl")
	}
	return a.Path
}

// recorder writes down what the cloud of one pairing asked, and what it got.
type recorder struct {
	log      *audit.Log
	instance string

	mu      sync.Mutex
	refused int // dials in a row

	deliveries rate.Sometimes // what a cloud can cause for nothing
	frames     rate.Sometimes
	unadmitted rate.Sometimes
}

// newRecorder returns one that writes to log for an instance. What costs a cloud
// nothing is written whole at first and then now and then, so that it cannot push
// everything else out of the file: deliveries, messages that are none, and requests
// that ended before the directory was asked.
func newRecorder(log *audit.Log, instance string) *recorder {
	return &recorder{
		log:        log,
		instance:   instance,
		deliveries: rate.Sometimes{First: 60, Interval: time.Minute},
		frames:     rate.Sometimes{First: 200, Interval: 10 * time.Second},
		unadmitted: rate.Sometimes{First: 1000, Interval: time.Second},
	}
}

// admitted writes a record of a request that had the directory be asked; another
// one now and then.
func (r *recorder) admitted(a audit.Record, asked bool) {
	if asked {
		r.write(a)
		return
	}
	r.unadmitted.Do(func() { r.write(a) })
}

func (r *recorder) write(a audit.Record) {
	a.Instance = r.instance
	r.log.Write(a)
}

func (r *recorder) signOn(m wire.SignOn, t signon.Trace, a wire.SignOnResult, took time.Duration) {
	s := &audit.SignOn{
		ID:       short(m.ID),
		UserType: short(m.UserType),
		DN:       short(t.DN),
		Outcome:  a.Outcome.String(),
		Reason:   short(a.Reason),
		BindSent: a.BindSent,
		Millis:   took.Milliseconds(),
	}
	if a.Membership != nil {
		s.Verdict, s.Groups = a.Membership.Verdict.String(), len(a.Membership.Groups)
	}
	r.admitted(audit.Record{SignOn: s}, t.Asked || a.BindSent)
}

func (r *recorder) change(m wire.ChangePassword, t signon.Trace, a wire.PasswordChanged, took time.Duration) {
	p := &audit.Password{
		ID:       short(m.ID),
		UserType: short(m.UserType),
		DN:       short(t.DN),
		Outcome:  a.Outcome.String(),
		Reason:   short(a.Reason),
		BindSent: a.BindSent,
		Millis:   took.Milliseconds(),
	}
	if a.Refusal.Known() {
		p.Refusal = a.Refusal.String()
	}
	r.admitted(audit.Record{Password: p}, t.Asked || a.BindSent)
}

func (r *recorder) explained(m wire.Explain, t signon.Trace, a wire.Explained, took time.Duration) {
	e := &audit.Explain{
		ID:       short(m.ID),
		UserType: short(m.UserType),
		DN:       short(t.DN),
		Outcome:  a.Outcome.String(),
		Reason:   short(a.Reason),
		Millis:   took.Milliseconds(),
	}
	if a.Membership != nil {
		e.Groups = len(a.Membership.Groups)
	}
	r.admitted(audit.Record{Explain: e}, t.Asked)
}

func (r *recorder) looked(m wire.Look, t signon.Trace, a wire.Looked, took time.Duration) {
	l := &audit.Look{
		ID:       short(m.ID),
		UserType: short(m.UserType),
		DN:       short(t.DN),
		Outcome:  a.Outcome.String(),
		Groups:   len(m.Groups),
		Millis:   took.Milliseconds(),
	}
	for _, g := range a.Groups {
		if g.Finding == wire.FindingUntellable {
			l.Untellable++
		}
	}
	r.admitted(audit.Record{Look: l}, t.Asked)
}

func (r *recorder) userTypes(m wire.UserTypes, a wire.UserTypesAnswer) {
	u := &audit.UserTypes{Revision: m.Revision, Refused: len(a.Refused), Accepted: len(m.Types) - len(a.Refused)}
	names, refused := map[string]string{}, map[string]bool{}
	for _, t := range m.Types {
		names[t.ID] = t.Name
	}
	for _, f := range a.Refused[:min(len(a.Refused), audit.MostTypes)] {
		refused[f.ID] = true
		u.Types = append(u.Types, audit.UserType{
			ID:      short(f.ID),
			Name:    short(names[f.ID]),
			Reasons: []string{short(strings.Join(f.Reasons, "; "))},
		})
	}
	for _, t := range m.Types {
		if len(u.Types) < audit.MostTypes && !refused[t.ID] {
			u.Types = append(u.Types, audit.UserType{ID: short(t.ID), Name: short(t.Name)})
		}
	}
	r.deliveries.Do(func() { r.write(audit.Record{UserTypes: u}) })
}

// happened takes what a link did. Of dials that fail in a row the first, second,
// fourth and so on are written: a cloud that is down for a night must not push
// everything else out of the file.
func (r *recorder) happened(e cloudlink.Event) {
	switch e.Kind {
	case cloudlink.EventOpened:
		r.inARow(false)
		r.write(audit.Record{Link: &audit.Link{What: "opened", Node: short(e.Node)}})
	case cloudlink.EventClosed:
		r.write(audit.Record{Link: &audit.Link{What: "closed", Node: short(e.Node), Why: because(e.Err)}})
	case cloudlink.EventNotOpened:
		if n := r.inARow(true); n&(n-1) == 0 {
			r.write(audit.Record{Link: &audit.Link{What: "refused", Why: because(e.Err), Times: n}})
		}
	case cloudlink.EventFrameRefused:
		f := &audit.Frame{Why: because(e.Err)}
		if e.Frame != 0 {
			f.Kind = e.Frame.String()
		}
		r.frames.Do(func() { r.write(audit.Record{Frame: f}) })
	case cloudlink.EventBusy:
		const reason = "all handlers were at work"
		switch e.Frame {
		case wire.KindChangePassword:
			r.change(e.Change, signon.Trace{}, wire.PasswordChanged{Outcome: wire.OutcomeBusy, Reason: reason}, 0)
		case wire.KindLook:
			r.looked(e.Look, signon.Trace{}, wire.Looked{Outcome: wire.OutcomeBusy}, 0)
		case wire.KindExplain:
			r.explained(e.Explain, signon.Trace{}, wire.Explained{Outcome: wire.OutcomeBusy, Reason: reason}, 0)
		default:
			r.signOn(e.SignOn, signon.Trace{}, wire.SignOnResult{Outcome: wire.OutcomeBusy, Reason: reason}, 0)
		}
	}
}

func (r *recorder) inARow(failed bool) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refused++
	if !failed {
		r.refused = 0
	}
	return r.refused
}

func because(err error) string {
	if err == nil {
		return ""
	}
	return short(err.Error())
}

// mostText bounds, in bytes, what a cloud can make us write of one text.
const mostText = 512

// short bounds s, and makes a line of it.
func short(s string) string {
	return strings.ReplaceAll(service.Short(s, mostText), "\n", " ")
}

// handler gives the link what the sign-ons answer, writes it down, and keeps
// what was delivered.
type handler struct {
	signOns *signon.Service
	state   state.Folder
	logger  hclog.Logger
	record  *recorder
	totals  *health.Totals

	delivered rate.Sometimes // and logged
	saved     rate.Sometimes // in the state folder
}

// newHandler returns one; what a cloud can have it do for nothing it does often at
// first, and then once a while.
func newHandler(
	s *signon.Service, folder state.Folder, logger hclog.Logger, record *recorder, totals *health.Totals,
) *handler {
	return &handler{
		signOns:   s,
		state:     folder,
		logger:    logger,
		record:    record,
		totals:    totals,
		delivered: rate.Sometimes{First: 60, Interval: time.Minute},
		saved:     rate.Sometimes{First: 60, Interval: time.Second},
	}
}

// UserTypes implements cloudlink.Handler.
func (h *handler) UserTypes(_ context.Context, m wire.UserTypes) wire.UserTypesAnswer {
	a := h.signOns.UserTypes(m)
	h.record.userTypes(m, a)
	h.delivered.Do(func() {
		h.logger.Info("user types delivered", "revision", m.Revision, "types", len(m.Types), "refused", len(a.Refused))
	})
	if a.Revision == m.Revision {
		h.saved.Do(func() { h.save(taken(m, a)) })
	}
	return a
}

// taken is what was delivered without what is refused for coming too often: it counts as
// a change when it comes again, also after another start.
func taken(m wire.UserTypes, a wire.UserTypesAnswer) wire.UserTypes {
	late := map[string]bool{}
	for _, r := range a.Refused {
		late[r.ID] = late[r.ID] || r.RetryMillis > 0
	}
	m.Types = slices.DeleteFunc(slices.Clone(m.Types), func(t wire.UserType) bool { return late[t.ID] })
	return m
}

// save keeps what was delivered for "check", "explain" and the next start, unless it is
// there already.
func (h *handler) save(m wire.UserTypes) {
	kept, err := h.state.UserTypes()
	if err != nil || !reflect.DeepEqual(kept, m) {
		err = h.state.SaveUserTypes(m)
	}
	if err != nil {
		h.logger.Warn("the user types could not be kept for the next start, \"check\" and \"explain\"", "error", err)
	}
}

// happened takes what the link did.
func (h *handler) happened(e cloudlink.Event) {
	if e.Kind == cloudlink.EventOpened {
		h.signOns.NewLink()
	}
	if e.Kind == cloudlink.EventRotate {
		h.rotateSoon()
	}
	if e.Kind == cloudlink.EventBusy && e.Frame != wire.KindExplain && e.Frame != wire.KindLook {
		h.totals.Of(e.Frame).Add(wire.OutcomeBusy)
	}
	h.record.happened(e)
}

// rotateSoon has the keys be changed, unless they were changed just now: a cloud
// that asks again and again gets no more of it.
func (h *handler) rotateSoon() {
	paired, err := h.state.Instance()
	if err != nil || time.Since(paired.KeysSince) < time.Minute {
		return
	}
	if err := h.state.WishRotation(); err != nil {
		h.logger.Warn("the keys are not changed, as the cloud asked", "error", err)
	}
}

// SignOn implements cloudlink.Handler. A sign-on that ends in a panic is written
// down too, as what the link answers then.
func (h *handler) SignOn(ctx context.Context, m wire.SignOn) (answer wire.SignOnResult) {
	start, trace := time.Now(), signon.Trace{}
	answer = wire.SignOnResult{Outcome: wire.OutcomeUnknown, BindSent: true, Reason: internalError}
	defer func() {
		h.record.signOn(m, trace, answer, time.Since(start))
		h.totals.SignOns.Add(answer.Outcome)
		h.totals.Took.Add(int64(time.Since(start)))
	}()
	answer, trace = h.signOns.SignOn(ctx, m)
	return answer
}

// ChangePassword implements cloudlink.Handler; a panic is written down as above.
func (h *handler) ChangePassword(ctx context.Context, m wire.ChangePassword) (answer wire.PasswordChanged) {
	start, trace := time.Now(), signon.Trace{}
	answer = wire.PasswordChanged{Outcome: wire.OutcomeUnknown, BindSent: true, Reason: internalError}
	defer func() {
		h.record.change(m, trace, answer, time.Since(start))
		h.totals.Changes.Add(answer.Outcome)
	}()
	answer, trace = h.signOns.ChangePassword(ctx, m)
	return answer
}

// Explain implements cloudlink.Handler; a panic is written down as above.
func (h *handler) Explain(ctx context.Context, m wire.Explain) (answer wire.Explained) {
	start, trace := time.Now(), signon.Trace{}
	answer = wire.Explained{Outcome: wire.OutcomeUnknown, Reason: internalError}
	defer func() { h.record.explained(m, trace, answer, time.Since(start)) }()
	answer, trace = h.signOns.Explain(ctx, m)
	return answer
}

// Look implements cloudlink.Handler; a panic is written down as above.
func (h *handler) Look(ctx context.Context, m wire.Look) (answer wire.Looked) {
	start, trace := time.Now(), signon.Trace{}
	answer = wire.Looked{Outcome: wire.OutcomeUnknown}
	defer func() { h.record.looked(m, trace, answer, time.Since(start)) }()
	answer, trace = h.signOns.Look(ctx, m)
	return answer
}

const internalError = "internal error of the gateway; its log has the details"
