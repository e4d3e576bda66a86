package management_test

import (
	"errors"
	"strings"
	"testing"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/store"
)

// TestBrand takes what people can read and follow, and tells of every other what is wrong. Ratios
// are those of WCAG 2.2 by hand: yellow on white has 1.07 : 1, #767676 4.54 : 1, #777777 4.48 : 1.
func TestBrand(t *testing.T) {
	h := open(t)
	w := h.world()
	for name, c := range map[string]struct {
		brand store.Brand
		field fault.Field // empty: it is kept
		says  string
	}{
		"none":               {store.Brand{}, "", ""},
		"the usual ones":     {store.Brand{Colour: "#17598a", DarkColour: "#86c1ec"}, "", ""},
		"black":              {store.Brand{Colour: "#000000"}, "", ""},
		"white on dark":      {store.Brand{DarkColour: "#ffffff"}, "", ""},
		"just dark enough":   {store.Brand{Colour: "#767676"}, "", ""},
		"just too light":     {store.Brand{Colour: "#777777"}, fault.Colour, "4.4 : 1"},
		"yellow":             {store.Brand{Colour: "#ffff00"}, fault.Colour, "1.0 : 1, and needs 4.5 : 1 to be read. Choose a darker one."},
		"dark on dark":       {store.Brand{DarkColour: "#17598a"}, fault.DarkColour, "Choose a lighter one."},
		"a name":             {store.Brand{Colour: "navy"}, fault.Colour, "#17598a"},
		"short":              {store.Brand{Colour: "#000"}, fault.Colour, "#17598a"},
		"capitals":           {store.Brand{DarkColour: "#FFFFFF"}, fault.DarkColour, "#17598a"},
		"no digits":          {store.Brand{Colour: "#00000g"}, fault.Colour, "#17598a"},
		"more than a colour": {store.Brand{Colour: "#000000;}"}, fault.Colour, "#17598a"},
		"a line's end":       {store.Brand{Colour: "#000000\n"}, fault.Colour, "#17598a"},

		"links": {store.Brand{
			Help: "https://example.com", Privacy: "https://example.com/p?q=1#f", Imprint: "https://[::1]:8443/",
		}, "", ""},
		"no TLS":       {store.Brand{Help: "http://example.com/"}, fault.HelpLink, "https://example.com/page"},
		"a script":     {store.Brand{Help: "javascript:alert(1)"}, fault.HelpLink, "https://example.com/page"},
		"data":         {store.Brand{Privacy: "data:text/html,x"}, fault.PrivacyLink, "https://example.com/page"},
		"mail":         {store.Brand{Help: "mailto:help@example.com"}, fault.HelpLink, "https://example.com/page"},
		"of here":      {store.Brand{Imprint: "/imprint"}, fault.ImprintLink, "https://example.com/page"},
		"no scheme":    {store.Brand{Imprint: "//example.com"}, fault.ImprintLink, "https://example.com/page"},
		"no host":      {store.Brand{Imprint: "https:///x"}, fault.ImprintLink, "https://example.com/page"},
		"with a user":  {store.Brand{Privacy: "https://id@example.com"}, fault.PrivacyLink, "https://example.com/page"},
		"a text":       {store.Brand{Text: "Fragen? <b>Durchwahl</b> 1234 – {{.}} 🙂"}, "", ""},
		"a long text":  {store.Brand{Text: strings.Repeat("é", 151)}, fault.BrandText, "300"},
		"two lines":    {store.Brand{Text: "a\nb"}, fault.BrandText, "one line"},
		"turned round": {store.Brand{Text: "a\u202eb"}, fault.BrandText, "one line"},
		"no text":      {store.Brand{Text: "a\x00"}, fault.BrandText, "one line"},

		"too long": {store.Brand{Help: "https://e.x/" + strings.Repeat("x", 500)}, fault.HelpLink, "500"},
	} {
		_, err := w.ChangeSettings(t.Context(), w.as(store.RoleOwner), func(e *store.Environment) error {
			e.Settings.Brand = c.brand
			return nil
		})
		var l fault.List
		if c.field == "" {
			env, read := w.Store.Environment(t.Context(), w.env)
			if err != nil || read != nil || env.Settings.Brand != c.brand {
				t.Errorf("%s: %v, %+v", name, errors.Join(err, read), env.Settings.Brand)
			}
		} else if !errors.As(err, &l) || len(l) != 1 || l[0].Field != c.field || !strings.Contains(l[0].Message, c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := w.SetBrand(t.Context(), w.as(store.RoleOwner), func(e *store.Environment) error {
		e.Name, e.Settings = "", store.Settings{SecondFactor: true, Brand: store.Brand{Help: "https://example.com"}}
		return nil
	})
	if env, read := w.Store.Environment(t.Context(), w.env); err != nil || read != nil || env.Name == "" ||
		env.Settings.SecondFactor || env.Settings.Brand.Help != "https://example.com" {
		t.Errorf("%v, %+v", errors.Join(err, read), env)
	}
	_, err = w.RenameEnvironment(t.Context(), w.as(store.RoleIdentityAdmin), func(e *store.Environment) error {
		e.Settings.Brand = store.Brand{Help: "https://evil.example"}
		return nil
	})
	env, read := w.Store.Environment(t.Context(), w.env)
	if err != nil || read != nil || env.Settings.Brand.Help == "https://evil.example" {
		t.Errorf("who may name it leads people elsewhere: %v", errors.Join(err, read))
	}
}
