package directorytest

import (
	"fmt"
	"strconv"
	"strings"
)

// parts returns the attribute as asked for: whole, cut because it is long, and as the
// ranges that were asked for by name ([MS-ADTS] 3.1.1.3.1.3.3). The root DSE is never
// cut.
func (s *Server) parts(names []string, a attribute, cut bool) (out []attribute) {
	if wanted(names, a.name) {
		if cut && s.MaxValues > 0 && len(a.values) > s.MaxValues {
			out = append(out, s.part(a, 0, len(a.values)-1))
		} else {
			out = append(out, a)
		}
	}
	for _, name := range names {
		from, to, ok := askedRange(name, a.name)
		if ok && from < len(a.values) {
			out = append(out, s.part(a, from, min(to, len(a.values)-1)))
		}
	}
	return out
}

// part cuts from and to, both included; a range that reaches the end says so with "*".
func (s *Server) part(a attribute, from, to int) attribute {
	if s.MaxValues > 0 {
		to = min(to, from+s.MaxValues-1)
	}
	end := strconv.Itoa(to)
	if to == len(a.values)-1 {
		end = "*"
	}
	return attribute{fmt.Sprintf("%s;range=%d-%s", a.name, from, end), a.values[from : to+1]}
}

// askedRange reads "name;range=1500-*" or "name;range=0-999".
func askedRange(asked, name string) (from, to int, ok bool) {
	base, option, _ := strings.Cut(asked, ";")
	low, high, isRange := strings.Cut(strings.TrimPrefix(strings.ToLower(option), "range="), "-")
	if !strings.EqualFold(base, name) || !isRange {
		return 0, 0, false
	}
	from, err := strconv.Atoi(low)
	if to = 1 << 30; high != "*" && err == nil {
		to, err = strconv.Atoi(high)
	}
	return from, to, err == nil && from >= 0 && from <= to
}
