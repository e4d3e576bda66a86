package state

import (
	"encoding/json"
	"os"
	"path/filepath"
)

const doorFile = "door.json"

// Door is where the gateway that runs with the folder answers, on a system whose
// sockets have no owner: whoever can read the folder may ask.
type Door struct {
	Address string `json:"address"` // on the loopback interface
	Token   string `json:"token"`
}

// Door reads where the gateway that ran last answers; an error when none did.
func (f Folder) Door() (d Door, err error) {
	b, err := os.ReadFile(filepath.Join(f.path, doorFile))
	if err == nil {
		err = json.Unmarshal(b, &d)
	}
	return d, err
}

// SaveDoor keeps it for those who may ask.
func (f Folder) SaveDoor(d Door) error { return f.writeJSON(doorFile, d) }
