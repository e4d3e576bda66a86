package main

import (
	"encoding/json"
	"time"
)

// bill is a CycloneDX document, as far as there is something to say.
type bill struct {
	Format     string      `json:"bomFormat"`
	Spec       string      `json:"specVersion"`
	Version    int         `json:"version"`
	Metadata   metadata    `json:"metadata"`
	Components []component `json:"components"`
}

type metadata struct {
	Timestamp time.Time `json:"timestamp"`
	Component component `json:"component"`
}

type component struct {
	Type     string    `json:"type"`
	Ref      string    `json:"bom-ref"`
	Name     string    `json:"name"`
	Version  string    `json:"version"`
	PURL     string    `json:"purl,omitempty"`
	Licences []licence `json:"licenses"`
}

type licence struct {
	License struct {
		ID string `json:"id"`
	} `json:"license"`
}

func billOf(name, version string, at time.Time, all []module) ([]byte, error) {
	b := bill{Format: "CycloneDX", Spec: "1.6", Version: 1,
		Metadata: metadata{at, part("application", name, version, "", "Apache-2.0")}}
	for _, m := range all {
		b.Components = append(b.Components, part("library", m.path, m.version, "pkg:golang/"+m.path+"@"+m.version, m.licence))
	}
	out, err := json.MarshalIndent(b, "", "  ")
	return append(out, '\n'), err
}

func part(kind, name, version, purl, id string) component {
	c := component{
		Type:     kind,
		Ref:      name + "@" + version,
		Name:     name,
		Version:  version,
		PURL:     purl,
		Licences: make([]licence, 1),
	}
	c.Licences[0].License.ID = id
	return c
}
