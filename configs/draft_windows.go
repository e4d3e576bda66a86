package configs

import "os"

// forGroup has nothing to do: a file has the access list of its folder.
func forGroup(*os.File, string) error { return nil }
