package installer_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"ldap-gateway/installer/machinetest"
)

// boxes runs on a machine what a runtime of containers would: programs in roots of their
// own, which are read-only, as a user without rights.
type boxes struct {
	*machinetest.Machine
	t *testing.T
}

// box is one container.
type box struct {
	image  string // folder on the machine that is its root
	mounts []mount
	tmpfs  []string
	args   []string
}

// mount is a folder or file of the machine, seen in a container.
type mount struct {
	from, to string
	readOnly bool
}

func newBoxes(t *testing.T) *boxes {
	t.Helper()
	b := &boxes{machinetest.Boot(t, machinetest.SystemV()), t}
	b.Run("mkdir", "-p", "/images", "/volumes", "/logs")
	return b
}

// script is what starts a container. A volume that is new begins with what the image has there.
func (c box) script() string {
	var s strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&s, format+"\n", args...) }
	line("root=%s", c.image)
	for _, m := range c.mounts {
		if !strings.HasPrefix(m.from, "/volumes/") {
			continue
		}
		line("[ -e %s ] || { [ -d $root%s ] && cp -a $root%[2]s %[1]s || mkdir %[1]s; }", m.from, m.to)
	}
	line("mount --bind $root /images/root")
	line("root=/images/root")
	line("mkdir -p $root/proc $root/dev $root/etc; touch $root/etc/hosts")
	line("mount --rbind /dev $root/dev; mount --rbind /proc $root/proc")
	for _, m := range c.mounts {
		line("if [ -d %s ]; then mkdir -p $root%s; else mkdir -p $(dirname $root%[2]s); touch $root%[2]s; fi", m.from, m.to)
	}
	for _, path := range c.tmpfs {
		line("mkdir -p $root%s", path)
	}
	line("mount --bind /etc/hosts $root/etc/hosts")
	line("mount -o remount,bind,ro $root")
	for _, m := range c.mounts {
		line("mount --bind %s $root%s", m.from, m.to)
		if m.readOnly {
			line("mount -o remount,bind,ro $root%s", m.to)
		}
	}
	for _, path := range c.tmpfs {
		line("mount -t tmpfs -o mode=1777 tmpfs $root%s", path)
	}
	line(`exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ setpriv --no-new-privs \`)
	line(`chroot --userspec=65532:65532 --groups=65532 $root "$@"`)
	return s.String()
}

// command returns what the machine runs as the container, with args in place of its own.
func (c box) command(args ...string) []string {
	return append([]string{"unshare", "--mount", "--propagation", "private", "sh", "-euc", c.script(), "box"}, args...)
}

// try runs a container to its end.
func (b *boxes) try(c box, args ...string) (string, error) {
	b.t.Helper()
	b.Run("mkdir", "-p", "/images/root")
	return b.Try(c.command(args...)...)
}

// start runs a container until the machine ends; what it says is in a log of that name.
func (b *boxes) start(name string, c box) {
	b.t.Helper()
	b.Run("mkdir", "-p", "/images/root")
	quiet := []string{"sh", "-c", `log=/logs/$0; exec "$@" >>"$log" 2>&1 </dev/null &`, name}
	b.Run(append(quiet, c.command(c.args...)...)...)
}

// await tries until f holds, for a minute at most.
func (b *boxes) await(what string, f func() bool) {
	b.t.Helper()
	limit, tick := time.NewTimer(time.Minute), time.NewTicker(100*time.Millisecond)
	defer limit.Stop()
	defer tick.Stop()
	for !f() {
		select {
		case <-tick.C:
		case <-limit.C:
			b.t.Fatalf("within a minute it did not come true that %s\n%s", what, b.Run("sh", "-c", "tail -n 20 /logs/*"))
		}
	}
}

// build makes the image that a container file of ours says, of a program and nothing else,
// as /images/NAME.
func (b *boxes) build(file string) (image string, entry string) {
	b.t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		b.t.Fatal(err)
	}
	image = "/images/" + strings.TrimSuffix(filepath.Base(file), ".Containerfile")
	stage := b.t.TempDir()
	inStage := regexp.MustCompile(` (/(?:root|state|scratch)\b)`)
	for _, m := range regexp.MustCompile(`(?m)^RUN (.*)$`).FindAllStringSubmatch(string(text), -1) {
		if m[1] == "go mod download" {
			continue
		}
		cmd := exec.Command("sh", "-euc", inStage.ReplaceAllString(m[1], " "+stage+"$1"))
		cmd.Dir, cmd.Env = "..", append(os.Environ(), "TARGETARCH=")
		if out, err := cmd.CombinedOutput(); err != nil {
			b.t.Fatalf("%v\n%s", err, out)
		}
	}
	copied := regexp.MustCompile(`(?m)^COPY --from=build (?:--chown=\S+ )?(\S+) (\S+)$`)
	for _, m := range copied.FindAllStringSubmatch(string(text), -1) {
		from, to := m[1], filepath.Join(b.Root(), image, m[2])
		if !strings.HasPrefix(from, "/etc/") {
			from = stage + from
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			b.t.Fatal(err)
		}
		if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
			b.t.Fatalf("%v\n%s", err, out)
		}
	}
	return image, regexp.MustCompile(`ENTRYPOINT \["([^"]+)"\]`).FindStringSubmatch(string(text))[1]
}
