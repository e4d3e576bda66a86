package signonpage

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/alexedwards/scs/v2"
)

// codec writes sessions as JSON. The library's own way tells the types of all that it writes each time, which costs
// more than the rest of a request, and the same session twice in another order.
type codec struct{}

var _ scs.Codec = codec{}

// written is a session in the database. A value stands under its type.
type written struct {
	Deadline time.Time         `json:"deadline"`
	Bytes    map[string][]byte `json:"bytes,omitempty"`
	Texts    map[string]string `json:"texts,omitempty"`
	True     map[string]bool   `json:"true,omitempty"`
}

// Encode implements scs.Codec, for bytes, texts and what is true or false.
func (codec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	w := written{deadline, map[string][]byte{}, map[string]string{}, map[string]bool{}}
	for key, value := range values {
		switch v := value.(type) {
		case []byte:
			w.Bytes[key] = v
		case string:
			w.Texts[key] = v
		case bool:
			w.True[key] = v
		default:
			return nil, fmt.Errorf("a session keeps no %T", value)
		}
	}
	return json.Marshal(w)
}

// Decode implements scs.Codec. A session of a version before is one of the library's own way.
func (codec) Decode(b []byte) (time.Time, map[string]any, error) {
	var w written
	if json.Unmarshal(b, &w) != nil {
		return scs.GobCodec{}.Decode(b)
	}
	values := make(map[string]any, len(w.Bytes)+len(w.Texts)+len(w.True))
	for key, value := range w.Bytes {
		values[key] = value
	}
	for key, value := range w.Texts {
		values[key] = value
	}
	for key, value := range w.True {
		values[key] = value
	}
	return w.Deadline, values, nil
}
