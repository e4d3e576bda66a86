package api

import "github.com/google/uuid"

// derived is the ID of what an environment has one of, or one by that name: the same at
// each reading, and on every node.
func (c *call) derived(name string) string { return derivedID(c.env, name) }

// derivedID is derived for what does not hang on the environment of a request.
func derivedID(of, name string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("ldap-cloud:"+of+":"+name)).String()
}
