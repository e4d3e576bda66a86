package console

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"ldap-gateway/cloud/signon"
	"ldap-gateway/cloud/store"
)

// settingsPage is what holds for the whole environment.
type settingsPage struct {
	store.Environment
	SignOn string // address of the sign-on page
	Short  string // the same by the short name; empty: there is none
	Stored string // of the database, in megabytes; empty: not known
	Seen   string // when it was changed, when the form was shown
	Errors map[string]string
}

func (c *console) showSettings(k *call) error {
	env, err := c.Store.Environment(k.Context(), k.env())
	if err != nil {
		return err
	}
	return c.renderSettings(k, http.StatusOK, settingsPage{Environment: env})
}

func (c *console) renderSettings(k *call, status int, page settingsPage) error {
	if page.Seen == "" {
		page.Seen = seenAs(page.UpdatedAt)
	}
	page.SignOn = c.URL + "/" + k.env() + "/signon"
	env, err := c.Store.Environment(k.Context(), k.env())
	if err != nil {
		return err
	}
	if env.ShortName != "" {
		page.Short = c.URL + "/" + env.ShortName
	}
	if page.Stored, err = c.stored(k); err != nil {
		return err
	}
	return k.render(status, "settings", "Settings", page)
}

// saveSettings changes what the form shows, within the settings as they are kept at
// that moment.
func (c *console) saveSettings(k *call) error {
	page := settingsPage{Seen: k.posted("seen")}
	_, err := c.Management.ChangeSettings(k.Context(), k.by(), func(e *store.Environment) error {
		page.Environment = *e
		page.Name, page.ShortName = k.posted("name"), k.posted("short-name")
		page.Settings.SecondFactor = k.posted("second-factor") == "yes"
		page.Settings.SignOnDays, page.Settings.ActivityDays = k.days("sign-on-days"), k.days("activity-days")
		page.Settings.Brand = store.Brand{
			Colour:     strings.ToLower(k.posted("colour")),
			DarkColour: strings.ToLower(k.posted("dark-colour")),
			Help:       k.posted("help-link"),
			Privacy:    k.posted("privacy-link"),
			Imprint:    k.posted("imprint-link"),
			Text:       k.posted("brand-text"),
		}
		if err := unseen(&page.Seen, e.UpdatedAt, "environment"); err != nil {
			return err
		}
		*e = page.Environment
		return nil
	})
	if wrong, ok := faults(err); ok {
		page.Errors = wrong
		return c.renderSettings(k, http.StatusUnprocessableEntity, page)
	}
	if err != nil {
		return err
	}
	return k.done("/console/settings", "Saved.")
}

// wrongDays is what is kept of a number of days that is none: management refuses it.
const wrongDays = -2

// days reads for how many days something is kept: nothing for the usual time, 0 for ever.
func (k *call) days(field string) int {
	typed := k.posted(field)
	n, err := strconv.Atoi(typed)
	switch {
	case typed == "":
		return 0
	case err != nil || n < 0:
		return wrongDays
	case n == 0:
		return store.Forever
	}
	return n
}

// ShownDays is what days reads.
func (settingsPage) ShownDays(n int) string {
	switch n {
	case 0, wrongDays:
		return ""
	case store.Forever:
		return "0"
	}
	return strconv.Itoa(n)
}

// UsualSignOnDays is how long sign-ons are kept unless the environment says otherwise.
func (settingsPage) UsualSignOnDays() int { return store.UsualSignOnDays }

// UsualActivityDays is that of activities.
func (settingsPage) UsualActivityDays() int { return store.UsualActivityDays }

// The most that a logo may be.
const (
	maxLogo      = 128 << 10 // bytes
	maxLogoSides = 1024      // pixels
)

// saveLogo keeps a picture, written anew: what else was in the file is not.
func (c *console) saveLogo(k *call) error {
	picture, wrong, err := readLogo(k)
	if err != nil {
		return err
	}
	if wrong != "" {
		env, err := c.Store.Environment(k.Context(), k.env())
		if err != nil {
			return err
		}
		return c.renderSettings(k, http.StatusUnprocessableEntity, settingsPage{
			Environment: env,
			Errors:      map[string]string{"logo": wrong},
		})
	}
	if err := c.Management.SetLogo(k.Context(), k.by(), picture); err != nil {
		return err
	}
	return k.done("/console/settings", "Saved.")
}

// readLogo returns the picture of a form, nil when there is none, or what is
// wrong with it.
func readLogo(k *call) (picture []byte, wrong string, err error) {
	file, _, err := k.FormFile("logo")
	switch {
	case errors.Is(err, http.ErrNotMultipart): // the form that takes it away
		return nil, "", nil
	case errors.Is(err, http.ErrMissingFile):
		return nil, "Choose a picture.", nil
	case err != nil:
		return nil, "", err
	}
	defer file.Close()
	// One byte more than is taken, to tell what is too long.
	b, err := io.ReadAll(io.LimitReader(file, maxLogo+1))
	if err != nil {
		return nil, "", err
	}
	// The size is read first: a few bytes can claim a picture that fills the memory.
	size, err := png.DecodeConfig(bytes.NewReader(b))
	if err != nil || len(b) > maxLogo || size.Width > maxLogoSides || size.Height > maxLogoSides {
		return nil, "It must be a PNG picture of at most 128 KiB and 1024 pixels a side.", nil
	}
	var decoded image.Image
	if decoded, err = png.Decode(bytes.NewReader(b)); err != nil {
		return nil, "This PNG picture is damaged.", nil
	}
	var out bytes.Buffer
	err = png.Encode(&out, decoded)
	return out.Bytes(), "", err
}

// drawLogo answers with the environment's logo, which saveLogo made a PNG of whatever
// came; store.ErrNotFound when there is none.
func (c *console) drawLogo(k *call) error {
	picture, err := c.Store.Logo(k.Context(), k.env())
	if err != nil {
		return err
	}
	k.w.Header().Set("Content-Type", "image/png")
	_, _ = k.w.Write(picture) // the browser is gone: nobody to tell
	return nil
}

// orderPage is in which order user types are asked. Shared are the gateways that each see
// names and passwords of people whom the cloud does not know and who are the others'.
type orderPage struct {
	Routes []signon.Route
	Shared []string
}

// showOrder shows the user types in the order in which a sign-on asks them.
func (c *console) showOrder(k *call) error {
	ways, err := signon.Routes(k.Context(), c.Store, k.env())
	if err != nil {
		return err
	}
	return k.render(http.StatusOK, "order", "Sign-on order", orderPage{ways, shared(ways)})
}

// shared returns the names of the gateways that are asked for the same people; none when
// there is only one.
func shared(routes []signon.Route) (names []string) {
	for _, r := range signon.Open(routes) {
		if r.Gateway.Enabled && !slices.Contains(names, r.Gateway.Name) {
			names = append(names, r.Gateway.Name)
		}
	}
	if len(names) < 2 {
		return nil
	}
	return names
}

// moveOrder moves one user type up or down.
// A form that makes no sense any more, as one of an old page, leads to the order as it
// is.
func (c *console) moveOrder(k *call) error {
	places, err := strconv.Atoi(k.posted("by"))
	if err != nil {
		return k.goTo("/console/settings/sign-on")
	}
	ref := store.UserTypeRef{Gateway: k.posted("gateway"), UserType: k.posted("type")}
	name, err := c.Management.MoveSignOnOrder(k.Context(), k.by(), ref, places)
	if errors.Is(err, store.ErrNotFound) {
		return k.goTo("/console/settings/sign-on")
	}
	if err != nil {
		return err
	}
	return k.done("/console/settings/sign-on", name+" was moved.")
}
