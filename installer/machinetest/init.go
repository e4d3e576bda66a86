//go:build linux

package machinetest

// Init is what starts a machine and its services.
type Init struct {
	start string   // a script that becomes process 1
	isUp  string   // a command that succeeds when the machine is up
	needs []string // patterns of files
}

// Systemd is the one that this machine has installed.
func Systemd() Init {
	return Init{
		start: "exec /lib/systemd/systemd --log-target=console systemd.unit=multi-user.target",
		isUp:  "systemctl is-active multi-user.target",
		needs: []string{"/lib/systemd/systemd", "/usr/bin/dbus-daemon"},
	}
}

// withoutSystemd is how the others start: nobody finds systemd there.
const withoutSystemd = "exec >/dev/console 2>&1; rm -rf /usr/bin/systemctl /bin/systemctl /usr/bin/journalctl\n"

// OpenRC is installed there from its packages, when the machine first boots. Control
// groups are left to this machine.
func OpenRC() Init {
	return Init{
		start: withoutSystemd + `[ -e /sbin/openrc-init ] ||
{ dpkg --install /var/cache/openrctest/*.deb; rc-update del cgroups sysinit; }
exec /sbin/openrc-init`,
		isUp:  `test "$(cat /run/openrc/softlevel)" = default && test ! -e /run/openrc/rc.starting`,
		needs: []string{"/var/cache/openrctest/openrc_*.deb"},
	}
}

// SystemV is a shell as process 1, which starts what is to be started in runlevel 2.
func SystemV() Init {
	return Init{
		start: withoutSystemd + `for service in /etc/rc2.d/S*; do [ ! -x "$service" ] || "$service" start || true; done
touch /run/machinetest/up
while :; do sleep 60; done`,
		isUp: "test -e /run/machinetest/up",
	}
}
