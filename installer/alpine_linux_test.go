package installer_test

import "testing"

// alpine does with a package what apk does, in its order and with its arguments, and
// BusyBox's shell runs the scripts: no Debian has apk. Like apk it goes on when a
// script fails.
var alpine = system{
	pattern: "%s_%s_x86_64.apk",
	install: []string{"sh", "-euc", alpineInstall},
	older:   []string{"sh", "-euc", alpineInstall},
	remove:  []string{"sh", "-euc", alpineRemove},
	change:  changeAlpine,
	goesOn:  true,
	openRC:  true,
}

const (
	alpineInstall = `cd /root; rm -rf fresh; mkdir fresh; tar -xzf "$0" -C fresh
version() { sed -n 's/^pkgver = //p' "$1/.PKGINFO"; }
grep -qx "arch = x86_64" fresh/.PKGINFO
how=install was=
if [ -e installed ]; then how=upgrade was=$(version installed); fi
busybox sh "fresh/.pre-$how" "$(version fresh)" $was || echo "pre-$how: $?"
tar -C fresh -cf - --exclude="./.*" . | tar -C / -xf -
busybox sh "fresh/.post-$how" "$(version fresh)" $was || echo "post-$how: $?"
rm -rf installed; mv fresh installed`
	alpineRemove = `cd /root/installed; version=$(sed -n 's/^pkgver = //p' .PKGINFO)
busybox sh .pre-deinstall "$version"
find . -type f ! -name ".*" | sed 's|^\.||' | xargs rm
busybox sh .post-deinstall "$version"
rm -r /root/installed`
)

// TestAlpinePackage goes through the whole life of the package on a machine that OpenRC
// boots.
func TestAlpinePackage(t *testing.T) {
	has(t, "busybox", "busybox")
	live(t, alpine)
}

// changeAlpine makes another version of a package, with another program.
func changeAlpine(s *site, file, version, program string) string {
	s.t.Helper()
	s.Write("/root/program", []byte(program), 0o755)
	s.Run(
		"sh",
		"-euc",
		`cd /root; rm -rf unpacked; mkdir unpacked; cd unpacked; tar -xzf "$0"; cp ../program usr/bin/ldap-gateway
sed -i "s/0\\.2\\.0/$1/" .PKGINFO .p*; tar -czf ../changed.apk .`,
		file,
		version,
	)
	return "/root/changed.apk"
}
