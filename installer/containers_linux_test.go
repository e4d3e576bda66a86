package installer_test

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestContainerFiles builds what a container file builds, and runs it in a root
// with nothing else in it, as the user that the file names.
func TestContainerFiles(t *testing.T) {
	for _, program := range []string{"gateway", "cloud"} {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile("containers/" + program + ".Containerfile")
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range regexp.MustCompile(`(?m)^COPY ([^-].*) \S+$`).FindAllStringSubmatch(string(b), -1) {
				for source := range strings.FieldsSeq(m[1]) {
					if _, err := os.Stat(filepath.Join("..", source)); err != nil {
						t.Error(err)
					}
				}
			}
			if !strings.Contains(string(b), "\nUSER 65532:65532\n") || !strings.Contains(string(b), "\nFROM scratch\n") {
				t.Error("it runs as root, or has more in it than the program")
			}
			root := t.TempDir()
			build := regexp.MustCompile(`(?m)^RUN (CGO_ENABLED=0 GOARCH=\$TARGETARCH go build .*)$`).FindStringSubmatch(string(b))[1]
			cmd := exec.Command("sh", "-euc", strings.ReplaceAll(build, "/root/", root+"/"))
			cmd.Dir = ".."
			cmd.Env = append(os.Environ(), "TARGETARCH=") // this machine's
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if err := os.Chmod(root, 0o755); err != nil {
				t.Fatal(err)
			}
			entry := regexp.MustCompile(`ENTRYPOINT \["([^"]+)"\]`).FindStringSubmatch(string(b))[1]
			alone := exec.Command(entry, "version")
			alone.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
			alone.Env = []string{}
			if out, err := alone.CombinedOutput(); err != nil || !strings.Contains(string(out), "linux/") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestKubernetesExample reads the example, and what it promises of the container.
func TestKubernetesExample(t *testing.T) {
	b, err := os.ReadFile("containers/kubernetes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for d := yaml.NewDecoder(bytes.NewReader(b)); ; {
		var doc struct {
			Kind string
			Spec struct {
				Template struct {
					Spec struct {
						SecurityContext struct {
							RunAsNonRoot bool `yaml:"runAsNonRoot"`
						} `yaml:"securityContext"`
						Containers []struct {
							SecurityContext struct {
								ReadOnly bool `yaml:"readOnlyRootFilesystem"`
							} `yaml:"securityContext"`
						}
					}
				}
			}
		}
		err := d.Decode(&doc)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		kinds[doc.Kind] = true
		pod := doc.Spec.Template.Spec
		if doc.Kind == "StatefulSet" &&
			(!pod.SecurityContext.RunAsNonRoot || len(pod.Containers) != 1 || !pod.Containers[0].SecurityContext.ReadOnly) {
			t.Errorf("%+v", pod)
		}
	}
	if !kinds["ConfigMap"] || !kinds["StatefulSet"] {
		t.Errorf("%v", kinds)
	}
}
