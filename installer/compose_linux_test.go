package installer_test

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// composeFile is installer/containers/compose.yaml, as far as a service is one of ours:
// what else stands there is a mistake.
type composeFile struct {
	Services map[string]composeService
	Volumes  map[string]struct{}
	More     map[string]any `yaml:",inline"` // parts that services share
}

// composeService is one of its services.
type composeService struct {
	Image       string
	Build       struct{ Context, Dockerfile string }
	Command     []string
	User        string
	ReadOnly    bool     `yaml:"read_only"`
	Tmpfs       []string `yaml:"tmpfs"`
	CapDrop     []string `yaml:"cap_drop"`
	SecurityOpt []string `yaml:"security_opt"`
	Restart     string
	StopGrace   string                                `yaml:"stop_grace_period"`
	DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
	Ports       []string
	Volumes     []string
	Healthcheck struct {
		Test     []string
		Interval string
		Retries  int
	}
}

// readCompose returns the file as it stands, without anything that is not known.
func readCompose(t *testing.T) (c composeFile) {
	t.Helper()
	b, err := os.ReadFile("containers/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	known := yaml.NewDecoder(bytes.NewReader(b))
	known.KnownFields(true)
	if err := known.Decode(&c); err != nil {
		t.Fatal(err)
	}
	return c
}

// program is the name of the program of an image; false when it is none of ours.
func (s composeService) program() (string, bool) {
	m := regexp.MustCompile(`^\$\{REGISTRY:-localhost\}/(ldap-(?:cloud|gateway)):\$\{VERSION:-latest\}$`).
		FindStringSubmatch(s.Image)
	if m == nil {
		return "", false
	}
	return m[1], true
}

// TestComposeIsConfined reads what services may do: nothing as root, nothing that they do
// not need, and every volume of theirs is one that is kept.
func TestComposeIsConfined(t *testing.T) {
	c := readCompose(t)
	used := map[string]bool{}
	at := map[string]string{} // where a volume is
	for name, s := range c.Services {
		if s.User != "65532:65532" || !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) ||
			!slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}) {
			t.Errorf("%s is not confined: %+v", name, s)
		}
		for _, p := range s.Ports {
			if !strings.HasPrefix(p, "127.0.0.1:") {
				t.Errorf("%s: %s is open to the network", name, p)
			}
		}
		for _, v := range s.Volumes {
			from, to, _ := strings.Cut(v, ":")
			to, _, _ = strings.Cut(to, ":")
			if strings.HasPrefix(from, "./") {
				if _, err := os.Stat(filepath.Join("containers", from)); err != nil || !strings.HasSuffix(v, ":ro,z") {
					t.Errorf("%s: %s: %v", name, v, err)
				}
				continue
			}
			if _, there := c.Volumes[from]; !there || at[from] != "" && at[from] != to {
				t.Errorf("%s: %s is no volume, or elsewhere at %q", name, v, at[from])
			}
			used[from], at[from] = true, to
		}
	}
	if len(used) != len(c.Volumes) || len(c.Services) < 6 {
		t.Errorf("%d volumes, of which %d are used by %d services", len(c.Volumes), len(used), len(c.Services))
	}
}

// TestComposeImages has every image be one that the release makes, or that is built here of
// a file that is there.
func TestComposeImages(t *testing.T) {
	release, err := os.ReadFile("../.github/workflows/release.yml")
	if err != nil {
		t.Fatal(err)
	}
	made := regexp.MustCompile(`program: \[([a-z, ]+)\]`).FindSubmatch(release)
	if made == nil || !bytes.Contains(release, []byte(`/ldap-${{ matrix.program }}"`)) {
		t.Fatal("the release makes no images")
	}
	for name, s := range readCompose(t).Services {
		b, err := os.ReadFile(filepath.Join("containers", s.Build.Context, s.Build.Dockerfile))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		program, ours := s.program()
		short := strings.TrimPrefix(program, "ldap-")
		if ours && (!slices.Contains(strings.Split(string(made[1]), ", "), short) ||
			s.Build.Dockerfile != "installer/containers/"+short+".Containerfile") {
			t.Errorf("%s: nobody makes %s", name, s.Image)
		}
		if !ours && !strings.HasPrefix(s.Image, "localhost/") {
			t.Errorf("%s: %s is somebody else's", name, s.Image)
		}
		for _, copied := range regexp.MustCompile(`(?m)^COPY ([^- ]\S*)`).FindAllSubmatch(b, -1) {
			if _, err := os.Stat(filepath.Join("..", string(copied[1]))); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// secret is a secret that somebody has written into a file: no variable and no path.
var secret = regexp.MustCompile(`(?i)(password|secret|token|rootpw|key)\s*[:= ]\s*["']?[A-Z0-9+]{6,}|PRIVATE KEY`)

// TestComposeHasNoSecret looks for one in what is mounted or copied, but the passwords of
// the people in the sample tree, which are said aloud.
func TestComposeHasNoSecret(t *testing.T) {
	files, err := filepath.Glob("containers/sample/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, "containers/compose.yaml", "containers/.env") {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			if secret.MatchString(line) && !strings.Contains(line, "password wonderland") { // Alice's
				t.Errorf("%s: %s", file, line)
			}
		}
	}
}

// TestComposeIsRead has Compose itself read the file, whose version is that of this Debian.
func TestComposeIsRead(t *testing.T) {
	has(t, "docker-compose", "docker-compose")
	cmd := exec.Command("docker-compose", "--file", "containers/compose.yaml", "config")
	cmd.Env = append(os.Environ(), "REGISTRY=ghcr.io/somebody", "VERSION=0.1.0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"cloud", "gateway"} {
		if want := "image: ghcr.io/somebody/ldap-" + name + ":0.1.0\n"; !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// order returns the services so that each comes after those that it depends on.
func (c composeFile) order(t *testing.T) (names []string) {
	t.Helper()
	for len(names) < len(c.Services) {
		before := len(names)
		for _, name := range slices.Sorted(maps.Keys(c.Services)) {
			waits := false
			for other := range c.Services[name].DependsOn {
				waits = waits || !slices.Contains(names, other)
			}
			if !waits && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		if len(names) == before {
			t.Fatalf("services wait for each other, beyond %q", names)
		}
	}
	return names
}
