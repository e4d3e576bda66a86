package api

// Lists are the patterns of all lists.
func Lists() map[string]bool {
	all := map[string]bool{}
	for pattern, o := range operations {
		if o.list != "" {
			all[pattern] = true
		}
	}
	return all
}
