package version

import "runtime/debug"

// release is the version that this source will be. A package of another version
// has it set by the linker; nothing changes it after.
var release = "0.1.0"

// Release returns the version without the commit, as packages and manual pages
// name it.
func Release() string { return release }

// Current returns the version of the program, with the commit it was built
// from when the build recorded one.
func Current() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return release
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 8 {
			return release + "+" + s.Value[:8]
		}
	}
	return release
}
