package state

import (
	"encoding/json"
	"os"
	"path/filepath"
)

const controlFile = "door.json" // as released gateways name it

// ControlSocket is where the gateway that runs with the folder answers, on a system whose
// sockets have no owner: whoever can read the folder may ask.
type ControlSocket struct {
	Address string `json:"address"` // on the loopback interface
	Token   string `json:"token"`
}

// ControlSocket reads where the gateway that ran last answers; an error when none did.
func (f Folder) ControlSocket() (c ControlSocket, err error) {
	b, err := os.ReadFile(filepath.Join(f.path, controlFile))
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	return c, err
}

// SaveControlSocket keeps it for those who may ask.
func (f Folder) SaveControlSocket(c ControlSocket) error { return f.writeJSON(controlFile, c) }
