package cloud

import "runtime/debug"

// release is the version that this source will be. A package of another version
// has it set by the linker; nothing changes it after.
var release = "0.1.0"

// Version returns the version of the program, with the commit it was built from
// when the build recorded one.
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 8 {
				return release + "+" + s.Value[:8]
			}
		}
	}
	return release
}

// Release returns the version without the commit.
func Release() string { return release }
