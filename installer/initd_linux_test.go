package installer_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestSystemV has the program be a service of a machine without systemd: it runs
// under its own account, stops, reads its file again, and leaves nothing.
func TestSystemV(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "ldap-gateway")
	build := exec.Command("go", "build", "-o", program, "./agent/ldap-gateway")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const story = `
rm -rf /usr/bin/systemctl /bin/systemctl /run/systemd
"$0" install --dry-run | grep -q "service of unix-systemv"
[ ! -e /etc/init.d/ldap-gateway ]
"$0" install
"$0" install # again: nothing is left to do
[ -x /etc/init.d/ldap-gateway ] && [ -L /etc/rc2.d/S50ldap-gateway ]
sed -i 's|https://[^"]*|https://127.0.0.1:1|' /etc/ldap-gateway/gateway.hcl
for f in bind.password; do echo x >/etc/ldap-gateway/$f; chgrp ldap-gateway /etc/ldap-gateway/$f; chmod 640 /etc/ldap-gateway/$f; done
/usr/local/bin/ldap-gateway start
wait_for() { i=0; until "$@"; do i=$((i + 1)); [ "$i" -lt 100 ] || { cat /var/log/ldap-gateway.log; exit 1; }; sleep 0.1; done; }
wait_for test -S /var/lib/ldap-gateway/status.sock
pid=$(cat /var/run/ldap-gateway.pid)
[ "$(stat -c %U "/proc/$pid")" = ldap-gateway ]
[ "$(service ldap-gateway status)" = Running ]
service ldap-gateway reload
wait_for grep -q "read again" /var/log/ldap-gateway.log
/usr/local/bin/ldap-gateway restart
wait_for test -S /var/lib/ldap-gateway/status.sock
[ "$(cat /var/run/ldap-gateway.pid)" != "$pid" ]
/usr/local/bin/ldap-gateway stop
[ "$(service ldap-gateway status || true)" = Stopped ]
"$0" uninstall --purge
for left in /etc/init.d/ldap-gateway /usr/local/bin/ldap-gateway /etc/ldap-gateway /var/lib/ldap-gateway /etc/rc2.d/S50ldap-gateway /etc/rc0.d/K02ldap-gateway; do
  [ ! -e "$left" ] && [ ! -L "$left" ] || { echo "$left is left"; exit 1; }
done
! getent passwd ldap-gateway
echo TOLD`
	out, err := apart(t, "sh", "-euxc", story, program).CombinedOutput()
	if err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), "TOLD") {
		t.Errorf("%v\n%s", err, out)
	}
}
