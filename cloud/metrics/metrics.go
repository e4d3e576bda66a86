package metrics

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloudlink/wire"
)

// seconds are the buckets of durations: a sign-on waits for a directory.
// They end at 15, which is how long a sign-on may take in all.
var seconds = [...]float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15}

// Metrics counts. Safe for concurrent use.
// Each has a registry of its own, so that two nodes in one test do not meet.
type Metrics struct {
	registry    *prometheus.Registry
	signOns     *prometheus.CounterVec
	signOnTime  *prometheus.HistogramVec
	requests    *prometheus.CounterVec
	requestTime *prometheus.HistogramVec
}

// Node is what metrics are read of when they are asked for.
type Node struct {
	Version     string
	Links       func() []hub.Live                         // instances that are connected to any node
	Size        func(context.Context) (int64, error)      // of the database, in bytes
	Names       func(gateways []string) map[string]string // of gateways by their IDs; those unknown are left out
	Connections func() (open, closed int)                 // now, and closed for others since the start
	Bounds      *throttle.Bounds
}

// New returns the metrics of a node. Counters of sign-ons are there before the first, so
// that their rate is known from the start.
func New(n Node) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		signOns: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ldap_cloud_sign_ons_total",
			Help: "Sign-ons by method and outcome.",
		}, []string{"method", "outcome"}),
		signOnTime: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "ldap_cloud_sign_on_seconds",
			Help:    "Time that sign-ons took, by method.",
			Buckets: seconds[:],
		}, []string{"method"}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ldap_cloud_http_requests_total",
			Help: "HTTP requests by who answered, and status.",
		}, []string{"room", "status"}),
		requestTime: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "ldap_cloud_http_request_seconds",
			Help:    "Time that HTTP requests took, by who answered.",
			Buckets: seconds[:],
		},
			[]string{"room"}),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "ldap_cloud_info",
		Help:        "The version that runs.",
		ConstLabels: prometheus.Labels{"version": n.Version},
	})
	info.Set(1)
	m.registry.MustRegister(
		m.signOns,
		m.signOnTime,
		m.requests,
		m.requestTime,
		info,
		instances{n.Links, n.Names},
		database(n.Size),
		connections(n.Connections),
		refused{n.Bounds},
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	for o := wire.OutcomeOK; o.Known(); o++ {
		m.signOns.WithLabelValues(string(store.ByPassword), o.String())
	}
	for _, method := range []store.Method{store.ByKerberos, store.ByIDP} {
		m.signOns.WithLabelValues(string(method), store.SignedOnOK)
	}
	return m
}

// Handler answers in the Prometheus text format.
// It has no password: where it is served is the operator's choice, and nothing in it is
// of a person.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// SignOn counts a sign-on that was recorded.
// Only what was recorded is counted, so the sums of all nodes are the rows of the
// store.
func (m *Metrics) SignOn(so store.SignOn) {
	m.signOns.WithLabelValues(string(so.Method), so.Outcome).Inc()
	m.signOnTime.WithLabelValues(string(so.Method)).Observe(so.Duration.Seconds())
}

// instances counts the connected instances when it is asked.
// Every node shows those of all nodes: take the maximum over nodes, and no sum.
type instances struct {
	links func() []hub.Live
	names func(gateways []string) map[string]string
}

var instancesDesc = prometheus.NewDesc(
	"ldap_cloud_instances",
	"Connected instances by gateway, and whether something is known to be wrong with them.",
	[]string{"gateway", "name", "health"},
	nil,
)

// Describe implements prometheus.Collector.
func (instances) Describe(out chan<- *prometheus.Desc) { out <- instancesDesc }

// Collect implements prometheus.Collector.
func (i instances) Collect(out chan<- prometheus.Metric) {
	count, gateways := map[[2]string]int{}, []string{}
	for _, l := range i.links() {
		health := "degraded"
		if l.Healthy() {
			health = "healthy"
		}
		count[[2]string{l.Gateway, health}]++
	}
	for labels := range count {
		gateways = append(gateways, labels[0])
	}
	names := i.names(gateways)
	for labels, n := range count {
		gateway, health := labels[0], labels[1]
		out <- prometheus.MustNewConstMetric(
			instancesDesc, prometheus.GaugeValue, float64(n), gateway, names[gateway], health)
	}
}

// connections tells how many there are when it is asked.
type connections func() (open, closed int)

var (
	openDesc = prometheus.NewDesc("ldap_cloud_connections", "Connections that are open at this node.", nil, nil)
	shutDesc = prometheus.NewDesc(
		"ldap_cloud_connections_closed_total",
		"Connections that were closed for others, or could not be accepted, for want of room.",
		nil,
		nil,
	)
)

// Describe implements prometheus.Collector.
func (connections) Describe(out chan<- *prometheus.Desc) { out <- openDesc; out <- shutDesc }

// Collect implements prometheus.Collector.
func (c connections) Collect(out chan<- prometheus.Metric) {
	open, closed := c()
	out <- prometheus.MustNewConstMetric(openDesc, prometheus.GaugeValue, float64(open))
	out <- prometheus.MustNewConstMetric(shutDesc, prometheus.CounterValue, float64(closed))
}

// refused tells what every bound has refused.
type refused struct{ bounds *throttle.Bounds }

var refusedDesc = prometheus.NewDesc(
	"ldap_cloud_refused_total",
	"What was refused because a bound was reached, by which; SECURITY.md says what each bounds.",
	[]string{"bound"},
	nil,
)

// Describe implements prometheus.Collector.
func (refused) Describe(out chan<- *prometheus.Desc) { out <- refusedDesc }

// Collect implements prometheus.Collector.
func (r refused) Collect(out chan<- prometheus.Metric) {
	for _, k := range throttle.Kinds() {
		n := float64(r.bounds.Of(k).Total())
		out <- prometheus.MustNewConstMetric(refusedDesc, prometheus.CounterValue, n, k.String())
	}
}

// database tells how large the database is when it is asked.
type database func(context.Context) (int64, error)

var databaseDesc = prometheus.NewDesc(
	"ldap_cloud_database_bytes",
	"Size of the database, which all nodes share, with what is free in it.",
	nil,
	nil,
)

// sizeTime is how long the database may take to say how large it is.
const sizeTime = 2 * time.Second

// Describe implements prometheus.Collector.
func (database) Describe(out chan<- *prometheus.Desc) { out <- databaseDesc }

// Collect implements prometheus.Collector. Without an answer there is no such metric.
func (d database) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), sizeTime)
	defer cancel()
	if bytes, err := d(ctx); err == nil {
		out <- prometheus.MustNewConstMetric(databaseDesc, prometheus.GaugeValue, float64(bytes))
	}
}

// answer remembers the status of what is written through it.
type answer struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController, which streams and takes connections over.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// Requests counts the requests that h answers, and logs each under an ID that the
// answer has too. Room says who answers.
func (m *Metrics) Requests(logger hclog.Logger, room func(r *http.Request) string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, id, by := time.Now(), uuid.NewString(), room(r)
		w.Header().Set("X-Request-Id", id)
		r.Header.Set("X-Request-Id", id) // for what is noted of it, whatever the client called it
		a := &answer{ResponseWriter: w}
		defer func() {
			m.requests.WithLabelValues(by, strconv.Itoa(a.status)).Inc()
			if a.status >= http.StatusOK { // a link is no request that ends
				m.requestTime.WithLabelValues(by).Observe(time.Since(start).Seconds())
			}
			if logger.IsDebug() { // what is told of each costs more than to ask
				logger.Debug("request", "id", id, "method", r.Method, "path", r.URL.Path, "status", a.status,
					"took", time.Since(start), "from", r.RemoteAddr)
			}
		}()
		h.ServeHTTP(a, r)
	})
}
