package installer_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// chart is installer/helm, rendered without Helm: TestChartByHelm compares both.
type chart struct {
	t         testing.TB
	about     map[string]any
	values    map[string]any
	schema    *jsonschema.Schema
	templates *template.Template
}

// readYAML reads a file of the chart.
func readYAML(t testing.TB, name string) (content map[string]any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("helm", name))
	if err == nil {
		err = yaml.Unmarshal(b, &content)
	}
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// readChart reads all of it.
func readChart(t testing.TB) *chart {
	t.Helper()
	c := &chart{t: t, about: readYAML(t, "Chart.yaml"), values: readYAML(t, "values.yaml")}
	var err error
	if c.schema, err = jsonschema.NewCompiler().Compile("helm/values.schema.json"); err != nil {
		t.Fatal(err)
	}
	c.templates = template.New("chart").Option("missingkey=error")
	c.templates.Funcs(c.functions())
	files, err := filepath.Glob("helm/templates/*")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		template.Must(c.templates.New(filepath.Base(file)).Parse(string(b)))
	}
	return c
}

// functions are those of Helm that the templates call.
func (c *chart) functions() template.FuncMap {
	indent := func(n int, text string) string {
		blanks := strings.Repeat(" ", n)
		return blanks + strings.ReplaceAll(text, "\n", "\n"+blanks)
	}
	return template.FuncMap{
		"include": func(name string, data any) (string, error) {
			var b strings.Builder
			err := c.templates.ExecuteTemplate(&b, name, data)
			return b.String(), err
		},
		"nindent": func(n int, text string) string { return "\n" + indent(n, text) },
		"toYaml": func(v any) (string, error) {
			b, err := yaml.Marshal(v)
			return strings.TrimSuffix(string(b), "\n"), err
		},
		"quote": func(v any) string { return fmt.Sprintf("%q", fmt.Sprint(v)) },
		"default": func(otherwise, v string) string {
			if v == "" {
				return otherwise
			}
			return v
		},
		"fail":            func(text string) (string, error) { return "", errors.New(text) },
		"int":             func(n int) int { return n },
		"trunc":           func(n int, text string) string { return text[:min(n, len(text))] },
		"trimSuffix":      func(end, text string) string { return strings.TrimSuffix(text, end) },
		"replace":         func(old, with, text string) string { return strings.ReplaceAll(text, old, with) },
		"regexReplaceAll": func(p, text, with string) string { return regexp.MustCompile(p).ReplaceAllString(text, with) },
	}
}

// merged lays values over others, as Helm does with those of a file.
func merged(under, over map[string]any) map[string]any {
	all := maps.Clone(under)
	for name, v := range over {
		inner, is := v.(map[string]any)
		before, was := all[name].(map[string]any)
		if is && was {
			v = merged(before, inner)
		}
		all[name] = v
	}
	return all
}

// render returns the objects that the chart makes, and its notes. Its error is in the words
// that people get.
func (c *chart) render(release, values string) (objects []map[string]any, notes string, err error) {
	c.t.Helper()
	var over map[string]any
	if err := yaml.Unmarshal([]byte(values), &over); err != nil {
		c.t.Fatal(err)
	}
	all := merged(c.values, over)
	asJSON, err := json.Marshal(all)
	if err != nil {
		c.t.Fatal(err)
	}
	checked, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.schema.Validate(checked); err != nil {
		return nil, "", err
	}
	data := map[string]any{
		"Values":  all,
		"Release": map[string]any{"Name": release, "Namespace": "identity", "Service": "Helm"},
		"Chart": map[string]any{
			"Name":       c.about["name"],
			"Version":    c.about["version"],
			"AppVersion": c.about["appVersion"],
		},
	}
	for _, t := range c.templates.Templates() {
		var b bytes.Buffer
		switch filepath.Ext(t.Name()) {
		case ".yaml":
			if err := t.Execute(&b, data); err != nil {
				return nil, "", err
			}
			objects = append(objects, decoded(c.t, b.Bytes())...)
		case ".txt":
			if err := t.Execute(&b, data); err != nil {
				return nil, "", err
			}
			notes = b.String()
		}
	}
	slices.SortFunc(objects, byKind)
	return objects, notes, nil
}

// byKind orders objects, of which there is one of each kind.
func byKind(a, b map[string]any) int {
	return strings.Compare(fmt.Sprint(a["kind"]), fmt.Sprint(b["kind"]))
}

// decoded returns the objects of a text in YAML.
func decoded(t testing.TB, text []byte) (all []map[string]any) {
	t.Helper()
	for d := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var object map[string]any
		switch err := d.Decode(&object); {
		case err == io.EOF:
			return all
		case err != nil:
			t.Fatalf("%v\n%s", err, text)
		case object != nil:
			all = append(all, object)
		}
	}
}

// mustRender wants no error.
func (c *chart) mustRender(release, values string) (objects []map[string]any, notes string) {
	c.t.Helper()
	objects, notes, err := c.render(release, values)
	if err != nil {
		c.t.Fatalf("%v, of\n%s", err, values)
	}
	return objects, notes
}

// The least that it takes, on SQLite and on PostgreSQL.
const (
	least = "url: https://id.example.com\ntls: {secretName: id-tls}\nmasterKey: {secretName: master-key}\n"
	many  = least + "replicas: 3\ndatabase: {secretName: postgres}\nnats: {secretName: nats}\n"
)

// charts are values of every kind, with the kinds of objects that they make.
func charts() map[string]struct{ values, kinds string } {
	return map[string]struct{ values, kinds string }{
		"least": {least, "NetworkPolicy Service StatefulSet"},
		"many":  {many, "Deployment NetworkPolicy PodDisruptionBudget Service"},
		"one node on PostgreSQL": {
			least + "database: {secretName: postgres}\n",
			"Deployment NetworkPolicy Service",
		},
		"a certificate by cert-manager": {
			"url: https://id.example.com:8443\nurls: ['https://cloud.identity.svc']\nmasterKey: {secretName: k}\n" +
				"tls: {issuer: {name: letsencrypt, kind: ClusterIssuer}}\n",
			"Certificate NetworkPolicy Service StatefulSet",
		},
		"an ingress": {
			least + "ingress: {enabled: true, className: nginx, tlsSecretName: front,\n" +
				"  annotations: {nginx.ingress.kubernetes.io/backend-protocol: HTTPS}}\n" +
				"trustedProxies: [10.0.0.0/8, 'fd00::/8']\n",
			"Ingress NetworkPolicy Service StatefulSet",
		},
		"measured": {
			many + "metrics: {enabled: true, serviceMonitor: {enabled: true, labels: {release: prometheus}}}\n" +
				"networkPolicy: {from: [{ipBlock: {cidr: 10.0.0.0/8}}], metricsFrom: [{namespaceSelector: {}}]}\n",
			"Deployment NetworkPolicy PodDisruptionBudget Service ServiceMonitor",
		},
		"open to the cluster": {least + "networkPolicy: {enabled: false}\n", "Service StatefulSet"},
		"all that there is": {
			least + `urls: ["https://other.example.com"]
image: {repository: ghcr.io/somebody/ldap-cloud, tag: 0.2.0, pullPolicy: Always}
imagePullSecrets: [{name: registry}]
persistence: {size: 10Gi, storageClass: fast}
service: {type: LoadBalancer, port: 8443, annotations: {a: b}}
extraArgs: ["--smtp=mail:25", "--mail-from=o'b@example.com", "--audit-secret-file=/run/secrets/audit/key"]
extraSecrets: [audit, other]
grace: 0s
resources: {limits: {memory: 1Gi, cpu: "2"}}
podAnnotations: {note: 'with: a colon'}
nodeSelector: {kubernetes.io/os: linux}
tolerations: [{key: dedicated, operator: Exists}]
affinity: {nodeAffinity: {}}
`, "NetworkPolicy Service StatefulSet"},
	}
}

// TestChartMakesObjects renders each of them.
func TestChartMakesObjects(t *testing.T) {
	c := readChart(t)
	for name, row := range charts() {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			objects, notes := c.mustRender("ldap-cloud", row.values)
			var kinds []string
			for _, o := range objects {
				kinds = append(kinds, o["kind"].(string))
			}
			if got := strings.Join(kinds, " "); got != row.kinds {
				t.Errorf("it makes %s, not %s", got, row.kinds)
			}
			checkObjects(t, objects)
			if !strings.Contains(notes, "https://id.example.com") || !strings.Contains(notes, "administrator reset admin") {
				t.Errorf("no next step in the notes:\n%s", notes)
			}
		})
	}
}

// TestChartNames are of a release, and short enough for every object.
func TestChartNames(t *testing.T) {
	c := readChart(t)
	for release, want := range map[string]string{
		"ldap-cloud":            "ldap-cloud",
		"prod":                  "prod-ldap-cloud",
		strings.Repeat("x", 53): strings.Repeat("x", 52),
	} {
		objects, _ := c.mustRender(release, least)
		for _, o := range objects {
			if got := o["metadata"].(map[string]any)["name"]; got != want {
				t.Errorf("%s: %s", o["kind"], got)
			}
		}
	}
}

// TestChartIsOfThisVersion: who installs it gets the program of the same source.
func TestChartIsOfThisVersion(t *testing.T) {
	b, err := os.ReadFile("../cloud/version.go")
	if err != nil {
		t.Fatal(err)
	}
	about := readYAML(t, "Chart.yaml")
	want := `var release = "` + about["appVersion"].(string) + `"`
	if about["version"] != about["appVersion"] || !strings.Contains(string(b), want) {
		t.Errorf("%v is not what cloud/version.go says", about)
	}
}

// refusals are values that cannot be, with words of the refusal.
func refusals() map[string]string {
	return map[string]string{
		"": "/url",
		"url: https://id.example.com\nmasterKey: {secretName: k}\n":            "tls.secretName",
		"url: https://id.example.com\ntls: {secretName: k}\n":                  "masterKey.secretName",
		least + "replicas: 2\n":                                                "SQLite is for one",
		least + "replicas: 2\ndatabase: {secretName: postgres}\n":              "nats.secretName",
		least + "replicas: 2\nnats: {secretName: nats}\n":                      "database.secretName",
		least + "metrics: {serviceMonitor: {enabled: true}}\n":                 "metrics.enabled",
		strings.Replace(least, "https", "http", 1):                             "/url",
		strings.Replace(least, "example.com", "example.com/path", 1):           "/url",
		strings.Replace(least, "//id", "//user@id", 1):                         "/url",
		least + "replicas: 0\n":                                                "/replicas",
		least + "replicas: 1.5\n":                                              "/replicas",
		least + "replicas: two\n":                                              "/replicas",
		least + "replica: 2\n":                                                 "replica",
		least + "image: {name: x}\n":                                           "/image",
		least + "image: {pullPolicy: Sometimes}\n":                             "/image/pullPolicy",
		least + "database: {url: 'postgres://u:p@h/d'}\n":                      "/database",
		least + "service: {type: ExternalName}\n":                              "/service/type",
		least + "service: {port: 0}\n":                                         "/service/port",
		least + "trustedProxies: [proxy]\n":                                    "/trustedProxies",
		least + "trustedProxies: 10.0.0.0/8\n":                                 "/trustedProxies",
		least + "extraArgs: [--listen=0.0.0.0:80]\n":                           "/extraArgs",
		least + "extraArgs: ['--data', '/tmp']\n":                              "/extraArgs",
		least + "extraArgs: [smtp=mail]\n":                                     "/extraArgs",
		least + "extraSecrets: [Audit]\n":                                      "/extraSecrets",
		least + "extraSecrets: [a, a]\n":                                       "/extraSecrets",
		least + "persistence: {size: 1 GB}\n":                                  "/persistence/size",
		least + "grace: 40s\n":                                                 "/grace",
		least + "grace: 5\n":                                                   "/grace",
		least + "ingress: {enabled: 'yes'}\n":                                  "/ingress/enabled",
		least + "networkPolicy: {from: {}}\n":                                  "/networkPolicy/from",
		"url: https://a\nmasterKey: {secretName: k}\ntls: {issuer: {kind: X}}": "/tls/issuer/kind",
	}
}

// TestChartRefuses what cannot be, before anything is made.
func TestChartRefuses(t *testing.T) {
	c := readChart(t)
	for values, want := range refusals() {
		if _, _, err := c.render("ldap-cloud", values); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, not %v, of\n%s", want, err, values)
		}
	}
}
