package wire

// What is kept of a request about one person, while a gateway answers hundreds at
// once. All of it is more than any field may have, so that what was cut is refused
// by whoever looks at the field.
const (
	mostText   = 2 << 10   // bytes
	mostSealed = 8 << 10   // bytes
	mostValue  = 1<<10 + 1 // bytes, of what is known of a person
	mostKnown  = 32 + 1
	mostName   = 8<<10 + 1 // bytes, of a DN that is asked about
	mostAsked  = 256       // groups
)

// Bounded returns the request with every field cut to what is kept.
func (m SignOn) Bounded() SignOn {
	m.ID, m.UserType, m.Identifier = text(m.ID), text(m.UserType), text(m.Identifier)
	m.Password, m.Known = m.Password.bounded(), bounded(m.Known)
	return m
}

// Bounded returns the request with every field cut to what is kept.
func (m ChangePassword) Bounded() ChangePassword {
	m.ID, m.UserType, m.Identifier = text(m.ID), text(m.UserType), text(m.Identifier)
	m.Old, m.New, m.Known = m.Old.bounded(), m.New.bounded(), bounded(m.Known)
	return m
}

// Bounded returns the request with every field cut to what is kept.
func (m Explain) Bounded() Explain {
	m.ID, m.UserType, m.Identifier = text(m.ID), text(m.UserType), text(m.Identifier)
	return m
}

// Bounded returns the request with every field, and the number of groups, cut to
// what is kept.
func (m Look) Bounded() Look {
	m.ID, m.UserType = text(m.ID), text(m.UserType)
	if len(m.Groups) > mostAsked {
		m.Groups = append([]LookGroup(nil), m.Groups[:mostAsked]...)
	}
	for i, g := range m.Groups {
		m.Groups[i] = LookGroup{DN: cut(g.DN, mostName), ID: cut(g.ID, mostName), Stamp: cut(g.Stamp, mostName)}
	}
	return m
}

// bounded returns what opens as nothing, when any part is too large to be sealed.
func (s Sealed) bounded() Sealed {
	if len(s.Key) > mostSealed || len(s.Encap) > mostSealed || len(s.Nonce) > mostSealed ||
		len(s.Ciphertext) > mostSealed {
		return Sealed{}
	}
	return s
}

func bounded(known []Correlation) []Correlation {
	if len(known) > mostKnown {
		known = append([]Correlation(nil), known[:mostKnown]...) // lets the others go
	}
	for i, k := range known {
		known[i] = Correlation{cut(k.Attribute, mostValue), cut(k.Value, mostValue)}
	}
	return known
}

func text(s string) string { return cut(s, mostText) }

// cut returns so many bytes of s, and lets the rest of it go.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return string([]byte(s[:most]))
}
