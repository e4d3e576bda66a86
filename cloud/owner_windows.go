package cloud

// checkOwner refuses nothing: on Windows what is made in a folder inherits who may
// read it.
func checkOwner(string) error { return nil }
