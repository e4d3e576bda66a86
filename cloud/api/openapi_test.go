package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/invopop/jsonschema"
)

var update = flag.Bool("update", false, "write openapi.json anew")

// operation is what the document says of an endpoint. The rest follows from the
// types that the handler reads and writes.
type operation struct {
	summary  string
	in       any    // body of the request; nil: none
	orIn     any    // another body of the request; nil: none
	out      any    // body of the answer; nil: none
	or       any    // another body of the answer; nil: none
	list     string // the answer is a list, which has this name
	filter   string // fields that the list can be searched by
	selects  []string
	statuses []int // of success, when it is not the usual one
}

type decisionForm struct {
	Code    string `json:"code,omitempty"`
	Approve *bool  `json:"approve,omitempty"`
}

type signOnForm struct {
	Username string `json:"username"`
	Password string `json:"password"`
	Address  string `json:"address,omitempty"`
}

type passwordForm struct {
	External *externalBody `json:"external,omitempty"`
	Current  string        `json:"currentPassword,omitempty"`
	New      string        `json:"newPassword,omitempty"`
}

type relinkForm struct {
	Gateway  *reference `json:"gateway,omitempty"`
	UserType *reference `json:"userType"`
}

type keytabForm struct {
	Keytab []byte `json:"keytab"`
}

const (
	userFields = "id, username, email, externalId, name.given, name.family, population.id, enabled, " +
		"account.canAuthenticate, memberOfGroups[id|name|displayName ...]"
	groupFields = "id, name, displayName, externalId, sourceType, sourceId, directoryId, population.id"
)

// operations are those of every endpoint, by method and path.
var operations = together(ownOperations, providerOperations, partOperations, policyOperations, catalogueOperations)

var ownOperations = map[string]operation{
	"GET ": {
		summary: "List the environments of this client, and those that its owners made",
		out:     environmentBody{},
		list:    "environments",
		filter:  "id, name, type, region, description, license.id, organization.id",
	},
	"GET /{e}":    {summary: "Read the environment", out: environmentBody{}},
	"POST ":       {summary: "Make an environment; its owners are those of this client's", in: environmentForm{}, out: environmentBody{}},
	"PUT /{e}":    {summary: "Change the environment", in: environmentForm{}, out: environmentBody{}},
	"DELETE /{e}": {summary: "Delete an environment that owners of this client's made, with all that is in it"},

	"GET /{e}/populations": {
		summary: "List populations",
		out:     populationBody{},
		list:    "populations",
		filter:  "id, name, description, default",
	},
	"POST /{e}/populations":    {summary: "Make a population", in: populationForm{}, out: populationBody{}},
	"GET /{e}/populations/{p}": {summary: "Read a population", out: populationBody{}},
	"PUT /{e}/populations/{p}": {summary: "Change a population", in: populationForm{}, out: populationBody{}},
	"PATCH /{e}/populations/{p}": {
		summary: "Change what is named of a population",
		in:      populationForm{},
		out:     populationBody{},
	},
	"DELETE /{e}/populations/{p}": {summary: "Delete a population that has no users"},

	"GET /{e}/gateways": {
		summary: "List gateways",
		out:     gatewayBody{},
		list:    "gateways",
		filter:  "id, name, description, type, vendor, enabled",
		selects: []string{"expand=instances"},
	},
	"POST /{e}/gateways":    {summary: "Make a gateway, with its user types", in: gatewayForm{}, out: gatewayBody{}},
	"GET /{e}/gateways/{g}": {summary: "Read a gateway", out: gatewayBody{}, selects: []string{"expand=instances"}},
	"PUT /{e}/gateways/{g}": {summary: "Change a gateway", in: gatewayForm{}, out: gatewayBody{}},
	"DELETE /{e}/gateways/{g}": {
		summary: "Delete a gateway; with users only by force=true",
		selects: []string{"force=true"},
	},

	"GET /{e}/gateways/{g}/userTypes": {
		summary: "List the user types of a gateway",
		out:     userTypeBody{},
		list:    "userTypes",
	},
	"POST /{e}/gateways/{g}/userTypes": {summary: "Add a user type", in: userTypeForm{}, out: userTypeBody{}},
	"GET /{e}/gateways/{g}/userTypes/defaults": {
		summary: "Read the usual user type of the gateway's vendor, or of another",
		out:     userTypeForm{},
		selects: []string{"vendor=OpenLDAP"},
	},
	"GET /{e}/gateways/{g}/userTypes/{t}": {summary: "Read a user type", out: userTypeBody{}},
	"PUT /{e}/gateways/{g}/userTypes/{t}": {
		summary: "Change a user type",
		in:      userTypeForm{},
		out:     userTypeBody{},
	},
	"DELETE /{e}/gateways/{g}/userTypes/{t}": {
		summary: "Delete a user type; with users only by force=true",
		selects: []string{"force=true"},
	},
	"POST /{e}/gateways/{g}/userTypes/{t}/relink": {
		summary:  "Link all users of a user type to another",
		in:       relinkForm{},
		out:      map[string]any{},
		statuses: []int{http.StatusOK},
	},

	"GET /{e}/gateways/{g}/instances": {
		summary: "List the instances of a gateway",
		out:     instanceBody{},
		list:    "gatewayInstances",
		selects: []string{"include=revoked"},
	},
	"GET /{e}/gateways/{g}/instances/{i}":    {summary: "Read an instance", out: instanceBody{}},
	"DELETE /{e}/gateways/{g}/instances/{i}": {summary: "Revoke an instance"},
	"POST /{e}/gateways/{g}/instances/{i}/rotate": {
		summary:  "Have an instance change its keys; the answer has those of before",
		out:      instanceBody{},
		statuses: []int{http.StatusAccepted},
	},
	"GET /{e}/gateways/{g}/pairings": {
		summary: "List pending pairing codes",
		out:     pairingBody{},
		list:    "pairings",
	},
	"POST /{e}/gateways/{g}/pairings": {
		summary: "Make a pairing code, or decide on one that an agent shows",
		in:      decisionForm{},
		out:     pairingBody{},
		or:      instanceBody{},
	},
	"GET /{e}/gateways/{g}/pairings/{id}":    {summary: "Read a pending pairing code", out: pairingBody{}},
	"DELETE /{e}/gateways/{g}/pairings/{id}": {summary: "Take a pairing code back"},
	"GET /{e}/gateways/{g}/credentials": {
		summary: "List pending pairing codes, as credentials",
		out:     credentialBody{},
		list:    "credentials",
	},
	"POST /{e}/gateways/{g}/credentials": {summary: "Make a pairing code, as a credential", out: credentialBody{}},
	"GET /{e}/gateways/{g}/credentials/{id}": {
		summary: "Read a pending pairing code, as a credential",
		out:     credentialBody{},
	},
	"DELETE /{e}/gateways/{g}/credentials/{id}": {summary: "Take a pairing code back"},

	"GET /{e}/gateways/{g}/kerberosKeys": {
		summary: "List the Kerberos keys of a gateway",
		out:     keysBody{},
		list:    "kerberosKeys",
	},
	"POST /{e}/gateways/{g}/kerberosKeys":        {summary: "Use the keys of a keytab", in: keytabForm{}, out: keysBody{}},
	"DELETE /{e}/gateways/{g}/kerberosKeys/{id}": {summary: "Delete a set of Kerberos keys"},

	"GET /{e}/users": {
		summary: "List users",
		out:     userBody{},
		list:    "users",
		filter:  userFields,
		selects: []string{
			"include=memberOfGroupIDs,memberOfGroupNames",
			"sortBy=username, name.family, email, or lastSignOn.at with who never signed on at the end",
			"sortOrder=ascending or descending; by lastSignOn.at descending alone",
		},
	},
	"POST /{e}/users": {
		summary: "Make a user, linked to a user type when password.external says so",
		in:      importForm{},
		out:     userBody{},
	},
	"GET /{e}/users/{u}": {
		summary: "Read a user",
		out:     userBody{},
		selects: []string{"include=memberOfGroupIDs,memberOfGroupNames"},
	},
	"PUT /{e}/users/{u}": {summary: "Change a user", in: userForm{}, out: userBody{}},
	"PATCH /{e}/users/{u}": {
		summary: "Change what is named of a user",
		in:      userForm{},
		out:     userBody{},
	},
	"DELETE /{e}/users/{u}":              {summary: "Delete a user"},
	"DELETE /{e}/users/{u}/secondFactor": {summary: "Take away all second factors of a user, and sign the user off everywhere"},
	"POST /{e}/users/{u}/off": {
		summary:  "Sign a user off everywhere",
		statuses: []int{http.StatusNoContent},
	},
	"GET /{e}/users/{u}/password": {summary: "Read who checks a user's password", out: passwordBody{}},
	"PUT /{e}/users/{u}/password": {
		summary: "Link a user to a user type, or change the password in the directory",
		in:      passwordForm{},
		out:     passwordBody{},
	},
	"GET /{e}/users/{u}/memberOfGroups": {
		summary: "List a user's groups",
		out:     userGroupBody{},
		list:    "groupMemberships",
	},
	"POST /{e}/users/{u}/memberOfGroups": {
		summary: "Put a user into an ordinary group",
		in:      reference{},
		out:     userGroupBody{},
	},
	"GET /{e}/users/{u}/memberOfGroups/{id}":    {summary: "Read one of a user's groups", out: userGroupBody{}},
	"DELETE /{e}/users/{u}/memberOfGroups/{id}": {summary: "Take a user out of a group"},

	"GET /{e}/groups": {
		summary: "List groups",
		out:     groupBody{},
		list:    "groups",
		filter:  groupFields,
		selects: []string{"sortBy=displayName, sourceType or updatedAt", "sortOrder=ascending or descending"},
	},
	"POST /{e}/groups":        {summary: "Make an ordinary group", in: groupForm{}, out: groupBody{}},
	"GET /{e}/groups/{id}":    {summary: "Read a group", out: groupBody{}},
	"PUT /{e}/groups/{id}":    {summary: "Change a group", in: groupForm{}, out: groupBody{}},
	"PATCH /{e}/groups/{id}":  {summary: "Change what is named of a group", in: groupForm{}, out: groupBody{}},
	"DELETE /{e}/groups/{id}": {summary: "Delete a group"},

	"GET /{e}/signOns": {
		summary: "List sign-ons, the newest first",
		out:     signOnBody{},
		list:    "signOns",
		filter:  "user.id",
	},
	"POST /{e}/signOns": {
		summary: "Sign a person on for a trusted back end, by the password alone: no second factor is asked for here",
		in:      signOnForm{},
		out:     signOnBody{},
	},
	"GET /{e}/signOns/{id}": {summary: "Read a sign-on", out: signOnBody{}},
	"GET /{e}/activities": {
		summary: "List what happened, the newest first",
		out:     activityBody{},
		list:    "activities",
		filter:  "action, actor, subject, signOn.id",
	},

	"GET /{e}/applications": {
		summary: "List applications",
		out:     applicationBody{},
		or:      samlApplicationBody{},
		list:    "applications",
		filter:  "id, clientId, name, description, type, protocol, spEntityId, enabled",
	},
	"POST /{e}/applications":                       {summary: "Make an application; one of SAML also of its metadata, as application/samlmetadata+xml", in: applicationForm{}, orIn: samlApplicationForm{}, out: applicationBody{}, or: samlApplicationBody{}, selects: []string{"entityId=", "name="}},
	"GET /{e}/applications/{a}":                    {summary: "Read an application", out: applicationBody{}, or: samlApplicationBody{}},
	"PUT /{e}/applications/{a}":                    {summary: "Change an application", in: applicationForm{}, orIn: samlApplicationForm{}, out: applicationBody{}, or: samlApplicationBody{}},
	"DELETE /{e}/applications/{a}":                 {summary: "Delete an application"},
	"POST /{e}/applications/{a}/secret":            {summary: "Make a new secret; the one before is good until previous.expiresAt, or no more", in: secretForm{}, out: secretBody{}},
	"DELETE /{e}/applications/{a}/secret/previous": {summary: "End the secret before the present one at once"},
	"GET /{e}/applications/{a}/sharedGroupNames": {
		summary: "List groups that the application cannot tell from those of another source, by their name",
		out:     groupBody{},
		list:    "groups",
		filter:  "id, name, displayName, sourceType, sourceId",
	},

	"GET /{e}/administrators": {
		summary: "List the administrators of the console",
		out:     administratorBody{},
		list:    "administrators",
	},
	"POST /{e}/administrators": {
		summary: "Make an administrator; the answer has the secret by which they set a password",
		in:      administratorForm{},
		out:     administratorBody{},
	},
	"GET /{e}/administrators/{id}": {summary: "Read an administrator", out: administratorBody{}},
	"PATCH /{e}/administrators/{id}": {
		summary: "Give an administrator another role",
		in:      administratorForm{},
		out:     administratorBody{},
	},
	"DELETE /{e}/administrators/{id}": {summary: "Remove an administrator"},
	"POST /{e}/administrators/{id}/reset": {
		summary: "Take away an administrator's password and factors; the answer has a new set-up secret",
		out:     administratorBody{},
	},

	"GET /{e}/roleGroups": {
		summary: "List the groups whose members have a role in the console",
		out:     roleGroupBody{},
		list:    "roleGroups",
	},
	"GET /{e}/roleGroups/{id}":    {summary: "Read the role that a group gives", out: roleGroupBody{}},
	"PUT /{e}/roleGroups/{id}":    {summary: "Have a group give its members a role", in: roleForm{}, out: roleGroupBody{}},
	"DELETE /{e}/roleGroups/{id}": {summary: "Have a group give no role any more"},
}

// document is the OpenAPI document under construction.
type document struct {
	reflector jsonschema.Reflector
	schemas   map[string]any
}

type object = map[string]any

// name is what a type is called in the document.
func name(t reflect.Type) string {
	n := strings.TrimSuffix(t.Name(), "Body")
	if n == "" {
		return "" // a slice, a map
	}
	return string(unicode.ToUpper(rune(n[0]))) + n[1:]
}

// schema returns a reference to the schema of a value's type, and keeps it. A form
// may leave out what it likes, and have more.
func (d *document) schema(v any) object {
	if reflect.TypeOf(v).Kind() == reflect.Map {
		return object{"type": "object"}
	}
	s := d.reflector.Reflect(v)
	for n, def := range s.Definitions {
		b, err := json.Marshal(def)
		if err != nil {
			panic(err)
		}
		var plain object
		if err := json.Unmarshal(
			bytes.ReplaceAll(b, []byte("#/$defs/"), []byte("#/components/schemas/")),
			&plain,
		); err != nil {
			panic(err)
		}
		delete(plain, "$schema")
		if strings.HasSuffix(n, "Form") {
			delete(plain, "additionalProperties")
			delete(plain, "required")
		}
		d.schemas[n] = plain
	}
	return object{"$ref": "#/components/schemas/" + name(reflect.TypeOf(v))}
}

func inJSON(schema object) object {
	return object{"application/json": object{"schema": schema}}
}

func (d *document) list(o operation) object {
	return object{
		"type":     "object",
		"required": []string{"_links", "_embedded", "count", "size"},
		"properties": object{
			"_links": object{"$ref": "#/components/schemas/Links"},
			"_embedded": object{
				"type":       "object",
				"required":   []string{o.list},
				"properties": object{o.list: object{"type": "array", "items": d.either(o.out, o.or)}},
			},
			"count": object{"type": "integer"},
			"size":  object{"type": "integer"},
		},
	}
}

func parameter(in, name, description string, required bool) object {
	p := object{"in": in, "name": name, "schema": object{"type": "string"}}
	if description != "" {
		p["description"] = description
	}
	if required {
		p["required"] = true
	}
	return p
}

var placeholder = regexp.MustCompile(`\{(\w+)\}`)

// operation writes one endpoint.
func (d *document) operation(method, path string, o operation) object {
	parameters := []object{}
	for _, m := range placeholder.FindAllStringSubmatch(path, -1) {
		parameters = append(parameters, parameter("path", m[1], "", true))
	}
	if o.list != "" {
		parameters = append(
			parameters,
			parameter("query", "limit", "How many at most, from 1; more than 1000 is taken for 1000, and 100 when it is not given", false),
			parameter("query", "cursor", "From the next link of the part before", false),
		)
	}
	if o.list != "" && o.filter == "" {
		o.filter = "what the list has; a refusal names its fields"
	}
	if o.filter != "" {
		parameters = append(
			parameters,
			parameter(
				"query",
				"filter",
				"SCIM filter (RFC 7644): eq, ne, sw, co, ew, pr, and, or, not, parentheses, on "+o.filter,
				false,
			),
		)
	}
	for _, s := range o.selects {
		n, value, _ := strings.Cut(s, "=")
		parameters = append(parameters, parameter("query", n, "As in "+value, false))
	}
	switch method {
	case "POST":
		parameters = append(
			parameters,
			parameter("header", "Idempotency-Key", "The same request under the same key is done once", false),
		)
	case "PUT", "PATCH", "DELETE":
		parameters = append(parameters, parameter("header", "If-Match", "ETag of the resource as it was read", false))
	case "GET":
		parameters = append(parameters, parameter("header", "If-None-Match", "ETag of what the client has", false))
	}
	return object{
		"operationId": operationID(method, path, o),
		"summary":     o.summary,
		"parameters":  parameters,
		"responses":   d.responses(method, o),
		"tags":        []string{tag(path)},
		"requestBody": d.body(o),
	}
}

// operationID names an endpoint for generators of clients, as in "listUsers".
func operationID(method, path string, o operation) string {
	id := map[string]string{
		"GET":    "read",
		"POST":   "create",
		"PUT":    "replace",
		"PATCH":  "update",
		"DELETE": "delete",
	}[method]
	if o.list != "" {
		id = "list"
	}
	parts := strings.Split("environments"+strings.TrimPrefix(path, "/{e}"), "/")[min(1, strings.Count(path, "/{e}/")):]
	if beside, is := strings.CutPrefix(path, "//"); is {
		parts = strings.Split(beside, "/")
	}
	for _, part := range parts {
		if !strings.HasPrefix(part, "{") {
			id += string(unicode.ToUpper(rune(part[0]))) + part[1:]
		}
	}
	return id
}

func tag(path string) string {
	parts := strings.Split(path, "/")
	if len(parts) < 3 || parts[2] == "billOfMaterials" || parts[2] == "brand" {
		return "environments"
	}
	return parts[2]
}

func (d *document) body(o operation) any {
	if o.in == nil {
		return nil
	}
	return object{"required": true, "content": inJSON(d.either(o.in, o.orIn))}
}

// either is the schema of one or the other; b may be nil.
func (d *document) either(a, b any) object {
	if b == nil {
		return d.schema(a)
	}
	return object{"oneOf": []object{d.schema(a), d.schema(b)}}
}

func (d *document) responses(method string, o operation) object {
	all := object{"default": object{"description": "Refused", "content": inJSON(d.schema(problem{}))}}
	success := object{"description": "Done"}
	status := http.StatusOK
	switch {
	case o.list != "":
		success["content"] = inJSON(d.list(o))
	case o.or != nil:
		success["content"] = inJSON(d.either(o.out, o.or))
	case o.out != nil:
		success["content"] = inJSON(d.schema(o.out))
	default:
		status = http.StatusNoContent
	}
	if method == "POST" {
		status = http.StatusCreated
	}
	if len(o.statuses) > 0 {
		status = o.statuses[0]
	}
	all[fmt.Sprint(status)] = success
	return all
}

// write returns the whole document.
func writeDocument() object {
	d := &document{schemas: map[string]any{}, reflector: jsonschema.Reflector{Namer: name, DoNotReference: false}}
	d.schemas["Links"] = object{
		"type": "object",
		"additionalProperties": object{
			"type":       "object",
			"required":   []string{"href"},
			"properties": object{"href": object{"type": "string"}},
		},
	}
	paths := object{}
	for pattern, o := range operations {
		method, path, _ := strings.Cut(pattern, " ")
		full := address(path)
		if paths[full] == nil {
			paths[full] = object{}
		}
		op := d.operation(method, path, o)
		if op["requestBody"] == nil {
			delete(op, "requestBody")
		}
		paths[full].(object)[strings.ToLower(method)] = op
	}
	return object{
		"openapi": "3.1.0",
		"info": object{
			"title":       "ldap-cloud",
			"version":     "1",
			"description": "Gateways, users, groups, sign-ons and applications of one environment. Access tokens come from POST /{environmentId}/as/token by client credentials.",
		},
		"servers":  []object{{"url": "/"}},
		"security": []object{{"bearer": []string{}}},
		"paths":    paths,
		"components": object{
			"schemas":         d.schemas,
			"securitySchemes": object{"bearer": object{"type": "http", "scheme": "bearer"}},
		},
	}
}

// TestOpenAPI holds the document against the types of the handlers, and its paths
// against the routes.
func TestOpenAPI(t *testing.T) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(writeDocument()); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("openapi.json", out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(filepath.Join("openapi.json"))
	if err != nil || !bytes.Equal(kept, out.Bytes()) {
		t.Errorf("openapi.json is not what the handlers do: go test ./cloud/api -run OpenAPI -update (%v)", err)
	}
	routes := (&Server{}).Routes()
	for _, r := range routes {
		if _, ok := operations[r]; !ok {
			t.Errorf("%q is not in the document", r)
		}
	}
	for pattern := range operations {
		if !slices.Contains(routes, pattern) {
			t.Errorf("%q is in the document, and no route", pattern)
		}
	}
}
