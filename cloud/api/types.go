package api

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
)

// mistyped finds the values of a body that are of another type than those of a form, by
// their paths, as in "userTypes[0].name". A null is of every type: see readNulls.
func mistyped(value any, t reflect.Type, path string) []detail {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if value == nil || t.Kind() == reflect.Interface || t == reflect.TypeFor[json.RawMessage]() {
		return nil
	}
	switch value := value.(type) {
	case string:
		if isText(value, t) {
			return nil
		}
	case bool:
		if t.Kind() == reflect.Bool && !reflect.PointerTo(t).Implements(unmarshals) {
			return nil
		}
	case float64:
		if t.Kind() == reflect.Int && value == math.Trunc(value) && math.Abs(value) < 1<<53 {
			return nil
		}
	case map[string]any:
		if t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]() {
			return mistypedWithin(value, namesOf(t), path)
		}
		if t.Kind() == reflect.Map {
			return mistypedItems(value, t.Elem(), path)
		}
	case []any:
		if t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8 {
			return mistypedEach(value, t.Elem(), path)
		}
	}
	return []detail{wrong(path, "It is a JSON %s, and must be of another type.", kindOf(value))}
}

// isText tells whether a text can be a value of a type.
func isText(text string, t reflect.Type) bool {
	switch {
	case t == reflect.TypeFor[time.Time]():
		_, err := time.Parse(time.RFC3339, text)
		return err == nil
	case reflect.PointerTo(t).Implements(unmarshals):
		return true // a password, and what is discarded
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		_, err := base64.StdEncoding.DecodeString(text)
		return err == nil
	}
	return t.Kind() == reflect.String
}

// mistypedWithin goes through the properties that a form has. Those that it has not are
// checkKnown's.
func mistypedWithin(body map[string]any, names map[string]reflect.Type, path string) (wrongs []detail) {
	for _, name := range slices.Sorted(maps.Keys(body)) {
		if t, known := names[strings.ToLower(name)]; known {
			wrongs = append(wrongs, mistyped(body[name], t, strings.TrimPrefix(path+"."+name, "."))...)
		}
	}
	return wrongs
}

// mistypedEach goes through a list.
func mistypedEach(list []any, t reflect.Type, path string) (wrongs []detail) {
	for i, one := range list {
		wrongs = append(wrongs, mistyped(one, t, item(path, i))...)
	}
	return wrongs
}

// mistypedItems goes through the items of a map.
func mistypedItems(body map[string]any, t reflect.Type, path string) (wrongs []detail) {
	for _, name := range slices.Sorted(maps.Keys(body)) {
		wrongs = append(wrongs, mistyped(body[name], t, path+"."+name)...)
	}
	return wrongs
}

// kindOf names the type of a value as JSON does.
func kindOf(value any) string {
	switch value.(type) {
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		return "number"
	case []any:
		return "array"
	}
	return "object"
}
