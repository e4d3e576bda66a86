package state

// private relies on the access list of the folder, which the installer sets;
// Windows has no mode bits.
func private(string) error { return nil }

// syncFolder has nothing to do: NTFS journals a rename.
func syncFolder(string) error { return nil }
