package cloudlink_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"ldap-gateway/cloudlink"
	"ldap-gateway/cloudlink/cloudlinktest"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/directory/directorytest"
)

// weekly is the cloud's certificate, which lives a day and a half and is replaced
// each day.
type weekly struct {
	t         *testing.T
	authority *directorytest.Authority
	now       tls.Certificate
	day       int
	issued    int
}

func (w *weekly) current() *tls.Certificate {
	if day := time.Now().YearDay(); w.issued == 0 || day != w.day {
		c, err := w.authority.Issue([]string{"127.0.0.1"},
			func(c *x509.Certificate) { c.NotAfter = time.Now().Add(36 * time.Hour) })
		ok(w.t, err)
		w.now, w.day = c, day
		w.issued++
	}
	return &w.now
}

// TestAWeek runs seven days over TLS: heartbeats, a cut every 37 minutes, a node
// that leaves every six hours, new keys every day, a new certificate of the cloud
// every day, a sign-on now and then. Nothing is left behind.
func TestAWeek(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		authority, err := directorytest.NewAuthority()
		ok(t, err)
		cert := &weekly{t: t, authority: authority}
		f := start(
			t,
			&cloudlinktest.Cloud{Heartbeat: 30 * time.Second, Certs: cert.current},
			&slowHandler{},
			func(l *cloudlink.Link) {
				l.Client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{
					RootCAs:    authority.Pool,
					MinVersion: tls.VersionTLS12,
				}
			},
		)
		from, goroutines, heap := time.Now(), 0, uint64(0)
		for links := 1; time.Since(from) < 7*24*time.Hour; links++ {
			c := f.cloud.AwaitLink(t)
			time.Sleep(37 * time.Minute)
			if r := result(t, <-ask(t, c, "1", time.Minute)); r.Outcome != wire.OutcomeOK {
				t.Fatalf("link %d: %+v", links, r)
			}
			if links%40 == 0 {
				ok(t, f.link.Rotate(t.Context(), wire.Rotate{PublicKey: []byte{1}}))
				<-c.Rotations
			}
			if links == 20 { // caches are full by then
				goroutines, heap = runtime.NumGoroutine(), heapInUse()
			}
			if links%10 == 0 {
				_ = c.Send(wire.KindGoingAway, 0, 0, wire.GoingAway{})
			} else {
				c.Cut()
			}
		}
		f.cloud.AwaitLink(t)
		synctest.Wait()
		if n := runtime.NumGoroutine() - goroutines; n > 10 {
			t.Errorf("%d goroutines more than after the first hours", n)
		}
		if now := heapInUse(); now > heap+2<<20 {
			t.Errorf("the heap grew from %d to %d KiB", heap>>10, now>>10)
		}
		if cert.issued < 7 {
			t.Errorf("%d certificates", cert.issued)
		}
		f.stop()
		time.Sleep(time.Minute) // TLS says goodbye on a pipe that nobody reads
	})
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
