package samlidp

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/crewjam/saml"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/store"
)

// Formats of name IDs that say what a value is.
const (
	persistent = string(saml.PersistentNameIDFormat)
	transient  = string(saml.TransientNameIDFormat)
)

// pseudonym is a name that says nothing, and is the same for the same: 128 bits that nobody
// can make who has not the master key.
func (s *Server) pseudonym(kind string, parts ...string) string {
	key := s.Vault.Derive("saml " + kind)
	h := hmac.New(sha256.New, key[:])
	_, _ = h.Write([]byte(strings.Join(parts, "\x00"))) // does not fail
	return "_" + hex.EncodeToString(h.Sum(nil)[:16])
}

// nameID is what an application knows somebody by. What is empty, another's too, or not
// proven is refused, since the person would be nobody there, or somebody else.
func (k *call) nameID(a store.Application, u store.User, by store.SignedOn) (n saml.NameID, err error) {
	n = saml.NameID{Format: a.SAML.NameIDFormat}
	switch {
	case n.Format == transient:
		n.Value = k.pseudonym("transient", a.ID, by.SignOnID)
	case n.Format == persistent && a.SAML.Subject == "":
		n.Value = k.pseudonym("persistent", a.ID, u.ID)
	default:
		n.Value, err = k.subject(a, u, by)
	}
	if n.Format == persistent || n.Format == transient {
		n.NameQualifier, n.SPNameQualifier = EntityID(k.Server.URL, k.env), a.SAML.EntityID
	}
	return n, err
}

// SubjectOf is the property that people are named by where the settings name none.
func SubjectOf(format string) string {
	if format == emailFormat {
		return "email"
	}
	return "id"
}

// subject is the property that an application knows people by.
func (k *call) subject(a store.Application, u store.User, by store.SignedOn) (string, error) {
	property := SubjectOf(a.SAML.NameIDFormat)
	if a.SAML.Subject != "" {
		property = store.ApplicationAttribute{Value: a.SAML.Subject}.Property()
	}
	raw := u.Property(property)
	value, ok := clean(raw)
	if !ok || value != raw || value == "" {
		return "", k.noSubject(a, u, property, "it is empty or cannot be written")
	}
	if property == "id" || property == "username" { // are nobody else's in an environment
		return value, nil
	}
	if property == "email" || property == "externalId" {
		alone, err := k.Store.AloneWith(k.Context(), u, property == "email")
		if err != nil {
			return "", err
		}
		if !alone {
			return "", k.noSubject(a, u, property, "another user has the same")
		}
	}
	trusted, err := k.trusted(a, u, by)
	if err == nil && !trusted {
		err = k.noSubject(a, u, property, "an identity provider says it, which is no proof: "+
			"set emailVerified of the application if it is people's own")
	}
	return value, err
}

// noSubject is a page for the person; the cause is the administrator's.
func (k *call) noSubject(a store.Application, u store.User, property, why string) error {
	return k.lacking(a, fmt.Errorf("application %s names people by %s, and of user %s: %s", a.ID, property, u.ID, why),
		"%s cannot know who you are: your account lacks what it goes by.")
}

// trusted tells whether what is known of somebody may identify them elsewhere. What a gateway
// or an administrator says may; a provider could say anything.
func (k *call) trusted(a store.Application, u store.User, by store.SignedOn) (bool, error) {
	if a.OpenID.EmailVerified || u.ProviderID == "" && by.ProviderID == "" {
		return true, nil
	}
	first, err := applications.First(k.Context(), k.Store, k.env)
	return first != "" && slices.Contains([]string{"", first}, u.ProviderID) &&
		slices.Contains([]string{"", first}, by.ProviderID), err
}

// The values of mappings that stand for a person's groups. The incumbent spells them in two
// ways.
var groupMappings = map[string]string{
	"${user.memberOfGroupNames}":  store.GroupNames,
	"${user.memberOfGroupsNames}": store.GroupNames,
	"${user.memberOfGroupIDs}":    store.GroupIDs,
	"${user.memberOfGroupsIDs}":   store.GroupIDs,
	"${user.memberOfGroups}":      "", // as the application's rule says
}

// OfGroups tells whether a mapping is of groups.
func OfGroups(value string) bool {
	_, is := groupMappings[value]
	return is
}

// attributes are what an application learns besides.
func (k *call) attributes(a store.Application, u store.User) (all []saml.Attribute, err error) {
	var groups []store.Group
	if slices.ContainsFunc(a.Kept.Attributes, func(m store.ApplicationAttribute) bool { return OfGroups(m.Value) }) {
		if groups, err = applications.Groups(k.Context(), k.Store, u, a.Groups); err != nil {
			return nil, err
		}
		if most := a.SAML.Groups(); len(groups) > most {
			return nil, k.lacking(a,
				fmt.Errorf("user %s is in %d groups that application %s learns, at most %d: choose which (groupsClaim), "+
					"or raise maxGroups", u.ID, len(groups), a.ID, most),
				"Your account is in more groups than %s can take.")
		}
	}
	for _, m := range a.Kept.Attributes {
		values, err := k.values(a, u, m, groups)
		if err != nil {
			return nil, err
		}
		if m.Required && len(values) == 0 {
			return nil, k.lacking(a,
				fmt.Errorf("attribute %q of application %s is required, and has no value for user %s", m.Name, a.ID, u.ID),
				"%s wants to know something that your account lacks.")
		}
		if len(values) == 0 && !OfGroups(m.Value) { // that there is no group is said
			continue
		}
		one := saml.Attribute{Name: m.Name, NameFormat: m.NameFormat}
		for _, v := range values {
			one.Values = append(one.Values, saml.AttributeValue{Value: v})
		}
		all = append(all, one)
	}
	return all, nil
}

// values are those of one mapping, without those that XML cannot say.
func (k *call) values(
	a store.Application, u store.User, m store.ApplicationAttribute, groups []store.Group,
) (values []string, err error) {
	var raw []string
	switch kind, grouped := groupMappings[m.Value]; {
	case grouped:
		if raw, err = groupTexts(a, kind, groups); err != nil {
			return nil, err
		}
	case strings.HasPrefix(m.Value, "${"):
		raw = []string{u.Property(m.Property())}
	default:
		raw = []string{m.Value} // a constant
	}
	for _, v := range raw {
		text, ok := clean(v)
		if !ok {
			k.Logger.Warn("a value is left out: it has characters that XML cannot say", "environment", k.env,
				"application", a.ID, "user", u.ID, "attribute", m.Name)
		}
		if ok && text != "" {
			values = append(values, text)
		}
	}
	return values, nil
}

// groupTexts are the groups as texts, in an order that does not change; objects are JSON.
func groupTexts(a store.Application, kind string, groups []store.Group) (all []string, err error) {
	if kind == "" {
		kind = a.Groups.Value
	}
	for _, g := range groups {
		switch v := applications.Value(kind, g).(type) {
		case string:
			all = append(all, v)
		default:
			b, err := json.Marshal(v)
			if err != nil {
				return nil, err
			}
			all = append(all, string(b))
		}
	}
	slices.Sort(all)
	return all, nil
}

// clean is a text as XML can say it: a carriage return would be read as something else, and
// the signature be wrong. It is false for what XML has no way to say (xml 2.2).
func clean(text string) (string, bool) {
	if !utf8.ValidString(text) {
		return "", false
	}
	for _, c := range text {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0xFFFE || c == 0xFFFF {
			return "", false
		}
	}
	return strings.NewReplacer("\r\n", " ", "\r", " ").Replace(text), true
}
