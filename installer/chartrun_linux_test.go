package installer_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// onCluster is a node of the chart as a cluster would run it.
type onCluster struct {
	*boxes
	pod   pod
	image string
	entry string
}

// TestChartRuns runs the pod of the chart: init before each start, then the program until the
// probes are answered, and what the notes say next.
func TestChartRuns(t *testing.T) {
	for name, values := range map[string]string{
		"SQLite":     least + "metrics: {enabled: true}\n",
		"PostgreSQL": least + "metrics: {enabled: true}\ndatabase: {secretName: postgres}\n",
	} {
		t.Run(name, func(t *testing.T) {
			objects, notes := readChart(t).mustRender("ldap-cloud", values)
			_, w := workloadOf(t, objects)
			c := &onCluster{boxes: newBoxes(t), pod: w.Template.Spec}
			c.image, c.entry = c.build("containers/cloud.Containerfile")
			c.secrets(name == "PostgreSQL")
			first, program := c.box(c.pod.InitContainers[0]), c.box(c.pod.Containers[0])
			for _, want := range []string{"A cloud was made", "There is a cloud already"} {
				if out, err := c.try(first, first.args...); err != nil || !strings.HasPrefix(out, want) {
					t.Fatalf("want %q, not %v: %s", want, err, out)
				}
			}
			c.start("cloud", program)
			for _, ask := range []*probe{c.pod.Containers[0].Startup, c.pod.Containers[0].Readiness} {
				c.await(ask.HTTPGet.Path+" is answered", func() bool { return c.answers("https", ask) })
			}
			measured := &probe{}
			measured.HTTPGet.Port, measured.HTTPGet.Path = "metrics", "/metrics"
			if !c.answers("http", measured) {
				t.Error("there are no metrics")
			}
			c.remembers()
			c.next(program, notes)
		})
	}
}

// secrets makes those that the chart names, as a cluster shows them to a pod: of root, to be
// read by the group of the pod.
func (c *onCluster) secrets(postgres bool) {
	c.t.Helper()
	c.Run("sh", "-euc", `mkdir -p /secrets/id-tls /secrets/master-key /secrets/postgres
install -d -m 2770 -g 65532 /volumes/data # as fsGroup makes a volume
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=id.example.com \
  -keyout /secrets/id-tls/tls.key -out /secrets/id-tls/tls.crt 2>&1
openssl rand -base64 32 >/secrets/master-key/master.key
echo 'postgres://ldap-cloud@127.0.0.1:5432/postgres?sslmode=disable' >/secrets/postgres/url
chgrp -R 65532 /secrets; chmod 0440 /secrets/*/*`)
	if !postgres {
		return
	}
	c.Run("sh", "-euc", `bin=$(ls -d /usr/lib/postgresql/*/bin | head -n 1)
install -d -o postgres /pg; cd /pg
runuser -u postgres -- $bin/initdb --auth=trust -U ldap-cloud -D /pg/data
runuser -u postgres -- $bin/pg_ctl -D /pg/data -l /pg/log -w -o '-c unix_socket_directories=/pg' start </dev/null`)
}

// box returns a container of the pod.
func (c *onCluster) box(of container) box {
	from := map[string]mount{"data": {from: "/volumes/data"}}
	for _, v := range c.pod.Volumes {
		if v.Secret != nil {
			from[v.Name] = mount{from: "/secrets/" + v.Secret.SecretName}
		}
	}
	b := box{image: c.image, args: append([]string{c.entry}, of.Args...)}
	for _, m := range of.VolumeMounts {
		if v, ok := from[m.Name]; ok {
			b.mounts = append(b.mounts, mount{v.from, m.MountPath, m.ReadOnly})
		} else {
			b.tmpfs = append(b.tmpfs, m.MountPath)
		}
	}
	return b
}

// answers asks as a cluster does, which believes every certificate.
func (c *onCluster) answers(scheme string, ask *probe) bool {
	port := ""
	for _, p := range c.pod.Containers[0].Ports {
		if p.Name == ask.HTTPGet.Port {
			port = strconv.Itoa(p.ContainerPort)
		}
	}
	client := http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return c.Dial(ctx, network, address)
		},
	}}
	defer client.CloseIdleConnections()
	resp, err := client.Get(scheme + "://127.0.0.1:" + port + ask.HTTPGet.Path)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err == nil && resp.StatusCode == http.StatusOK
}

// remembers compares what the program takes with what the chart asks a cluster for.
func (c *onCluster) remembers() {
	c.t.Helper()
	kept := readYAML(c.t, "values.yaml")["resources"].(map[string]any)["requests"].(map[string]any)["memory"].(string)
	mostMiB, err := strconv.Atoi(strings.TrimSuffix(kept, "Mi"))
	if err != nil {
		c.t.Fatal(err)
	}
	out := c.Run("sh", "-c", "cat /proc/$(pgrep -xo ldap-cloud)/status")
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindStringSubmatch(out)
	if m == nil {
		c.t.Fatalf("it does not run:\n%s", out)
	}
	if kB, _ := strconv.Atoi(m[1]); kB > mostMiB<<10 {
		c.t.Errorf("at rest it takes %d kB, and the chart asks for %s", kB, kept)
	}
}

// next does what the notes say.
func (c *onCluster) next(program box, notes string) {
	c.t.Helper()
	m := regexp.MustCompile(`(?m)^  kubectl --namespace identity exec (\w+)/ldap-cloud --container ldap-cloud -- (.*)$`).
		FindStringSubmatch(notes)
	if m == nil {
		c.t.Fatalf("the notes say something else:\n%s", notes)
	}
	out, err := c.try(program, strings.Fields(m[2])...)
	if err != nil || !strings.Contains(out, "  https://id.example.com/console/setup?name=admin#") {
		c.t.Errorf("%v: %s", err, out)
	}
}
