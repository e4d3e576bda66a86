package api

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// checkKnown refuses by name what there is no place for: a property that is dropped
// without a word is one that a client believes to be set. V has been decoded from body.
//
// What only answers have is passed over, so that what was read can be written back; so
// is a null, which asks for nothing, and what begins with "_".
func checkKnown(body map[string]any, v any) error {
	form := reflect.TypeOf(v).Elem()
	return invalid(unknownOf(body, form, "", namesOf(answerOf(v)))...)
}

// answerOf is what answers have of the resource that a form is read for; nil: no more
// than the form.
func answerOf(v any) reflect.Type {
	switch v.(type) {
	case *environmentForm:
		return reflect.TypeFor[environmentBody]()
	case *populationForm:
		return reflect.TypeFor[populationBody]()
	case *gatewayForm:
		return reflect.TypeFor[gatewayBody]()
	case *userTypeForm:
		return reflect.TypeFor[userTypeBody]()
	case *userForm, *importForm:
		return reflect.TypeFor[userBody]()
	case *groupForm:
		return reflect.TypeFor[groupBody]()
	case *applicationForm:
		return reflect.TypeFor[applicationBody]()
	case *samlApplicationForm:
		return reflect.TypeFor[samlApplicationBody]()
	case *providerForm, *providerSent:
		return reflect.TypeFor[providerBody]()
	case *keyChosen:
		return reflect.TypeFor[certificateBody]()
	case *attributeForm:
		return reflect.TypeFor[attributeBody]()
	case *administratorForm:
		return reflect.TypeFor[administratorBody]()
	case *roleForm:
		return reflect.TypeFor[roleGroupBody]()
	case *accountForm:
		return reflect.TypeFor[accountLinked]()
	case *passwordSent:
		return reflect.TypeFor[passwordBody]()
	case *productsForm:
		return reflect.TypeFor[productsBody]()
	case *brandForm:
		return reflect.TypeFor[brandBody]()
	case *policyForm:
		return reflect.TypeFor[policyBody]()
	case *actionForm:
		return reflect.TypeFor[actionBody]()
	case *claimForm:
		return reflect.TypeFor[claimBody]()
	case *grantForm:
		return reflect.TypeFor[grantBody]()
	case *assignedForm:
		return reflect.TypeFor[assignedBody]()
	case *assignmentForm:
		return reflect.TypeFor[assignmentBody]()
	}
	return nil
}

// namesOf are the properties of a type in small letters, as encoding/json takes them.
func namesOf(t reflect.Type) map[string]reflect.Type {
	names := map[string]reflect.Type{}
	if t == nil {
		return names
	}
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			names[strings.ToLower(name)] = f.Type
		}
	}
	return names
}

// unknownOf goes through the properties of an object in the order of their names.
func unknownOf(body map[string]any, t reflect.Type, front string, more map[string]reflect.Type) (found []detail) {
	names := namesOf(t)
	for _, key := range slices.Sorted(maps.Keys(body)) {
		kind, known := names[strings.ToLower(key)]
		switch _, shown := more[strings.ToLower(key)]; {
		case known:
			found = append(found, unknownIn(body[key], kind, front+key)...)
		case !shown && body[key] != nil && !strings.HasPrefix(key, "_"):
			found = append(found, wrong(front+key, "There is no such property here. Leave it out."))
		}
	}
	return found
}

// unknownIn goes through a value that was decoded into a type. One that decodes itself
// knows what it takes.
func unknownIn(value any, t reflect.Type, path string) (found []detail) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if reflect.PointerTo(t).Implements(unmarshals) {
		return nil
	}
	switch value := value.(type) {
	case map[string]any:
		if t.Kind() == reflect.Struct {
			return unknownOf(value, t, path+".", nil)
		}
	case []any:
		for i, item := range value {
			if t.Kind() == reflect.Slice {
				found = append(found, unknownIn(item, t.Elem(), fmt.Sprintf("%s[%d]", path, i))...)
			}
		}
	}
	return found
}
