package pairing

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloud/web"
	"ldap-gateway/cloudlink/wire"
)

// Life is how long a code is good for.
const Life = 10 * time.Minute

// Broker makes codes and redeems them.
type Broker struct {
	Store  *store.Store
	Logger hclog.Logger
	Now    func() time.Time     // nil: time.Now
	URLs   []string             // that agents' proofs are taken for; none: whichever they say
	Bounds *throttle.Bounds     // of what is refused; nil: nobody counts
	Tell   func(network string) // has other nodes Hear of a wrong code; nil: there are none
	Nodes  func() int           // how many there are; nil: this one

	once         sync.Once
	wrong, shown throttle.Window
	gate         throttle.Gate
}

const (
	throttleWindow  = 10 * time.Minute
	wrongPerAddress = 10
)

// Offer makes a code for one more instance of a gateway, to be kept; by says who
// asked, in words. Only this answer has the code.
// Forty random bits are enough, since a code lives for minutes and each network has ten
// tries meanwhile: a hundred thousand networks guess one of ten codes once in a hundred
// thousand times. Nothing that strangers do keeps an administrator from pairing.
func Offer(g store.Gateway, by string, now time.Time) (p store.Pairing, code string) {
	random := make([]byte, 5)
	rand.Read(random) // never fails
	code = wire.NewCode(random)
	return store.Pairing{
		EnvironmentID: g.EnvironmentID,
		GatewayID:     g.ID,
		CodeHash:      HashCode(code),
		CreatedBy:     by,
		CreatedAt:     now,
		ExpiresAt:     now.Add(Life),
	}, code
}

// HashCode returns what is kept of a code, however it was typed.
func HashCode(code string) []byte { return hashText(wire.NormalCode(code)) }

// hashText needs no salt and no slowness: what it hashes is random, and guessed at the
// door or not at all.
func hashText(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}

// now is the time of day, which tests set.
func (d *Broker) now() time.Time {
	if d.Now != nil {
		return d.Now()
	}
	return time.Now()
}

// ServeHTTP answers an agent that has a code. Of many of one network at once as many codes are
// looked up as may still be wrong, and the others wait for them: a site whose codes are right
// may pair all its machines at once.
func (d *Broker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.once.Do(d.begin)
	var req wire.PairRequest
	if err := json.NewDecoder(io.LimitReader(r.Body, wire.MaxFirstFrame)).Decode(&req); err != nil {
		d.refuse(w, http.StatusBadRequest, &wire.Refusal{Code: wire.RefusedRequest, Message: "not a pairing request"})
		return
	}
	address := web.Address(r)
	network := throttle.Network(address)
	left := func() int { return throttle.Share(d.wrong.Left(network, wrongPerAddress, d.now()), d.nodes()) }
	leave, ok := d.gate.Enter(r.Context(), network, left)
	if !ok {
		d.refuse(w, http.StatusTooManyRequests, d.tooMany(network))
		return
	}
	defer leave()
	answer, err := d.redeem(r.Context(), req, address)
	if wrongCode(err) {
		d.missed(network)
	}
	d.reply(w, answer, err)
}

// missed counts a wrong code of a network, here and at the other nodes.
func (d *Broker) missed(network string) {
	d.wrong.Count(network, d.now())
	if d.Tell != nil {
		d.Tell(network)
	}
}

// Hear counts a wrong code that another node tells of.
func (d *Broker) Hear(network string) {
	d.once.Do(d.begin)
	d.wrong.Count(network, d.now())
}

func (d *Broker) nodes() int {
	if d.Nodes == nil {
		return 1
	}
	return d.Nodes()
}

// tooMany is told a network that has tried too many wrong codes.
func (d *Broker) tooMany(network string) *wire.Refusal {
	wait := d.wrong.Wait(network, wrongPerAddress, d.now())
	return &wire.Refusal{
		Code:       wire.RefusedThrottled,
		RetryAfter: int(wait.Seconds()) + 1,
		Message: fmt.Sprintf(
			"too many wrong codes: wait %s, then make a new code in the console",
			wait.Round(time.Second),
		),
	}
}

// wrongCode tells whether a code was none. One that is known and used or late counts,
// too: whoever tries codes learns nothing for free.
func wrongCode(err error) bool {
	return errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrUsed) || errors.Is(err, store.ErrExpired)
}

// begin sets the throttles up, once, so that the zero Broker is good.
func (d *Broker) begin() {
	d.wrong.Length, d.wrong.Bound = throttleWindow, d.Bounds.Of(throttle.Tries)
	d.shown.Length, d.shown.InAll, d.shown.Bound = throttleWindow, shownInAll, d.Bounds.Of(throttle.Codes)
}

// reply answers an agent: with an answer, or with why there is none.
func (d *Broker) reply(w http.ResponseWriter, answer any, err error) {
	if err != nil {
		status, refusal := d.refusal(err)
		d.refuse(w, status, refusal)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

var errProof = errors.New("the request is not proven")

// elsewhere is a request of an agent that knows the cloud by another URL than the cloud does: it
// would be paired, and then never be let in.
type elsewhere struct{ url string }

func (e elsewhere) Error() string {
	return fmt.Sprintf("cloud.url is %s, and the cloud does not know itself by that: write the one that people know,"+
		" or have ldap-cloud run with --url %s", e.url, e.url)
}

// check tells whether a request is proven, and of an agent that can be let in.
func (d *Broker) check(req wire.PairRequest) error {
	if err := req.Check(); err != nil {
		return fmt.Errorf("%w: %w", errProof, err)
	}
	if req.Cloud != "" && len(d.URLs) > 0 && !wire.KnownBy(d.URLs, req.Cloud) {
		return elsewhere{clip(req.Cloud)}
	}
	return nil
}

// redeem makes an instance of a proven request with a good code.
// The proof says that the agent holds both private keys. It is checked before the code
// is looked for, so that nothing is used up by who cannot use it.
func (d *Broker) redeem(ctx context.Context, req wire.PairRequest, address string) (a wire.PairAnswer, err error) {
	if err := d.check(req); err != nil {
		return a, err
	}
	i := store.Instance{
		ID:          uuid.NewString(),
		PublicKey:   req.PublicKey,
		SealKey:     req.SealKey,
		PairedFrom:  address,
		Fingerprint: wire.Fingerprint(req.PublicKey, req.SealKey),
		Hostname:    clip(req.Hostname),
		Software:    clip(req.Software),
	}
	p, err := d.Store.RedeemPairing(ctx, HashCode(req.Code), d.now(), &i)
	if err != nil {
		return a, err
	}
	g, err := d.Store.Gateway(ctx, p.EnvironmentID, p.GatewayID)
	if err != nil {
		return a, err
	}
	if err := d.paired(ctx, i, g, p.CreatedBy); err != nil {
		return a, err
	}
	return d.answer(ctx, i)
}

// answer is what an agent gets to know of the instance that it is now.
func (d *Broker) answer(ctx context.Context, i store.Instance) (a wire.PairAnswer, err error) {
	g, err := d.Store.Gateway(ctx, i.EnvironmentID, i.GatewayID)
	if err != nil {
		return a, err
	}
	env, err := d.Store.Environment(ctx, i.EnvironmentID)
	return wire.PairAnswer{
		Instance:    i.ID,
		Gateway:     g.ID,
		GatewayName: g.Name,
		Environment: env.Name,
		Fingerprint: i.Fingerprint,
	}, err
}

// paired records who paired an instance and from where.
func (d *Broker) paired(ctx context.Context, i store.Instance, g store.Gateway, by string) error {
	d.Logger.Info("instance paired", "gateway", g.ID, "instance", i.ID, "from", i.PairedFrom)
	return d.Store.AddActivity(ctx, store.Activity{
		EnvironmentID: i.EnvironmentID,
		At:            d.now(),
		Action:        "instance.paired",
		Actor:         by,
		Subject:       "instance:" + i.ID,
		Text:          fmt.Sprintf("%s was paired with gateway %s from %s, by %s", i.Hostname, g.Name, i.PairedFrom, by),
		Detail:        Facts(i),
	})
}

// Facts are what the activity of a pairing tells of the new instance.
func Facts(i store.Instance) map[string]any {
	return map[string]any{
		"gateway":     i.GatewayID,
		"fingerprint": i.Fingerprint,
		"pairedFrom":  i.PairedFrom,
		"hostname":    i.Hostname,
		"software":    i.Software,
	}
}

// clip bounds what an agent says of itself.
// In bytes: a character may be cut in two, and the store puts U+FFFD there.
func clip(s string) string {
	const most = 255
	if len(s) > most {
		return s[:most]
	}
	return s
}

// refusal turns an error into what the agent is told. What is nobody's fault but ours
// says nothing of itself.
func (d *Broker) refusal(err error) (int, *wire.Refusal) {
	again := "Make a new one in the console: Gateways, the gateway, Pair an instance."
	var other elsewhere
	switch {
	case errors.As(err, &other):
		return http.StatusBadRequest, &wire.Refusal{Code: wire.RefusedRequest, Message: other.Error()}
	case errors.Is(err, store.ErrNotFound):
		return http.StatusForbidden, &wire.Refusal{
			Code:    wire.RefusedCode,
			Message: "this code is not known: check it for typing mistakes. " + again,
		}
	case errors.Is(err, store.ErrUsed):
		return http.StatusForbidden, &wire.Refusal{
			Code:    wire.RefusedCode,
			Message: "this code was used already, and each works once. " + again,
		}
	case errors.Is(err, store.ErrExpired):
		return http.StatusForbidden, &wire.Refusal{
			Code:    wire.RefusedCode,
			Message: fmt.Sprintf("this code has expired: a code lives %s. ", Life) + again,
		}
	case errors.Is(err, errDenied):
		return http.StatusForbidden, &wire.Refusal{Code: wire.RefusedCode, Message: "an administrator has denied this code"}
	case errors.Is(err, errProof):
		return http.StatusBadRequest, &wire.Refusal{
			Code:    wire.RefusedRequest,
			Message: "the request's proof does not fit its keys: update ldap-gateway",
		}
	}
	d.Logger.Error("an instance could not be paired", "error", err)
	if errors.Is(err, store.ErrUnavailable) {
		return http.StatusServiceUnavailable, &wire.Refusal{
			Code:       wire.RefusedThrottled,
			RetryAfter: 2,
			Message:    "the cloud's database is away at this moment. Try again",
		}
	}
	return http.StatusInternalServerError, &wire.Refusal{
		Code:    wire.RefusedRequest,
		Message: "the cloud could not keep the instance: its log says why. Try again.",
	}
}

// refuse answers with a refusal that the agent knows by its code. The time lets it see
// that its clock is wrong.
func (d *Broker) refuse(w http.ResponseWriter, status int, r *wire.Refusal) {
	r.Time = d.now()
	w.Header().Set("Content-Type", "application/json")
	if r.RetryAfter > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(r.RetryAfter))
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(r)
}
