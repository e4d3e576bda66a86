package directory

// OpenLinks counts the connections that could still be used.
func OpenLinks(c *Client) int {
	c.links.mu.Lock()
	defer c.links.mu.Unlock()
	n := 0
	for l := range c.links.all {
		if !l.ldap.IsClosing() {
			n++
		}
	}
	return n
}

// FollowedCSN is followedCSN.
func FollowedCSN(said []string, stamp string) (followed, told bool) { return followedCSN(said, stamp) }

// FollowedRUV is followedRUV.
func FollowedRUV(said []string, stamp string) (followed, told bool) { return followedRUV(said, stamp) }

// EndsSoon is endsSoon.
var EndsSoon = endsSoon
