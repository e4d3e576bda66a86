package hub

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloudlink/wire"
)

var (
	errRevoked   = errors.New("revoked")
	errDisabled  = errors.New("disabled")
	errCloned    = errors.New("in quarantine")
	errOften     = errors.New("too many links")
	errNoUpgrade = errors.New("no websocket came: a proxy in front of this cloud does not pass Upgrade and Connection")
	errNoNonce   = errors.New("a proof without our nonce, of an instance that has given one")
)

// connectsPerMinute is how many links one instance may open. An agent's own
// back-off keeps it far below.
const connectsPerMinute = 60

// ServeStatus tells anyone that this is a cloud, what time it is here, and what a
// proof of an instance is to carry.
func (h *Hub) ServeStatus(w http.ResponseWriter, _ *http.Request) {
	now := time.Now()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store") // a nonce that is kept between is an old one
	_ = json.NewEncoder(w).Encode(wire.Status{
		Service:  "ldap-cloud",
		Time:     now,
		Versions: wire.Versions(),
		Nonce:    h.nonces.Give(now),
	})
}

// ServeHTTP opens an agent's link and serves it until it ends.
// Until it is admitted nothing of the agent is kept, so strangers cost one look into
// the store. Who is on their way in has a place at the door until it can be asked.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !upgrades(r) {
		h.refuse(w, r, errNoUpgrade) // before the proof is used up
		return
	}
	if r.Header.Get("Sec-WebSocket-Protocol") == wire.TrialSubprotocol {
		serveTrial(w, r)
		return
	}
	if r.Header.Get("Authorization") == "" {
		h.challenge(w)
		return
	}
	arrived, err := h.door.enter(r.Context())
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	l, instance := h.open(w, r)
	if l == nil {
		arrived()
		return
	}
	l.arrived = arrived
	l.guarded(context.WithoutCancel(r.Context()), func(ctx context.Context) { l.introduce(ctx, instance) })
	go h.keep(l) // the request ends here, and what it took
}

// challenge tells who brings no proof what it is to carry: it comes next, over the same connection.
func (h *Hub) challenge(w http.ResponseWriter) {
	now := time.Now()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusUnauthorized)
	_ = json.NewEncoder(w).Encode(wire.Refusal{
		Code:    wire.RefusedAssertion,
		Message: "no proof came: ldap-gateway makes one",
		Time:    now,
		Nonce:   h.nonces.Give(now),
	})
}

// open returns the link of an agent that is admitted and was greeted, and its instance as it was at the
// door; nil when there is none, which the agent has been told.
func (h *Hub) open(w http.ResponseWriter, r *http.Request) (*link, store.Instance) {
	instance, gateway, epoch, err := h.admit(r)
	if err != nil {
		h.refuse(w, r, err)
		return nil, instance
	}
	ws, err := websocket.Accept(slim{w}, r, &websocket.AcceptOptions{Subprotocols: []string{wire.Subprotocol}})
	if err != nil {
		return nil, instance // Accept has answered
	}
	if ws.Subprotocol() != wire.Subprotocol {
		_ = ws.Close(websocket.StatusPolicyViolation, "the subprotocol is missing")
		return nil, instance
	}
	l := newLink(h, ws, Live{
		Link:     uuid.NewString(),
		Instance: instance.ID,
		Gateway:  gateway.ID,
		Node:     h.Node,
		NodeID:   h.id,
		SealKey:  instance.SealKey,
		Since:    time.Now(),
	})
	l.epoch = epoch
	if err := l.greet(gateway.Name); err != nil {
		h.Logger.Warn("an instance did not get as far as the welcome", "instance", instance.ID, "error", err)
		_ = ws.CloseNow()
		return nil, instance
	}
	if !h.enter(l) {
		_ = ws.CloseNow()
		return nil, instance
	}
	return l, instance
}

// keep serves a link until it ends. Between heartbeats it waits in readAll, with a stack that is to stay
// small: see TestIdleLinkIsSmall.
func (h *Hub) keep(l *link) {
	defer h.exit(l)
	defer l.ws.CloseNow()
	defer l.arrived()
	ctx := context.Background() // the link outlives the request that opened it
	l.guarded(ctx, l.begin)
	if l.unsubscribe == nil {
		return
	}
	l.guarded(ctx, l.readAll)
	l.guarded(ctx, l.finish)
}

// introduce tells that the link is up, and that the policy has changed, which is kept before
// the link is used. Whatever else the agent said of itself is kept at its first heartbeat.
func (l *link) introduce(ctx context.Context, before store.Instance) {
	l.log().Info("link is up", "host", l.live.Hostname, "software", l.live.Software)
	if before.PolicyHash == l.policy {
		return
	}
	l.hub.report(ctx, l, 0)
	if before.PolicyHash == "" {
		return
	}
	l.hub.tell(ctx, before, "instance.policyChanged", "The policy on "+l.live.Hostname+" has changed",
		map[string]any{"before": before.PolicyHash, "after": l.policy, "policy": l.live.Policy})
}

// admit tells which instance is at the door and the epoch that it begins, or why
// it stays outside.
func (h *Hub) admit(r *http.Request) (i store.Instance, g store.Gateway, epoch uint64, err error) {
	if h.isLeaving() {
		return i, g, 0, errLeaving
	}
	ctx := r.Context()
	i, a, err := h.proven(r, h.Audiences)
	if err != nil {
		return i, g, 0, err
	}
	// Whether it is switched off is told only to who has proven to be an instance.
	switch g, err = h.Store.Gateway(ctx, i.EnvironmentID, i.GatewayID); {
	case err != nil:
	case !i.RevokedAt.IsZero():
		err = errRevoked
	case !i.QuarantinedAt.IsZero():
		err = errCloned
	case !g.Enabled:
		err = errDisabled
	}
	if err != nil {
		return i, g, 0, cmp.Or(h.use(ctx, a), err)
	}
	_, ours := h.nonces.Age(a.Nonce, time.Now())
	epoch, missing, err := h.Store.BeginLink(ctx, store.Arrival{
		Instance: i.ID,
		Nonce:    a.Nonce,
		Expires:  expiry(a),
		Nonced:   ours && !i.Nonced,
		Claimed:  a.Epoch,
	})
	switch {
	case missing > 0:
		h.databaseWentBack(ctx, i, missing)
	case errors.Is(err, store.ErrCloned):
		h.quarantine(ctx, i, "it claimed a state of the past, from "+r.RemoteAddr+": its state folder was copied or restored")
	}
	return i, g, epoch, err
}

// prove tells which instance makes a request, by an assertion for one of the
// audiences that was never used before.
func (h *Hub) prove(r *http.Request, audiences []string) (store.Instance, error) {
	i, a, err := h.proven(r, audiences)
	if err == nil {
		err = h.use(r.Context(), a)
	}
	return i, err
}

// use uses an assertion up.
func (h *Hub) use(ctx context.Context, a wire.Assertion) error {
	return h.Store.UseAssertion(ctx, a.Nonce, expiry(a))
}

// expiry is until when an assertion could be used again, were it not remembered.
func expiry(a wire.Assertion) time.Time { return time.Unix(a.Time, 0).Add(2 * wire.AssertionLife) }

// proven is prove of an assertion that may have been used before.
func (h *Hub) proven(r *http.Request, audiences []string) (i store.Instance, a wire.Assertion, err error) {
	// Browsers send it with every WebSocket, and agents do not.
	if r.Header.Get("Origin") != "" {
		return i, a, wire.ErrAssertion // a browser is no agent
	}
	ctx := r.Context()
	keyOf := func(id string) (ed25519.PublicKey, error) {
		var err error
		i, err = h.Store.Instance(ctx, id)
		return i.PublicKey, err
	}
	a, err = wire.OpenAssertion(r.Header.Get("Authorization"), audiences, time.Now(), keyOf)
	if err == nil {
		err = h.fresh(a, i)
	}
	if err != nil {
		return i, a, err
	}
	// Only now is it known who it is: strangers do not use up the count of an instance.
	if h.connects.Begin(time.Now(), throttle.Limit{Key: a.Instance, Most: connectsPerMinute}) > 0 {
		return i, a, errOften
	}
	return i, a, nil
}

// fresh refuses a proof that carries a nonce of ours from long ago: it was made for
// later. One without is an agent's of before, and good by its time alone, unless the
// instance has given one with: then whoever has it from the agent had it made for later.
func (h *Hub) fresh(a wire.Assertion, i store.Instance) error {
	age, ours := h.nonces.Age(a.Nonce, time.Now())
	switch {
	case !ours && i.Nonced:
		return errNoNonce
	case ours && age > wire.NonceLife:
		return fmt.Errorf("%w: its nonce was given %s ago", wire.ErrAssertionTime, age)
	}
	return nil
}

// refuse answers an agent that stays outside with a reason it can act on.
func (h *Hub) refuse(w http.ResponseWriter, r *http.Request, err error) {
	// Only what is our own fault is an error in our log: the rest any stranger can
	// bring about.
	status, refusal := refusalFor(err)
	if status == http.StatusInternalServerError || errors.Is(err, store.ErrUnavailable) {
		h.Logger.Error("an instance could not be admitted", "error", err)
	} else {
		level := h.lines.Level(string(refusal.Code), hclog.Info)
		h.Logger.Log(level, "an instance was refused", "from", r.RemoteAddr, "code", refusal.Code, "error", err)
	}
	refusal.Time = time.Now()
	if status == http.StatusUpgradeRequired { // RFC 9110 section 15.5.22
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Connection", "Upgrade")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(refusal)
}

// refusalFor is what an agent is told by an error of the door: a code that it acts on
// by itself, and a sentence for whoever looks at its log. What is our own fault says no
// more than that.
func refusalFor(err error) (int, *wire.Refusal) {
	again := "Pair this machine again: make a code in the console and run \"ldap-gateway pair --replace\"."
	switch {
	case errors.Is(err, wire.ErrAssertionTime):
		return http.StatusUnauthorized, &wire.Refusal{
			Code:    wire.RefusedClock,
			Message: "the clocks of this machine and the cloud differ: set both by NTP",
		}
	case errors.Is(err, errNoNonce):
		return http.StatusUnauthorized, &wire.Refusal{
			Code: wire.RefusedNonce,
			Message: "this instance has proven itself with a nonce of this cloud before, and did not now. While nodes of" +
				" several versions run that passes. If ldap-gateway went back to a version before 0.2, update it. Or: " + again,
		}
	case errors.Is(err, store.ErrNotFound), errors.Is(err, errRevoked):
		return http.StatusForbidden, &wire.Refusal{
			Code:    wire.RefusedRevoked,
			Message: "this instance was revoked, or its gateway deleted. " + again,
		}
	case errors.Is(err, errCloned), errors.Is(err, store.ErrCloned):
		return http.StatusForbidden, &wire.Refusal{
			Code: wire.RefusedCloned,
			Message: "this instance is in quarantine: its state folder was copied to another machine," +
				" or restored from the past. " + again,
		}
	case errors.Is(err, errDisabled):
		return http.StatusForbidden, &wire.Refusal{
			Code:    wire.RefusedDisabled,
			Message: "the gateway is switched off in the console",
		}
	case errors.Is(err, store.ErrUsed):
		return http.StatusUnauthorized, &wire.Refusal{Code: wire.RefusedReplay, Message: "this assertion was used before"}
	case errors.Is(err, wire.ErrAssertion):
		return http.StatusUnauthorized, &wire.Refusal{
			Code: wire.RefusedAssertion,
			Message: "the instance is not proven: cloud.url must be the URL that the cloud knows itself by" +
				" (ldap-cloud run --url). " + again,
		}
	case errors.Is(err, errNoUpgrade):
		return http.StatusUpgradeRequired, noUpgrade()
	case errors.Is(err, errOften):
		return http.StatusTooManyRequests, &wire.Refusal{
			Code:       wire.RefusedThrottled,
			RetryAfter: 15,
			Message:    "this instance opens links too often: something between cuts them",
		}
	}
	return troubleOf(err)
}

// troubleOf is refusalFor an error that is none of the agent's.
func troubleOf(err error) (int, *wire.Refusal) {
	switch {
	case errors.Is(err, errCrowd):
		return http.StatusServiceUnavailable, &wire.Refusal{
			Code:       wire.RefusedThrottled,
			RetryAfter: comeAgain,
			Message:    "many agents come to this cloud at once, as after a restart",
		}
	case errors.Is(err, store.ErrUnavailable):
		return http.StatusServiceUnavailable, &wire.Refusal{
			Code:       wire.RefusedRequest,
			RetryAfter: 2,
			Message:    "the cloud's database is away at this moment",
		}
	case errors.Is(err, errLeaving):
		return http.StatusServiceUnavailable, &wire.Refusal{Code: wire.RefusedGoingAway, Message: "this node is stopping"}
	}
	return http.StatusInternalServerError, &wire.Refusal{
		Code:    wire.RefusedRequest,
		Message: "internal error of the cloud; its log has the details",
	}
}

// report keeps in the store what the instance is, and which epoch it has kept; 0: it does not say.
// It is no reason to end the link when the store takes no report.
func (h *Hub) report(ctx context.Context, l *link, epoch uint64) {
	err := apart(func() error {
		return h.Store.ReportInstance(ctx, l.live.Instance, store.InstanceReport{
			Hostname:   l.live.Hostname,
			Software:   l.live.Software,
			System:     l.live.System,
			PolicyHash: l.policy,
			Epoch:      epoch,
			At:         time.Now(),
		})
	})
	if err != nil {
		h.Logger.Warn("an instance's report was not kept", "instance", l.live.Instance, "error", err)
	}
}
