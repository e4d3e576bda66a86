package console

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// colours returns the named colours of each of the two schemes.
func colours(t *testing.T) map[string]map[string]float64 {
	t.Helper()
	light, dark, found := strings.Cut(string(stylesheet), "prefers-color-scheme: dark")
	if !found {
		t.Fatal("there is no dark scheme")
	}
	all := map[string]map[string]float64{}
	for scheme, text := range map[string]string{"light": light, "dark": dark} {
		all[scheme] = map[string]float64{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{3,6});`).FindAllStringSubmatch(text, -1) {
			all[scheme][m[1]] = luminance(t, m[2])
		}
	}
	return all
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	if len(hex) == 3 {
		hex = fmt.Sprintf("%c%c%c%c%c%c", hex[0], hex[0], hex[1], hex[1], hex[2], hex[2])
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			sum += weight * c / 12.92
		} else {
			sum += weight * math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return sum
}

func TestColoursCanBeRead(t *testing.T) {
	const text, border = 4.5, 3 // WCAG 2.2, level AA
	pairs := map[string]float64{"act-ink act": text, "field sheet": border, "act page": border, "bad bad-sheet": text}
	for _, ink := range []string{"ink", "soft", "link"} {
		for _, sheet := range []string{"page", "sheet", "warn-sheet", "bad-sheet", "good-sheet", "info-sheet"} {
			pairs[ink+" "+sheet] = text
		}
	}
	for _, ink := range []string{"good", "warn", "bad"} {
		pairs[ink+" page"], pairs[ink+" sheet"] = text, text
	}
	for scheme, named := range colours(t) {
		for pair, least := range pairs {
			front, back, _ := strings.Cut(pair, " ")
			a, knownA := named[front]
			b, knownB := named[back]
			ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05)
			if !knownA || !knownB || ratio < least {
				t.Errorf("%s: %s on %s has %.2f, needs %.1f", scheme, front, back, ratio, least)
			}
		}
	}
}
