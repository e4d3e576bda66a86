package winetest

import (
	"bytes"
	"encoding/binary"
)

// forwarder returns a DLL for x86-64 that has one function, which another DLL
// does. Every program that Go makes for Windows wants bcryptprimitives.dll, which
// wine 8 does not have. The layout is that of Microsoft's PE format: headers of
// 512 bytes, then one section with the export directory.
func forwarder(dll, function, to string) []byte {
	const (
		address = 0x1000 // of the section, once loaded
		headers = 0x200
		table   = 40 // bytes of the export directory itself
	)
	text := dll + "\x00" + function + "\x00" + to + "\x00"
	at := func(n int) uint32 { return uint32(address + table + 10 + n) } // of the nth byte of text
	exports := written(
		uint32(0), uint32(0), uint32(0), at(0), uint32(1), uint32(1), uint32(1), // name, first ordinal, functions, names
		uint32(address+table), uint32(address+table+4), uint32(address+table+8),
		at(len(dll)+len(function)+2), at(len(dll)+1), uint16(0), // function (within the directory: forwarded), name, ordinal
		[]byte(text))
	size := uint32(len(exports))
	exports = append(exports, make([]byte, headers-len(exports)%headers)...)
	dos := make([]byte, 64)
	copy(dos, "MZ")
	dos[60] = 64 // where the PE header is
	out := written(dos, []byte("PE\x00\x00"),
		uint16(0x8664), uint16(1), uint32(0), uint32(0), uint32(0), uint16(240), uint16(0x2022), // machine, sections, a DLL
		uint16(0x20b), uint16(14), uint32(0), uint32(len(exports)), uint32(0), uint32(0), // PE32+, no entry point
		uint32(address),
		uint64(0x180000000), uint32(0x1000), uint32(headers), uint16(6), uint16(0), uint16(0), uint16(0), uint16(6),
		uint16(0), uint32(0), uint32(2*address), uint32(headers), uint32(0), uint16(3), uint16(0x160),
		uint64(1<<20), uint64(1<<12), uint64(1<<20), uint64(1<<12), uint32(0), uint32(16),
		uint32(address), size, make([]byte, 15*8), // directories: exports, no other
		[]byte(".rdata\x00\x00"), size, uint32(address), uint32(len(exports)), uint32(headers),
		make([]byte, 12), uint32(0x40000040))
	return append(append(out, make([]byte, headers-len(out))...), exports...)
}

// written returns numbers and bytes as x86 has them in memory.
func written(parts ...any) []byte {
	var b bytes.Buffer
	for _, p := range parts {
		_ = binary.Write(&b, binary.LittleEndian, p) // a buffer takes everything
	}
	return b.Bytes()
}
