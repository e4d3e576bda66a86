// Command notices writes what a package has to say of the modules that are in a program of
// ours: their licences, word for word, and a bill of materials (CycloneDX 1.6).
//
//	notices PROGRAM-FILE VERSION NOTICES-FILE SBOM-FILE
//
// Called by the script that builds packages. It reads which modules are in the
// program from the program itself, and their licences from the module cache; the
// date is SOURCE_DATE_EPOCH. So the same program gives the same bytes, which
// cyclonedx-gomod's bills are not. A licence that it does not know is an error: a
// person is to read it first.
package main

import (
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: notices PROGRAM-FILE VERSION NOTICES-FILE SBOM-FILE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintf(os.Stderr, "notices: %v\n", err)
		os.Exit(1)
	}
}

func run(program, version, notices, sbom string) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	all, err := modules(info)
	if err != nil {
		return err
	}
	name := strings.TrimSuffix(filepath.Base(program), ".exe")
	if err := os.WriteFile(notices, []byte(text(name, all)), 0o644); err != nil {
		return err
	}
	bill, err := billOf(name, version, time.Unix(seconds, 0).UTC(), all)
	if err != nil {
		return err
	}
	return os.WriteFile(sbom, bill, 0o644)
}

// module is one that is in a program.
type module struct {
	path, version string
	licence       string // SPDX identifier
	texts         []string
}

// modules returns what is in a program, Go's own library first.
func modules(info *debug.BuildInfo) ([]module, error) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, err
	}
	std, err := read(module{
		path:    "std",
		version: strings.TrimPrefix(info.GoVersion, "go"),
	}, strings.TrimSpace(string(out)))
	all := []module{std}
	for _, d := range info.Deps {
		if d.Replace != nil {
			d = d.Replace
		}
		dir, e := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", d.Path).Output()
		if e != nil {
			return nil, fmt.Errorf("%s: %w", d.Path, e)
		}
		m, e := read(module{path: d.Path, version: d.Version}, strings.TrimSpace(string(dir)))
		all, err = append(all, m), errors.Join(err, e)
	}
	return all, err
}

// read fills in the licence of a module from its folder.
func read(m module, dir string) (module, error) {
	for _, pattern := range []string{"LICEN[CS]E*", "COPYING*", "NOTICE*"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return m, err
		}
		for _, path := range found {
			b, err := os.ReadFile(path)
			if err != nil {
				return m, err
			}
			m.texts = append(m.texts, strings.TrimSpace(string(b)))
			if m.licence == "" {
				m.licence = licenceOf(string(b))
			}
		}
	}
	if m.licence == "" {
		return m, fmt.Errorf("%s: no licence that is known in %s", m.path, dir)
	}
	return m, nil
}

// licenceOf tells a licence by a sentence that only it has; empty when none fits.
func licenceOf(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	for _, known := range []struct{ id, sentence string }{
		{"Apache-2.0", "Apache License Version 2.0"},
		{"Zlib", "This software is provided 'as-is', without any express or implied warranty"},
		{"MPL-2.0", "Mozilla Public License"},
		{"BSD-3-Clause", "may be used to endorse or promote products"},
		{"BSD-3-Clause", "to endorse or promote products derived"},
		{"BSD-2-Clause", "Redistributions in binary form must reproduce"},
		{"ISC", "Permission to use, copy, modify, and"},
		{"MIT", "Permission is hereby granted, free of charge"},
		{"CC0-1.0", "CC0 1.0"},
		{"Unlicense", "released into the public domain"},
	} {
		if strings.Contains(text, known.sentence) {
			return known.id
		}
	}
	return ""
}

func text(name string, all []module) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s has in it what is listed here, under the licences that follow.\n\n", name)
	for _, m := range all {
		fmt.Fprintf(&b, "  %s %s  (%s)\n", m.path, m.version, m.licence)
	}
	for _, m := range all {
		fmt.Fprintf(&b, "\n%s\n%s %s\n\n%s\n", strings.Repeat("-", 72), m.path, m.version, strings.Join(m.texts, "\n\n"))
	}
	return b.String()
}
