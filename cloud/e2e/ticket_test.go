package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"ldap-gateway/directory/kdctest"
	"ldap-gateway/directory/sambatest"
)

// domain is a world with a real domain controller, whose people have tickets.
type domain struct {
	*world
	dc   *sambatest.Server
	site *site
}

const servicePassword = "Serv1ce.password"

// newDomain joins a domain and gives the gateway the service account's password.
func newDomain(t *testing.T) *domain {
	t.Helper()
	dc := sambatest.Start(t, sambatest.Config{})
	dc.AddService("svc-sso", servicePassword, "HTTP/127.0.0.1", "HTTP/localhost")
	s := sambaPeople(dc)
	w := newWorld(t, plan{at: &s.directory, update: true, change: func(u map[string]any) {
		activeDirectory(u)
		u["orderedCorrelationAttributes"] = []string{"objectGUID", "objectSid"}
	}})
	d := &domain{w, dc, s}
	d.takeTickets(map[string]any{
		"serviceAccountUserPrincipalName": "svc-sso@ad.example.test",
		"serviceAccountPassword":          servicePassword,
	})
	return d
}

// takeTickets changes how the gateway takes tickets.
func (w *world) takeTickets(kerberos map[string]any) {
	w.t.Helper()
	var g map[string]any
	w.must("GET", "/gateways/"+w.gateway, nil, &g)
	g["kerberos"] = kerberos
	w.must("PUT", "/gateways/"+w.gateway, g, nil)
}

// curl goes to an address with a ticket cache, as a browser of the domain would,
// and returns what it sees in the end.
func (w *world) curl(conf, cache, address string) string {
	w.t.Helper()
	jar := w.t.TempDir() + "/cookies"
	cmd := exec.Command("curl", "-sS", "--location-trusted", "--negotiate", "-u", ":", "-c", jar, "-b", jar, address)
	cmd.Env = append(os.Environ(), "KRB5_CONFIG="+conf, "KRB5CCNAME=FILE:"+cache)
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.t.Fatalf("curl: %v\n%s", err, out)
	}
	return string(out)
}

// signOnPage is the environment's, with a ticket asked for.
func (w *world) signOnPage() string { return w.url + "/" + w.api.Environment + "/signon?ticket=1" }

// newest returns the newest sign-on by ticket.
func (w *world) newest() (r signOn) {
	w.t.Helper()
	var list struct {
		Embedded struct{ SignOns []signOn } `json:"_embedded"`
	}
	w.must("GET", "/signOns?limit=5", nil, &list)
	for _, r = range list.Embedded.SignOns {
		if r.Method == "kerberos" {
			return r
		}
	}
	w.t.Fatal("there is no sign-on by ticket")
	return r
}

// TestTicketOpensAnApplication signs grace on without a form, in a real Chromium
// and with curl: her groups are those of the last sign-on by password, whatever
// the directory says meanwhile, and nothing is written but the sign-on.
func TestTicketOpensAnApplication(t *testing.T) {
	d := newDomain(t)
	a := d.application("Wiki", map[string]any{"askForTicket": true})
	cache := d.dc.Cache("grace", rightPassword)
	if page := d.curl(d.dc.ConfFile(), cache, a.url); !strings.Contains(page, "You are not known here yet") {
		t.Errorf("before she ever signed on by password: %s", page)
	}
	id := d.mustSignOn("grace", rightPassword).User.ID
	byPassword := d.groupDNs(id)
	before, _ := d.record(id)
	written, asked := d.countWrites(), len(d.agentLines("signOn="))

	d.site.modify(fmt.Sprintf("dn: %s\nchangetype: modify\ndelete: member\nmember: %s\n\ndn: %s\nchangetype: modify\nadd: member\nmember: %[2]s\n",
		d.site.groupDN("direct"), d.site.personDN("grace"), d.site.groupDN("spare")))
	chromium := browse(t, []string{"KRB5_CONFIG=" + d.dc.ConfFile(), "KRB5CCNAME=FILE:" + cache}, "auth-server-allowlist=127.0.0.1,localhost")
	chromium.at(a.url) // Chromium on Linux loads its library at the first challenge, and answers the second
	for name, page := range map[string]string{
		"Chromium": chromium.at(a.url),
		"curl":     d.curl(d.dc.ConfFile(), cache, a.url),
	} {
		l := learns(t, page)
		if l.Subject != id || fmt.Sprint(l.AMR) != "[wia]" || !strings.EqualFold(strings.Join(l.Groups, " "), byPassword) {
			t.Errorf("%s: %+v, by password %s", name, l, byPassword)
		}
	}
	so := d.newest()
	if so.Outcome != "ok" || so.Record.Updated || so.Membership != nil || so.User.ID != id {
		t.Errorf("%+v", so)
	}
	if did := d.activities(so.ID); len(did) != 1 || !strings.Contains(did["sign-on"][0], "method: kerberos, record not refreshed") {
		t.Errorf("%v", did)
	}
	after, _ := d.record(id)
	if n := written(); n != 0 || after != before {
		t.Errorf("%d rows were written: %+v, then %+v", n, before, after)
	}
	if now := len(d.agentLines("signOn=")); now != asked {
		t.Errorf("the agent was asked %d times", now-asked)
	}
	d.mustSignOn("grace", rightPassword)
	if l := learns(t, d.curl(d.dc.ConfFile(), cache, a.url)); !strings.EqualFold(strings.Join(l.Groups, " "), d.site.groupDN("spare")) {
		t.Errorf("after the next sign-on by password: %+v", l)
	}
}

// TestTicketNeedsNoAgent signs on with the agent and the directory's LDAP away.
func TestTicketNeedsNoAgent(t *testing.T) {
	d := newDomain(t)
	d.mustSignOn("grace", rightPassword)
	d.agents[0].stop()
	if page := d.curl(d.dc.ConfFile(), d.dc.Cache("grace", rightPassword), d.signOnPage()); !strings.Contains(page, "You are signed on") || !strings.Contains(page, "not refreshed") {
		t.Error(page)
	}
	if r := d.signOn("grace", rightPassword); r.Outcome != "directoryUnavailable" {
		t.Errorf("by password: %+v", r)
	}
}

// TestTicketsOfBefore changes the service account's password: old tickets are good
// while the keys before are retained, and both sets are shown.
func TestTicketsOfBefore(t *testing.T) {
	d := newDomain(t)
	d.mustSignOn("grace", rightPassword)
	cache := d.dc.Cache("grace", rightPassword)
	signsOn := func(cache string) bool {
		t.Helper()
		return strings.Contains(d.curl(d.dc.ConfFile(), cache, d.signOnPage()), "You are signed on")
	}
	if !signsOn(cache) {
		t.Fatal("the first ticket")
	}
	account := map[string]any{
		"serviceAccountUserPrincipalName":    "svc-sso@ad.example.test",
		"serviceAccountPassword":             servicePassword + "2",
		"minutesToRetainPreviousCredentials": 610,
	}
	d.takeTickets(account)
	d.site.modify(fmt.Sprintf("dn: CN=svc-sso,CN=Users,%s\nchangetype: modify\nreplace: unicodePwd\nunicodePwd:: %s\n-\n", sambatest.Suffix,
		base64.StdEncoding.EncodeToString([]byte(sambatest.UnicodePassword(servicePassword+"2")))))
	if !signsOn(cache) || !signsOn(d.dc.Cache("grace", rightPassword)) {
		t.Error("an old or a new ticket, while the keys of before are retained")
	}
	var keys struct {
		Embedded struct {
			Keys []struct {
				ID        string
				InUse     bool
				ExpiresAt time.Time
			} `json:"kerberosKeys"`
		} `json:"_embedded"`
	}
	d.must("GET", "/gateways/"+d.gateway+"/kerberosKeys", nil, &keys)
	if k := keys.Embedded.Keys; len(k) != 2 || !k[0].InUse || k[1].InUse || time.Until(k[1].ExpiresAt) < 600*time.Minute {
		t.Fatalf("%+v", k)
	}
	d.must("DELETE", "/gateways/"+d.gateway+"/kerberosKeys/"+keys.Embedded.Keys[1].ID, nil, nil)
	if signsOn(cache) || !signsOn(d.dc.Cache("grace", rightPassword)) {
		t.Error("an old ticket is taken when its keys are gone, or a new one is not")
	}
	if so := d.newest(); so.Outcome != "ok" {
		t.Errorf("%+v", so)
	}
}

// TestTicketOfAnMITRealm takes tickets of a realm that is not Active Directory's, for
// people of an OpenLDAP, and falls back to the form at once without one.
func TestTicketOfAnMITRealm(t *testing.T) {
	kdc := kdctest.Start(t, kdctest.Config{Principals: []kdctest.Principal{{
		Name:     "alice",
		Password: "a",
	}, {Name: "HTTP/localhost"}, {Name: "HTTP/127.0.0.1"}}})
	w := newWorld(t, plan{change: func(u map[string]any) { u["orderedCorrelationAttributes"] = []string{"entryUUID", "uid"} }})
	w.takeTickets(map[string]any{
		"principalAttribute": "uid",
		"principalValue":     "${principal}",
		"networks":           []string{"127.0.0.0/8"},
	})
	keytab, err := os.ReadFile(kdc.Keytab("HTTP/localhost", "HTTP/127.0.0.1"))
	must(t, err)
	w.must("POST", "/gateways/"+w.gateway+"/kerberosKeys", map[string]any{"keytab": keytab}, nil)
	id := w.mustSignOn("alice", "wonderland").User.ID
	page := w.url + "/" + w.api.Environment + "/signon" // its network asks by itself
	if seen := w.curl(kdc.ConfFile(), kdc.Cache("alice", "a"), page); !strings.Contains(seen, "You are signed on") || !strings.Contains(seen, "alice") {
		t.Error(seen)
	}
	if so := w.newest(); so.User.ID != id {
		t.Errorf("%+v", so)
	}
	resp, err := http.Get(page)
	must(t, err)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("WWW-Authenticate") != "Negotiate" || resp.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("a browser without a ticket: %s %v", resp.Status, resp.Header)
	}
	for header, why := range map[string]string{
		"Negotiate TlRMTVNTUAABAAAA":                "ntlm",
		"Negotiate YIIB":                            "malformed",
		"Negotiate " + strings.Repeat("A", 100<<10): "tooLarge",
	} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", page, nil)
		must(t, err)
		r.Header.Set("Authorization", header)
		resp, err := http.DefaultClient.Do(r)
		must(t, err)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK || resp.Header.Get("WWW-Authenticate") != "" {
			t.Errorf("%s: %s, asked again %q", why, resp.Status, resp.Header.Get("WWW-Authenticate"))
		}
		if did := w.activities(w.newest().ID); len(did["sign-on"]) != 1 || !strings.Contains(did["sign-on"][0], "("+why+")") {
			t.Errorf("%s: %v", why, did)
		}
	}
	test := w.curl(kdc.ConfFile(), kdc.Cache("alice", "a"), w.url+"/"+w.api.Environment+"/signon/ticket")
	if !strings.Contains(test, "would sign on alice") || !strings.Contains(test, "none in the ticket") {
		t.Error(test)
	}
}

// TestFormIsOneRoundTripAway shows the form to a browser that has no ticket.
func TestFormIsOneRoundTripAway(t *testing.T) {
	kdc := kdctest.Start(t, kdctest.Config{Principals: []kdctest.Principal{{Name: "HTTP/127.0.0.1"}}})
	w := newWorld(t, plan{})
	w.takeTickets(map[string]any{"networks": []string{"127.0.0.0/8"}})
	keytab, err := os.ReadFile(kdc.Keytab("HTTP/127.0.0.1"))
	must(t, err)
	w.must("POST", "/gateways/"+w.gateway+"/kerberosKeys", map[string]any{"keytab": keytab}, nil)
	a := w.application("Wiki", nil)
	for name, flags := range map[string][]string{"unlisted": nil, "listed": {"auth-server-allowlist=127.0.0.1"}} {
		browser := browse(t, []string{"KRB5_CONFIG=" + kdc.ConfFile(), "KRB5CCNAME=FILE:/nonexistent"}, flags...)
		if page := browser.at(a.url); !strings.Contains(page, "User name") {
			t.Fatalf("%s: %s", name, page)
		}
		if l := learns(t, browser.signOn("alice", "wonderland", "sub")); fmt.Sprint(l.AMR) != "[pwd]" {
			b, _ := json.Marshal(l)
			t.Errorf("%s: %s", name, b)
		}
	}
}
