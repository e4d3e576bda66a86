package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// readNulls does what encoding/json leaves open: it passes over a null as if the
// property were not there, or makes a pointer nil, which stands for a default here.
// A PATCH with {"enabled":null} enabled a user so.
//
// A null takes a text away, as RFC 7396 has it, and so an item of a map, a list and a
// reference. A number and what is true or false cannot be taken away: these are
// refused by name. V has been decoded from b, which is one JSON object.
func readNulls(b []byte, v any) error {
	// Most bodies have no such word, and are not decoded twice.
	if !bytes.Contains(b, []byte("null")) {
		return nil
	}
	var body map[string]any
	if err := json.Unmarshal(b, &body); err != nil {
		return err // cannot be: it was decoded before
	}
	return invalid(nullsOfStruct(body, reflect.ValueOf(v).Elem(), "")...)
}

// nullsOfStruct goes through the properties of an object. Names match without regard
// to case, as those of encoding/json do.
func nullsOfStruct(body map[string]any, v reflect.Value, front string) (found []detail) {
	for _, f := range reflect.VisibleFields(v.Type()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		for key, value := range body {
			if strings.EqualFold(key, name) {
				found = append(found, nullsOf(value, v.FieldByIndex(f.Index), front+name)...)
			}
		}
	}
	return found
}

// What decodes itself is left alone.
var unmarshals = reflect.TypeFor[json.Unmarshaler]()

// nullsOf goes through a value that was decoded into v. A type that decodes itself
// knows what a null is for it.
func nullsOf(value any, v reflect.Value, path string) (found []detail) {
	if reflect.PointerTo(v.Type()).Implements(unmarshals) {
		return nil
	}
	kind := v.Type()
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	if value == nil {
		switch kind.Kind() {
		case reflect.Bool:
			return []detail{wrong(path, "It must be true or false. Leave it out to keep what is.")}
		case reflect.Int:
			return []detail{wrong(path, "It must be a number. Leave it out to keep what is.")}
		}
		v.SetZero()
		return nil
	}
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch value := value.(type) {
	case map[string]any:
		if kind.Kind() == reflect.Struct {
			return nullsOfStruct(value, v, path+".")
		}
		for key, item := range value {
			if item == nil { // of a map: there are only texts in maps here
				v.SetMapIndex(reflect.ValueOf(key), reflect.Value{})
			}
		}
	// An item of the wrong kind has been refused by the decoder before.
	case []any:
		for i, item := range value {
			if kind.Kind() == reflect.Slice && i < v.Len() {
				found = append(found, nullsOf(item, v.Index(i), fmt.Sprintf("%s[%d]", path, i))...)
			}
		}
	}
	return found
}
