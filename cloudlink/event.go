package cloudlink

import "ldap-gateway/cloudlink/wire"

// EventKind says what happened on a link.
type EventKind uint8

// What happens on a link besides the calls of its Handler.
const (
	EventOpened       EventKind = iota + 1 // Node
	EventClosed                            // Node; Err says why, nil when either end was going away
	EventNotOpened                         // Err
	EventFrameRefused                      // Frame and Err: the cloud sent what cannot be acted on
	// Frame, with SignOn, Change, Explain or Look: all handlers were at work, the answer is busy
	EventBusy
	EventRotate // an administrator of the cloud wants other keys
)

// Event is one thing that happened on a link.
type Event struct {
	Kind    EventKind
	Node    string
	Frame   wire.Kind // 0: it could not be told
	SignOn  wire.SignOn
	Change  wire.ChangePassword
	Explain wire.Explain
	Look    wire.Look
	Err     error
}

// happened tells Watch, if there is one.
func (l *Link) happened(e Event) {
	if l.Watch != nil {
		l.Watch(e)
	}
}
