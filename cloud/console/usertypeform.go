package console

import (
	"net/url"
	"strconv"
	"strings"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/mapping"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/usertypes"
)

// emptyRows is how many rows for further mappings the form has.
const emptyRows = 4

// maxRows bounds what a request can make the form as long as.
const maxRows = 200

// userTypeForm is a user type as it is edited: as typed, whatever it is.
type userTypeForm struct {
	Name, SearchBase, Filter, Correlation, Population string
	Usernames                                         string
	Rows                                              []mappingRow
	Groups                                            bool
	GroupAttribute, GroupBase, NameAttribute          string
	Identity, Include, Exclude                        string
	Update, Passwords, LinksOnly                      bool
	Revision                                          string // of the gateway when the form was shown

	Errors map[string]string // by field; "form" for the whole
}

// mappingRow fills one property of a user from one attribute.
type mappingRow struct{ Property, Attribute, Error string }

// formOf returns the form of a user type of a gateway.
// The mapping of groups has fields of its own; every other is a row.
func formOf(g store.Gateway, t store.UserType) userTypeForm {
	f := userTypeForm{
		Name:          t.Name,
		Usernames:     lines(t.Usernames),
		SearchBase:    t.SearchBaseDN,
		Filter:        t.FilterPattern,
		Correlation:   lines(t.Correlation),
		Population:    t.PopulationID,
		GroupBase:     t.Groups.SearchBaseDN,
		NameAttribute: t.Groups.NameAttribute,
		Identity:      t.Groups.Identity,
		Include:       lines(t.Groups.Include),
		Exclude:       lines(t.Groups.Exclude),
		Update:        t.UpdateOnSignOn,
		Passwords:     t.AllowPasswords,
		LinksOnly:     t.LinksOnly,
		Revision:      strconv.FormatUint(g.Revision, 10),
	}
	for _, m := range t.Mappings {
		if m.Name == mapping.Groups {
			f.Groups, f.GroupAttribute = true, short(m.Value)
		} else {
			f.Rows = append(f.Rows, mappingRow{Property: m.Name, Attribute: short(m.Value)})
		}
	}
	return f
}

// readUserType returns what was typed.
// A query is read as well as a form: with it the usual values come into what was typed.
func readUserType(v url.Values) userTypeForm {
	text := func(name string) string { return strings.TrimSpace(v.Get(name)) }
	f := userTypeForm{
		Name:           text("name"),
		Usernames:      v.Get("usernames"),
		SearchBase:     text("base"),
		Filter:         text("filter"),
		Correlation:    v.Get("correlation"),
		Population:     text("population"),
		Groups:         text("groups") == "yes",
		GroupAttribute: text("groupAttribute"),
		GroupBase:      text("groupBase"),
		NameAttribute:  text("nameAttribute"),
		Identity:       text("identity"),
		Include:        v.Get("include"),
		Exclude:        v.Get("exclude"),
		Update:         text("update") == "yes",
		Passwords:      text("passwords") == "yes",
		LinksOnly:      text("linksOnly") == "yes",
		Revision:       text("revision"),
	}
	properties, attributes := v["property"], v["attribute"]
	// Browsers send both of each row; what one list has more than the other is left
	// out.
	for i := 0; i < min(len(properties), len(attributes), maxRows); i++ {
		row := mappingRow{Property: strings.TrimSpace(properties[i]), Attribute: strings.TrimSpace(attributes[i])}
		if row != (mappingRow{}) {
			f.Rows = append(f.Rows, row)
		}
	}
	return f
}

// usual puts a vendor's usual values into the form; name, base and population stay.
func (f *userTypeForm) usual(vendor string) {
	with := formOf(store.Gateway{}, usertypes.Usual(vendor))
	f.Filter, f.Correlation, f.Rows = with.Filter, with.Correlation, with.Rows
	f.Groups, f.GroupAttribute, f.Identity = with.Groups, with.GroupAttribute, with.Identity
}

// value returns the user type that the form describes.
// It checks nothing: management says by field what is wrong.
func (f userTypeForm) value() store.UserType {
	t := store.UserType{
		Name:              f.Name,
		Usernames:         split(f.Usernames),
		SearchBaseDN:      f.SearchBase,
		Correlation:       split(f.Correlation),
		PasswordAuthority: usertypes.Authority,
		AllowPasswords:    f.Passwords,
		UpdateOnSignOn:    f.Update,
		FilterPattern:     f.Filter,
		LinksOnly:         f.LinksOnly,
		PopulationID:      f.Population,
		Groups: store.GroupRule{
			SearchBaseDN:  f.GroupBase,
			NameAttribute: f.NameAttribute,
			Identity:      f.Identity,
			Include:       split(f.Include),
			Exclude:       split(f.Exclude),
		},
	}
	for _, r := range f.Rows {
		t.Mappings = append(t.Mappings, store.Mapping{Name: r.Property, Value: long(r.Attribute)})
	}
	if f.Groups {
		t.Mappings = append(t.Mappings, store.Mapping{Name: mapping.Groups, Value: long(f.GroupAttribute)})
	}
	return t
}

// split returns the lines of a text that are not blank.
func split(text string) (all []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// short returns the attribute of a template that is nothing else, to be typed
// by people; any other template as it is.
func short(template string) string {
	if name, ok := mapping.Attribute(template); ok {
		return name
	}
	return template
}

// long undoes short.
// What is more than the name of an attribute is a template already.
func long(typed string) string {
	if typed == "" || strings.Contains(typed, "${") {
		return typed
	}
	return mapping.Of(typed)
}

// wrong puts what is wrong beside its field.
// Faults count the mappings from 1, and that of groups is behind the rows.
func (f *userTypeForm) wrong(x fault.Fault) {
	field, message := fields[x.Field], x.Message
	switch {
	case x.Field == fault.TypeTarget:
		message = "Choose a population."
	case x.Kind == fault.Missing && x.Field != fault.Mappings:
		message = "Fill this in."
	}
	switch {
	case field == "mappings" && x.Item == len(f.Rows)+1: // the one behind them is that of groups
		f.say("groupAttribute", "It must be the name of an attribute, as in memberOf.")
	case field == "mappings" && x.Item > 0:
		f.Rows[x.Item-1].Error = rowMessage(x)
	default:
		f.say(field, message)
	}
}

// rowMessage is the sentence beside a mapping.
func rowMessage(x fault.Fault) string {
	switch {
	case x.Kind == fault.Missing:
		return "Name the property."
	case x.Field == fault.MappingValue:
		return "Name one attribute, as in mail."
	}
	return "Another row has this property."
}

// say adds a message beside a field.
// Several of one field are all shown, one after the other.
func (f *userTypeForm) say(field, message string) {
	if f.Errors == nil {
		f.Errors = map[string]string{}
	}
	f.Errors[field] = strings.TrimSpace(f.Errors[field] + " " + message)
}
