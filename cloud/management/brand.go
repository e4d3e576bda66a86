package management

import (
	"math"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/store"
)

// What lies under or on the colour of an environment on people's pages.
const (
	LightSheet = "#ffffff" // also what stands on a button there
	DarkSheet  = "#1a2128"
	DarkInk    = "#0d1a24" // on a button
)

// leastContrast is that of text with what is under it (WCAG 2.2, 1.4.3).
const leastContrast = 4.5

// maxLink is the length of an address, in bytes.
const maxLink = 500

var colour = regexp.MustCompile(`^#[0-9a-f]{6}$`)

// checkBrand tells what of a brand people could not read, or follow.
func checkBrand(b store.Brand) (l fault.List) {
	for _, c := range []struct {
		field       fault.Field
		value, with string
		under       []string
	}{
		{fault.Colour, b.Colour, "Choose a darker one.", []string{LightSheet}},
		{fault.DarkColour, b.DarkColour, "Choose a lighter one.", []string{DarkSheet, DarkInk}},
	} {
		switch {
		case c.value == "":
		case !colour.MatchString(c.value):
			l = append(l, wrong(c.field, 0, "A colour looks like #17598a.")...)
		default:
			if has := contrast(c.value, c.under...); has < leastContrast {
				l = append(l, wrong(c.field, 0, "Text in it has a contrast of %.1f : 1, and needs %.1f : 1 to be read. %s",
					has, leastContrast, c.with)...)
			}
		}
	}
	for field, link := range map[fault.Field]string{
		fault.HelpLink: b.Help, fault.PrivacyLink: b.Privacy, fault.ImprintLink: b.Imprint,
	} {
		if link != "" && !isLink(link) {
			l = append(l, wrong(field, 0,
				"An address looks like https://example.com/page, and has at most %d characters.", maxLink)...)
		}
	}
	if len(b.Text) > maxBrandText || strings.ContainsFunc(b.Text, func(c rune) bool { return !unicode.IsPrint(c) }) {
		l = append(l, wrong(fault.BrandText, 0, "The text is one line of at most %d bytes.", maxBrandText)...)
	}
	return l
}

// maxBrandText is the length of a text on the sign-on page, in bytes.
const maxBrandText = 300

// isLink tells whether people can be led to an address.
func isLink(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme == "https" && u.Hostname() != "" && u.User == nil && len(text) <= maxLink
}

// contrast is the least that a colour has with any of others (WCAG 2.2, "contrast ratio"), rounded
// down to a tenth, so that what is told fits what is refused.
func contrast(of string, others ...string) float64 {
	least := math.Inf(1)
	for _, other := range others {
		light, dark := luminance(of), luminance(other)
		if light < dark {
			light, dark = dark, light
		}
		least = min(least, (light+0.05)/(dark+0.05))
	}
	return math.Floor(least*10) / 10
}

// luminance is the relative one of a colour, between 0 and 1.
func luminance(colour string) (l float64) {
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		if err != nil {
			return 0 // of no colour
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			l += weight * c / 12.92
		} else {
			l += weight * math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return l
}
