package installer_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// composed is compose.yaml as it runs, without a runtime of containers.
type composed struct {
	*boxes
	file  composeFile
	entry map[string]string // of an image
}

// TestCompose starts what compose.yaml says and does what it then says is left to do: Alice
// signs on. After a power cut all is as it was.
func TestCompose(t *testing.T) {
	c := &composed{newBoxes(t), readCompose(t), map[string]string{}}
	for _, name := range []string{"ldap-cloud", "ldap-gateway"} {
		_, c.entry[name] = c.build("containers/" + strings.TrimPrefix(name, "ldap-") + ".Containerfile")
	}
	c.makeDirectory()
	c.Run("sh", "-c", "echo 127.0.0.1 localhost cloud directory >/etc/hosts")
	said := c.up()
	commands := regexp.MustCompile(`(?m)^ +docker compose exec (\w+) (/.*)$`).FindAllStringSubmatch(said, -1)
	if len(commands) != 2 || commands[0][1] != "cloud" || commands[1][1] != "agent" {
		t.Fatalf("it says what is left to do in other words:\n%s", said)
	}
	out, err := c.exec("cloud", "", strings.Fields(commands[0][2])...)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b := c.browser()
	base := regexp.MustCompile(`search base (\S+);`).FindStringSubmatch(said)
	if base == nil {
		t.Fatalf("it does not say where people are:\n%s", said)
	}
	environment, code := b.setUp(out, base[1])
	if out, err = c.exec("agent", code, strings.Fields(commands[1][2])...); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	c.await("the agent is healthy", func() bool { return c.healthy("agent") })
	b.signOn(environment)

	c.Reboot()
	c.up()
	c.await("the agent is healthy again", func() bool { return c.healthy("agent") })
	c.browser().signOn(environment)
}

// makeDirectory has the machine itself be the image of the directory.
func (c *composed) makeDirectory() {
	c.t.Helper()
	b, err := os.ReadFile("containers/directory.Containerfile")
	if err != nil {
		c.t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^(COPY|RUN) (.*)$`).FindAllStringSubmatch(string(b), -1) {
		from, to, _ := strings.Cut(m[2], " ")
		switch {
		case m[1] == "COPY":
			files, _ := filepath.Glob(filepath.Join("..", from, "*"))
			for _, file := range append(files, filepath.Join("..", from)) {
				if info, err := os.Stat(file); err != nil || info.IsDir() {
					continue
				}
				content, err := os.ReadFile(file)
				if err != nil {
					c.t.Fatal(err)
				}
				if to == "/"+filepath.Base(from) {
					c.Write(filepath.Join(to, filepath.Base(file)), content, 0o644)
				} else {
					c.Write(to, content, 0o644)
				}
			}
		case strings.HasPrefix(m[2], "install "):
			c.Run("sh", "-euc", m[2])
		}
	}
}

// box returns a service as a container.
func (c *composed) box(name string) box {
	s := c.file.Services[name]
	b := box{image: "/", tmpfs: s.Tmpfs, args: s.Command}
	if program, ours := s.program(); ours {
		b.image = "/images/" + strings.TrimPrefix(program, "ldap-")
		b.args = append([]string{c.entry[program]}, s.Command...)
	}
	for _, v := range s.Volumes {
		parts := strings.Split(v, ":")
		from := "/volumes/" + parts[0]
		if file, here := strings.CutPrefix(parts[0], "./"); here {
			from = "/" + file // where the image of the directory has it too
		}
		b.mounts = append(b.mounts, mount{from, parts[1], len(parts) > 2})
	}
	return b
}

// up starts the services in their order, and returns what is left to do. A service that is
// not started again ends by itself.
func (c *composed) up() (said string) {
	c.t.Helper()
	for _, name := range c.file.order(c.t) {
		for other, on := range c.file.Services[name].DependsOn {
			if on.Condition == "service_healthy" {
				c.await(other+" is healthy", func() bool { return c.healthy(other) })
			}
		}
		b := c.box(name)
		if c.file.Services[name].Restart != "" {
			c.start(name, b)
			continue
		}
		out, err := c.try(b, b.args...)
		if err != nil {
			c.t.Fatalf("%s: %v\n%s", name, err, out)
		}
		said = out
	}
	return said
}

// exec runs a command in a container.
func (c *composed) exec(name, stdin string, args ...string) (string, error) {
	c.t.Helper()
	c.Write("/stdin", []byte(stdin+"\n"), 0o644)
	shell := []string{"sh", "-c", `exec "$@" </stdin`, "exec"}
	return c.Try(append(shell, c.box(name).command(args...)...)...)
}

// healthy runs the check of a service.
func (c *composed) healthy(name string) bool {
	c.t.Helper()
	test := c.file.Services[name].Healthcheck.Test
	if len(test) < 2 || test[0] != "CMD" {
		c.t.Fatalf("%s has no check", name)
	}
	_, err := c.try(c.box(name), test[1:]...)
	return err == nil
}

// browser is an administrator's or a person's, without a script.
type browser struct {
	*composed
	http.Client
}

// sampleURL is where the sample says that people find it.
const sampleURL = "https://localhost:8443"

func (c *composed) browser() *browser {
	c.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	ca, err := os.ReadFile(filepath.Join(c.Root(), "volumes/authority/ca.pem"))
	if err != nil {
		c.t.Fatal(err)
	}
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM(ca)
	return &browser{c, http.Client{Jar: jar, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: authorities},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return c.Dial(ctx, network, "127.0.0.1:8443")
		},
	}}}
}

// page returns what a request shows and where that is, redirects followed.
func (b *browser) page(resp *http.Response, err error) (text, at string) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= http.StatusBadRequest {
		b.t.Fatalf("%s: %s %v\n%s", resp.Request.URL, resp.Status, err, all)
	}
	return string(all), resp.Request.URL.Path
}

func (b *browser) post(path string, form url.Values) (text, at string) {
	b.t.Helper()
	return b.page(b.PostForm(sampleURL+path, form))
}

// setUp follows the link to the first password and does in the console what is left to do, with
// the search base that is said; it returns the environment and a code to pair by.
func (b *browser) setUp(said, base string) (environment, code string) {
	b.t.Helper()
	link := regexp.MustCompile(`(?m)^  ` + sampleURL + `/console/setup\?name=(\w+)#(\S+)$`).FindStringSubmatch(said)
	if link == nil {
		b.t.Fatalf("no link:\n%s", said)
	}
	password := []string{"a long password"}
	b.post("/console/setup", url.Values{
		"name":     {link[1]},
		"secret":   {link[2]},
		"password": password,
		"again":    password,
	})
	b.post("/console/sign-in", url.Values{"name": {link[1]}, "password": password})
	_, gateway := b.post("/console/gateways", url.Values{"name": {"Sample"}, "vendor": {"OpenLDAP"}})
	usual := url.Values{"usual": {"OpenLDAP"}, "name": {"People"}, "base": {base}}
	form, _ := b.page(b.Get(sampleURL + gateway + "/user-types/new?" + usual.Encode()))
	b.post(gateway+"/user-types", fields(b.t, form, gateway+"/user-types"))
	pairing, _ := b.post(gateway+"/pairings", nil)
	settings, _ := b.page(b.Get(sampleURL + "/console/settings"))
	found := regexp.MustCompile(`id="code">([^<]+)<`).FindStringSubmatch(pairing)
	at := regexp.MustCompile(sampleURL + `/([0-9a-f-]{36})/signon`).FindStringSubmatch(settings)
	if found == nil || at == nil {
		b.t.Fatalf("no code on the page, or no address among the settings:\n%s", pairing)
	}
	return at[1], found[1]
}

// fields returns what a browser would send of a form.
func fields(t *testing.T, page, action string) url.Values {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	all := url.Values{}
	for n := range root.Descendants() {
		if n.Data == "form" && attribute(n, "action") == action {
			for field := range n.Descendants() {
				addField(all, field)
			}
		}
	}
	return all
}

// addField adds what a browser would send of a field, if n is one.
func addField(all url.Values, n *html.Node) {
	chosen := stands(n, "checked") || stands(n, "selected")
	switch kind := attribute(n, "type"); {
	case n.Data == "textarea" && n.FirstChild != nil:
		all.Add(attribute(n, "name"), n.FirstChild.Data)
	case n.Data == "input" && (kind != "checkbox" && kind != "radio" || chosen):
		all.Add(attribute(n, "name"), attribute(n, "value"))
	case n.Data == "option" && chosen && n.Parent.Data == "select":
		all.Add(attribute(n.Parent, "name"), attribute(n, "value"))
	}
}

// attribute is one of a node; empty when it has none of that name.
func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// stands tells whether a node has an attribute.
func stands(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// signOn signs Alice on at the page of the environment.
func (b *browser) signOn(environment string) {
	b.t.Helper()
	page, _ := b.post("/"+environment+"/signon", url.Values{"username": {"alice"}, "password": {"wonderland"}})
	if !strings.Contains(page, "Alice") {
		b.t.Errorf("Alice is not signed on:\n%s", page)
	}
}
