package state

import (
	"errors"
	"io/fs"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// private relies on the access list that makeFolder sets; Windows has no mode bits.
func private(string) error { return nil }

// ownerOnly is the access list of the state folder (Security Descriptor
// Definition Language): nothing is inherited from above, and whoever made the
// folder, the system and the administrators have all rights to it and to what is
// in it.
const ownerOnly = "D:P(A;OICI;FA;;;OW)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"

// makeFolder makes a folder with that access list, if it is not there.
func makeFolder(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	descriptor, err := windows.SecurityDescriptorFromString(ownerOnly)
	if err != nil {
		return err
	}
	list, _, err := descriptor.DACL()
	if err != nil {
		return err
	}
	return windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT,
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, list, nil)
}

// adopt has nothing to do: a file in the folder has the folder's access list.
func adopt(*os.File, string) error { return nil }

// purpose keeps what is protected here from being opened as something else.
var purpose = []byte("ldap-gateway state v1")

// protect encrypts b for this machine (DPAPI). Any process of the machine could
// decrypt it: the access list of the folder is what keeps others away; this keeps
// a copy of the file from being of use elsewhere.
func protect(b []byte) ([]byte, error) {
	var out windows.DataBlob
	err := windows.CryptProtectData(
		blob(b),
		nil,
		blob(purpose),
		0,
		nil,
		windows.CRYPTPROTECT_LOCAL_MACHINE|windows.CRYPTPROTECT_UI_FORBIDDEN,
		&out,
	)
	return take(out, err)
}

// unprotect reverses protect, on the same machine.
func unprotect(b []byte) ([]byte, error) {
	var out windows.DataBlob
	err := windows.CryptUnprotectData(blob(b), nil, blob(purpose), 0, nil, windows.CRYPTPROTECT_UI_FORBIDDEN, &out)
	return take(out, err)
}

func blob(b []byte) *windows.DataBlob {
	if len(b) == 0 {
		return &windows.DataBlob{}
	}
	return &windows.DataBlob{Size: uint32(len(b)), Data: &b[0]}
}

// take copies what Windows has made and gives its memory back.
func take(out windows.DataBlob, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _, _ = windows.LocalFree(windows.Handle(unsafe.Pointer(out.Data))) }()
	return append([]byte{}, unsafe.Slice(out.Data, out.Size)...), nil
}

// syncFolder has nothing to do: NTFS journals a rename.
func syncFolder(string) error { return nil }
