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

	"ldap-gateway/cloud/signon"
	"ldap-gateway/cloud/store"
)

// settingsPage is what holds for the whole environment.
type settingsPage struct {
	store.Environment
	SignOn string // address of the sign-on page
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
	page.SignOn = c.URL + "/" + k.env() + "/signon"
	return k.render(status, "settings", "Settings", page)
}

func (c *console) saveSettings(k *call) error {
	env, err := c.Store.Environment(k.Context(), k.env())
	if err != nil {
		return err
	}
	env.Name, env.Settings.SecondFactor = k.posted("name"), k.posted("second-factor") == "yes"
	if env.Name == "" || len(env.Name) > 200 {
		return c.renderSettings(k, http.StatusUnprocessableEntity, settingsPage{Environment: env, Errors: map[string]string{"name": "Give the environment a name of at most 200 characters."}})
	}
	if err := k.notingSettings(map[string]any{"name": env.Name, "secondFactor": env.Settings.SecondFactor}).UpdateEnvironment(k.Context(), &env); err != nil {
		return err
	}
	return k.done("/console/settings", "Saved.")
}

func (k *call) notingSettings(detail map[string]any) *store.Store {
	return k.noting(func() note {
		return note{"environment.updated", "environment:" + k.env(), "the settings were changed", detail}
	})
}

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
		return c.renderSettings(k, http.StatusUnprocessableEntity, settingsPage{Environment: env, Errors: map[string]string{"logo": wrong}})
	}
	if err := k.notingSettings(map[string]any{"logo": picture != nil}).SetLogo(k.Context(), k.env(), picture); err != nil {
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
	b, err := io.ReadAll(io.LimitReader(file, maxLogo+1))
	if err != nil {
		return nil, "", err
	}
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

func (c *console) drawLogo(k *call) error {
	picture, err := c.Store.Logo(k.Context(), k.env())
	if err != nil {
		return err
	}
	k.w.Header().Set("Content-Type", "image/png")
	_, _ = k.w.Write(picture) // the browser is gone: nobody to tell
	return nil
}

// orderPage is in which order user types are asked.
type orderPage struct{ Ways []signon.Way }

func (c *console) showOrder(k *call) error {
	ways, err := signon.Ways(k.Context(), c.Store, k.env())
	if err != nil {
		return err
	}
	return k.render(http.StatusOK, "order", "Sign-on order", orderPage{ways})
}

// moveOrder moves one user type up or down.
func (c *console) moveOrder(k *call) error {
	ways, err := signon.Ways(k.Context(), c.Store, k.env())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(ways, func(w signon.Way) bool {
		return w.Ref() == store.UserTypeRef{Gateway: k.posted("gateway"), UserType: k.posted("type")}
	})
	by, err := strconv.Atoi(k.posted("by"))
	if i < 0 || err != nil || by*by != 1 || i+by < 0 || i+by >= len(ways) {
		return k.goTo("/console/settings/sign-on")
	}
	ways[i], ways[i+by] = ways[i+by], ways[i]
	env, err := c.Store.Environment(k.Context(), k.env())
	if err != nil {
		return err
	}
	env.Settings.SignOnOrder = nil
	for _, w := range ways {
		env.Settings.SignOnOrder = append(env.Settings.SignOnOrder, w.Ref())
	}
	if err := k.notingSettings(map[string]any{"signOnOrder": env.Settings.SignOnOrder}).UpdateEnvironment(k.Context(), &env); err != nil {
		return err
	}
	return k.done("/console/settings/sign-on", ways[i+by].UserType.Name+" was moved.")
}
