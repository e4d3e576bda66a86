package installer_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/cloud/handbook"
)

// workload is what keeps pods running, as far as the chart may say it: what else stands there is
// a mistake.
type workload struct {
	Replicas int
	Selector struct {
		MatchLabels map[string]string `json:"matchLabels"`
	}
	Template struct {
		Metadata struct{ Labels map[string]string }
		Spec     pod
	}
}

// pod is a pod of the chart.
type pod struct {
	Automount       *bool `json:"automountServiceAccountToken"`
	GracePeriod     int   `json:"terminationGracePeriodSeconds"`
	SecurityContext struct {
		RunAsNonRoot   bool                  `json:"runAsNonRoot"`
		FSGroup        int                   `json:"fsGroup"`
		SeccompProfile struct{ Type string } `json:"seccompProfile"`
	} `json:"securityContext"`
	InitContainers []container `json:"initContainers"`
	Containers     []container
	Volumes        []struct {
		Name     string
		EmptyDir *struct{} `json:"emptyDir"`
		Secret   *struct {
			SecretName  string `json:"secretName"`
			DefaultMode int    `json:"defaultMode"`
		}
	}
}

// container is one of its containers.
type container struct {
	Name, Image     string
	Args            []string
	SecurityContext struct {
		Escalation   *bool `json:"allowPrivilegeEscalation"`
		ReadOnly     bool  `json:"readOnlyRootFilesystem"`
		Privileged   bool
		Capabilities struct{ Add, Drop []string }
	} `json:"securityContext"`
	Ports []struct {
		Name          string
		ContainerPort int `json:"containerPort"`
	}
	Startup      *probe `json:"startupProbe"`
	Liveness     *probe `json:"livenessProbe"`
	Readiness    *probe `json:"readinessProbe"`
	VolumeMounts []struct {
		Name      string
		MountPath string `json:"mountPath"`
		ReadOnly  bool   `json:"readOnly"`
	} `json:"volumeMounts"`
}

// probe asks a container how it is.
type probe struct {
	HTTPGet struct{ Path, Port, Scheme string } `json:"httpGet"`
}

// into decodes a part of an object into what a test looks at.
func into(t testing.TB, part, out any) {
	t.Helper()
	b, err := json.Marshal(part)
	if err == nil {
		err = json.Unmarshal(b, out)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// workloadOf returns the one that a chart makes.
func workloadOf(t testing.TB, objects []map[string]any) (kind string, w workload) {
	t.Helper()
	for _, o := range objects {
		if kind = o["kind"].(string); kind == "Deployment" || kind == "StatefulSet" {
			into(t, o["spec"], &w)
			return kind, w
		}
	}
	t.Fatal("nothing runs")
	return "", w
}

// checkObjects has the objects of a chart fit each other and the program.
func checkObjects(t *testing.T, objects []map[string]any) {
	t.Helper()
	kind, w := workloadOf(t, objects)
	if kind == "StatefulSet" && w.Replicas != 1 {
		t.Errorf("%d nodes on SQLite", w.Replicas)
	}
	labels := w.Template.Metadata.Labels
	mustSelect(t, kind, w.Selector.MatchLabels, labels)
	checkRestricted(t, w.Template.Spec)
	checkVolumes(t, kind, w.Template.Spec)
	checkFlags(t, "init", w.Template.Spec.InitContainers[0].Args)
	checkFlags(t, "run", w.Template.Spec.Containers[0].Args)
	ports := portsOf(w.Template.Spec.Containers[0])
	for _, o := range objects {
		var s struct {
			Selector    json.RawMessage
			PodSelector struct {
				MatchLabels map[string]string `json:"matchLabels"`
			} `json:"podSelector"`
			Ports []struct {
				TargetPort string `json:"targetPort"`
			}
			Ingress []struct{ Ports []struct{ Port string } }
		}
		switch o["kind"] {
		case "Service":
			var selector map[string]string
			into(t, o["spec"], &s)
			into(t, s.Selector, &selector)
			mustSelect(t, "Service", selector, labels)
			for _, p := range s.Ports {
				mustHave(t, "Service", ports, p.TargetPort)
			}
		case "NetworkPolicy":
			into(t, map[string]any{
				"podSelector": o["spec"].(map[string]any)["podSelector"],
				"ingress":     o["spec"].(map[string]any)["ingress"],
			}, &s)
			mustSelect(t, "NetworkPolicy", s.PodSelector.MatchLabels, labels)
			for _, rule := range s.Ingress {
				for _, p := range rule.Ports {
					mustHave(t, "NetworkPolicy", ports, p.Port)
				}
			}
		case "PodDisruptionBudget":
			var b struct {
				Selector struct {
					MatchLabels map[string]string `json:"matchLabels"`
				}
			}
			into(t, o["spec"], &b)
			mustSelect(t, "PodDisruptionBudget", b.Selector.MatchLabels, labels)
		}
	}
}

// mustSelect fails the test when a selector takes every pod, or not ours.
func mustSelect(t *testing.T, who string, selector, labels map[string]string) {
	t.Helper()
	if len(selector) < 2 {
		t.Errorf("%s selects by %v", who, selector)
	}
	for name, value := range selector {
		if labels[name] != value {
			t.Errorf("%s selects %s=%s, and the pod has %q", who, name, value, labels[name])
		}
	}
}

func mustHave(t *testing.T, who string, ports []string, port string) {
	t.Helper()
	if !slices.Contains(ports, port) {
		t.Errorf("%s names the port %q, and there are %q", who, port, ports)
	}
}

// portsOf are the names of a container's ports.
func portsOf(c container) (names []string) {
	for _, p := range c.Ports {
		names = append(names, p.Name)
	}
	return names
}

// checkRestricted holds the restricted level of the Pod Security Standards, and a read-only root.
func checkRestricted(t *testing.T, p pod) {
	t.Helper()
	if !p.SecurityContext.RunAsNonRoot || p.SecurityContext.SeccompProfile.Type != "RuntimeDefault" ||
		p.Automount == nil || *p.Automount {
		t.Errorf("the pod may too much: %+v", p.SecurityContext)
	}
	if len(p.InitContainers) != 1 || len(p.Containers) != 1 {
		t.Fatalf("%d and %d containers", len(p.InitContainers), len(p.Containers))
	}
	for _, c := range slices.Concat(p.InitContainers, p.Containers) {
		s := c.SecurityContext
		if s.Escalation == nil || *s.Escalation || !s.ReadOnly || s.Privileged ||
			!slices.Equal(s.Capabilities.Drop, []string{"ALL"}) || len(s.Capabilities.Add) > 0 {
			t.Errorf("%s may too much: %+v", c.Name, s)
		}
	}
	for _, ask := range []*probe{p.Containers[0].Startup, p.Containers[0].Liveness, p.Containers[0].Readiness} {
		if ask == nil || ask.HTTPGet.Scheme != "HTTPS" {
			t.Fatalf("%s is not asked how it is", p.Containers[0].Name)
		}
		mustHave(t, "a probe", portsOf(p.Containers[0]), ask.HTTPGet.Port)
	}
	if grace := p.GracePeriod; grace < 39+10+5 {
		t.Errorf("a node is killed after %d seconds", grace)
	}
}

// checkVolumes has every mount be of a volume, every volume be mounted, and every file that
// a flag names be in one.
func checkVolumes(t *testing.T, kind string, p pod) {
	t.Helper()
	var there, mounted []string
	if kind == "StatefulSet" {
		there = append(there, "data")
	}
	for _, v := range p.Volumes {
		there = append(there, v.Name)
		if s := v.Secret; (s == nil) == (v.EmptyDir == nil) || s != nil && (s.SecretName == "" || s.DefaultMode != 0o440) {
			t.Errorf("the volume %+v", v)
		}
	}
	for _, c := range slices.Concat(p.InitContainers, p.Containers) {
		var paths []string
		for _, m := range c.VolumeMounts {
			mounted, paths = append(mounted, m.Name), append(paths, m.MountPath)
			if writes := m.Name == "tmp" || m.Name == "data"; m.ReadOnly == writes {
				t.Errorf("%s: %+v", c.Name, m)
			}
		}
		for _, arg := range c.Args {
			_, path, _ := strings.Cut(arg, "=")
			in := func(folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }
			if strings.HasPrefix(path, "/") && !slices.ContainsFunc(paths, in) {
				t.Errorf("%s: %s is in none of %q", c.Name, arg, paths)
			}
		}
	}
	slices.Sort(there)
	slices.Sort(mounted)
	if mounted = slices.Compact(mounted); !slices.Equal(there, mounted) {
		t.Errorf("the volumes %q, of which %q are mounted", there, mounted)
	}
}

// checkFlags looks up each flag in what the program says of the command, which the handbook has.
func checkFlags(t *testing.T, command string, args []string) {
	t.Helper()
	page, _ := handbook.Source("ldap-cloud")
	_, section, _ := strings.Cut(page, "\n## ldap-cloud "+command+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	if len(args) == 0 || args[0] != command {
		t.Fatalf("%q runs no %s", args, command)
	}
	for _, arg := range args[1:] {
		flag, _, _ := strings.Cut(arg, "=")
		if !regexp.MustCompile(`(?m)^ +(-., )?` + flag + ` `).MatchString(section) {
			t.Errorf("%s: %s is no flag", command, arg)
		}
	}
}
