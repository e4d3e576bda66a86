package installer

import (
	"context"
	"crypto/sha1" //nolint:gosec // the SID of a service is defined by it
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf16"

	"golang.org/x/sys/windows"
)

// Rights of the service to a folder, in the Security Descriptor Definition Language.
const (
	readable = "0x1200a9" // read and go through
	writable = "0x1301bf" // and write and delete
)

// serviceSID is who "NT SERVICE\name" is, also before the service is registered:
// S-1-5-80 and the SHA-1 of the name in capitals ([MS-DTYP] 2.4.2.4).
func serviceSID(name string) string {
	var text []byte
	for _, c := range utf16.Encode([]rune(strings.ToUpper(name))) {
		text = binary.LittleEndian.AppendUint16(text, c)
	}
	sum := sha1.Sum(text)
	sid := "S-1-5-80"
	for i := 0; i < len(sum); i += 4 {
		sid += fmt.Sprintf("-%d", binary.LittleEndian.Uint32(sum[i:]))
	}
	return sid
}

// securing makes a folder that the system, administrators and, with those rights,
// the service can use, and nobody else; what is in it follows.
func securing(path, rights string) func(context.Context) error {
	return func(context.Context) error {
		if err := os.MkdirAll(path, 0o700); err != nil {
			return err
		}
		d, err := windows.SecurityDescriptorFromString(
			"D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;" + rights + ";;;" + serviceSID(name) + ")",
		)
		if err != nil {
			return err
		}
		list, _, err := d.DACL()
		if err != nil {
			return err
		}
		return windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT,
			windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, list, nil)
	}
}

// removeAll removes a file or a tree. A program that runs, as this one may, goes at
// the next start of the machine.
func removeAll(path string) error {
	var all []string
	err := filepath.WalkDir(path, func(path string, _ fs.DirEntry, err error) error {
		all = append(all, path)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for i := len(all) - 1; i >= 0; i-- { // what is in a folder comes after it
		if os.Remove(all[i]) != nil {
			err = errors.Join(err, removeLater(all[i]))
		}
	}
	return err
}

func removeLater(path string) error {
	p, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return err
	}
	return windows.MoveFileEx(p, nil, windows.MOVEFILE_DELAY_UNTIL_REBOOT)
}
