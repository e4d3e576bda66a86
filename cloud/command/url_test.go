package command

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestURLsOfTheCloud are taken or refused alike by init, which makes nothing then, and run.
func TestURLsOfTheCloud(t *testing.T) {
	for text, want := range map[string]string{
		"https://id.example.com":       "https://id.example.com",
		"https://id.example.com/":      "https://id.example.com",
		"https://ID.example.com:8443/": "https://id.example.com:8443",
		"http://127.0.0.1:8080":        "http://127.0.0.1:8080",
		"http://[::1]:8080":            "http://[::1]:8080",
		"http://localhost:8080":        "http://localhost:8080",
		"http://127.8.8.8":             "http://127.8.8.8",
		"http://id.example.com":        "",
		"http://192.0.2.1:8080":        "",
		"http://0.0.0.0:8080":          "",
		"http://localhost.example.com": "",
		"https://id.example.com:99999": "",
		"https://id.example.com:0":     "",
		"https://id.example.com:-1":    "",
		"id.example.com":               "",
		"id.example.com:8443":          "",
		"//id.example.com":             "",
		"https://":                     "",
		"https:///console":             "",
		"https://:8443":                "",
		"ftp://id.example.com":         "",
		"wss://id.example.com":         "",
		"https://me:pw@id.example.com": "",
		"https://id.example.com/cloud": "",
		"https://id.example.com?x":     "",
		"https://id.example.com/?":     "",
		"https://id.example.com#x":     "",
		"https://id example.com":       "",
		"https://id.example.com:port":  "",
		"":                             "",
		"\x00":                         "",
	} {
		got, err := cloudURL(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
		if want != "" {
			continue
		}
		data := t.TempDir()
		for _, args := range [][]string{{"init", "--data", data}, {"run", "--data", data, "--listen", "127.0.0.1:0"}} {
			var out, problems bytes.Buffer
			code := Main(t.Context(), append(args, "--url", text), &out, &problems)
			if text == "" && args[0] == "run" { // a list without anything in it
				continue
			}
			if left, _ := os.ReadDir(data); code != ExitUsage || len(left) > 0 || !strings.Contains(problems.String(), "https://id.example.com") {
				t.Errorf("%s --url %q: %d, %v: %s", args[0], text, code, left, &problems)
			}
		}
	}
}
