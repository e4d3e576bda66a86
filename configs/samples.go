package configs

import _ "embed"

// Minimal is the smallest useful gateway.hcl.
//
//go:embed samples/gateway.hcl
var Minimal string

// Full is a gateway.hcl with every key and its default.
//
//go:embed samples/full.hcl
var Full string
