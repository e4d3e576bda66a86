package hub

import "github.com/nats-io/nats.go"

// Try is one password or code that was tried, as nodes tell each other.
type Try struct {
	Key   string // by what it is counted, which says of nobody who they are
	Right bool   // what was counted by the key counts no more
	Code  bool   // it was a code of pairing, and no password
}

// try is a Try on the bus.
type try struct {
	Key   []byte `json:"key"` // which is no text
	Right bool   `json:"right,omitempty"`
	Code  bool   `json:"code,omitempty"`
	Node  string `json:"node"` // that it was at
}

// Tried tells the other nodes of a try. Without the bus they do not hear of it, then or later.
func (h *Hub) Tried(t Try) { h.publish(subjectTries, try{[]byte(t.Key), t.Right, t.Code, h.id}) }

// HearTries has f called with each try that another node tells of, one after the other.
func (h *Hub) HearTries(f func(Try)) { h.tries.Store(&f) }

func (h *Hub) hearTry(m *nats.Msg) {
	var t try
	if f := h.tries.Load(); h.decode(m, &t) && f != nil && t.Node != h.id {
		(*f)(Try{string(t.Key), t.Right, t.Code})
	}
}
