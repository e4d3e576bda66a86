package dn

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// TestSpellings has each row be one name, however it is written, and no two rows be.
func TestSpellings(t *testing.T) {
	rows := map[string][]string{
		"plain": {
			"cn=Board,ou=Groups,dc=x",
			"CN=board, OU=groups, DC=X",
			" cn = board ,ou=GROUPS;dc=x",
			"2.5.4.3=board,OID.2.5.4.11=groups,dc=x",
		},
		"long-types": {
			"uid=a,dc=x",
			"userId=a,domainComponent=x",
			"0.9.2342.19200300.100.1.1=A,0.9.2342.19200300.100.1.25=x",
		},
		"comma": {
			`cn=Merger\, Acme,dc=x`,
			`cn=Merger\2C Acme,dc=x`,
			`cn=Merger\2c\20acme,dc=x`,
			`cn="Merger, Acme",dc=x`,
			`cn=merger\,  ACME ,dc=x`,
		},
		"no-comma":     {"cn=Merger Acme,dc=x"},
		"comma-as-rdn": {"cn=Merger,cn=Acme,dc=x"},
		"plus":         {`cn=a\+b,dc=x`, `cn=a\2Bb,dc=x`, `cn="a+b",dc=x`},
		"two-parts":    {"cn=a+uid=b,dc=x", "uid=b+cn=a,dc=x", "UID=B + CN=A,dc=x"},
		"quotes":       {`cn=\"a\",dc=x`, `cn=\22a\22,dc=x`, `cn="\"a\"",dc=x`},
		"equals":       {`cn=a\3Db,dc=x`, `cn=a=b,dc=x`, `cn=a\=b,dc=x`},
		"number-sign":  {`cn=\#a,dc=x`, `cn=\23a,dc=x`},
		"encoded": {
			"cn=#04024869,dc=x",
			"cn=Hi,dc=x",
			"cn=#0C024869,dc=x",
			"cn=#13024869,dc=x",
			"cn=#16024869,dc=x",
			"cn=#0481024869,dc=x",
		},
		"umlaut": {
			"ou=Vertrieb Süd,dc=x",
			`ou=Vertrieb S\C3\BCd,dc=x`,
			"ou=VERTRIEB SÜD,dc=x",
			"ou=Vertrieb Su\u0308d,dc=x",
			"ou=Vertrieb\u00a0S\u00ad\u00fcd,dc=x",
		},
		"greek":       {"cn=ΣΊΣΥΦΟΣ,dc=x", "cn=σίσυφος,dc=x"},
		"full-width":  {"cn=ＡＢＣ,dc=x", "cn=abc,dc=x"},
		"backslash":   {`cn=a\\b,dc=x`, `cn=a\5Cb,dc=x`},
		"star":        {`cn=a\*b,dc=x`, `cn=a*b,dc=x`, `cn=a\2ab,dc=x`},
		"blank":       {"cn=a b,dc=x", "cn=a   b,dc=x", `cn=\ a b\ ,dc=x`, "cn=a\tb,dc=x"},
		"empty-value": {"cn=,dc=x", "cn= ,dc=x"},
		"root":        {"", "  "},
		"null":        {`cn=a\00b,dc=x`},
	}
	names := map[Name]string{}
	for row, spellings := range rows {
		for _, text := range spellings {
			name, err := Parse(text)
			if err != nil {
				t.Fatalf("%s: %v", row, err)
			}
			if other, taken := names[name]; taken && other != row {
				t.Errorf("%q of %s is a name of %s too", text, row, other)
			}
			names[name] = row
		}
		if first, _ := Parse(spellings[0]); names[first] != row || !Same(spellings[0], spellings[len(spellings)-1]) {
			t.Errorf("%s: %q and %q differ", row, spellings[0], spellings[len(spellings)-1])
		}
	}
	if len(names) != len(rows) {
		t.Errorf("%d names in %d rows: %q", len(names), len(rows), names)
	}
}

func TestWhatIsNoName(t *testing.T) {
	for _, text := range []string{"board", "cn=a,", ",cn=a", "=a", "cn=a,,dc=x", `cn=a\`, `cn="a`, `cn="a"b`, "cn=#0", "cn=#zz", "cn=#0403abcd", "cn=#1e0400480069", "cn=#1c0800000048000000 69", "cn=#0201ff", "cn=#0484", "c n=a", "cn=a,dc", "+"} {
		if n, err := Parse(text); !errors.Is(err, ErrSyntax) {
			t.Errorf("%q is %q, %v", text, n.folded, err)
		}
		if Same(text, text) || Key(text) == "" {
			t.Errorf("%q is taken for a name", text)
		}
	}
	if Key("Board") != Key("board") || Key("board") == Key("cn=board") {
		t.Error(Key("board"))
	}
}

func TestWithin(t *testing.T) {
	for _, c := range []struct {
		name, base string
		within     bool
	}{
		{"cn=a,ou=groups,dc=x", "OU=Groups, dc=x", true},
		{"ou=groups,dc=x", "ou=groups,dc=x", true},
		{"cn=a,ou=groups,dc=x", "", true},
		{"ou=groups,dc=x", "cn=a,ou=groups,dc=x", false},
		{`cn=a\,ou=groups,dc=x`, "ou=groups,dc=x", false},
		{"cn=a,ou=othergroups,dc=x", "ou=groups,dc=x", false},
		{"cn=a,ou=groups,dc=x", "groups,dc=x", false},
		{"cn=a,uid=b+ou=groups,dc=x", "ou=groups+uid=b,dc=x", true},
		{"cn=a,uid=b+ou=groups,dc=x", "ou=groups,dc=x", false},
	} {
		name, err := Parse(c.name)
		base, baseErr := Parse(c.base)
		if err != nil || baseErr == nil && name.Within(base) != c.within || baseErr != nil && c.within {
			t.Errorf("%q within %q: %v, %v", c.name, c.base, err, baseErr)
		}
	}
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		is            bool
	}{
		{"*", "cn=a,dc=x", true},
		{"cn=secret,*", "cn=Secret,ou=groups,dc=x", true},
		{"cn=secret,*", "cn=secrets,dc=x", false},
		{"cn=secret*", "cn=secrets,dc=x", true},
		{"*,ou=hidden,dc=x", "cn=a,ou=b,OU=Hidden, dc=x", true},
		{"*,ou=hidden,dc=x", `cn=a\,ou=hidden,dc=x`, false},
		{"*,ou=hidden,dc=x", "ou=hidden,dc=x", false},
		{"*admin*,ou=groups,dc=x", "cn=Domain Admins,ou=groups,dc=x", true},
		{"cn=*admin*", "cn=Domain Admins,ou=groups,dc=x", true},
		{"CN = app-* , ou = apps, dc = x", `cn=APP-\C3\BC,ou=apps,dc=x`, true},
		{`cn=Merger\, Acme,*`, `cn=Merger\2C Acme,ou=groups,dc=x`, true},
		{`cn="Merger, Acme",*`, `cn=merger\, acme,ou=groups,dc=x`, true},
		{`cn=a\*b,dc=x`, "cn=a*b,dc=x", true},
		{`cn=a\*b,dc=x`, "cn=azb,dc=x", false},
		{`cn=a\2a,dc=x`, "cn=ab,dc=x", false},
		{"ou=Vertrieb S*,dc=x", `ou=vertrieb s\c3\bcd,dc=x`, true},
		{"uid=*+cn=a,dc=x", "cn=a+uid=b,dc=x", true},
		{"cn=a,dc=x", "cn=a,dc=x", true},
		{"cn=a,dc=x", "cn=a,dc=xy", false},
		{"cn=*a*a*,dc=x", "cn=aa,dc=x", true},
		{"cn=*a*a*,dc=x", "cn=a,dc=x", false},
		{"", "cn=a,dc=x", false},
	} {
		p, err := Compile(c.pattern)
		name, nameErr := Parse(c.name)
		if err != nil || nameErr != nil || p.Match(name) != c.is {
			t.Errorf("%q means %q: %v, %v, %v", c.pattern, c.name, p.Match(name), err, nameErr)
		}
	}
	if (Pattern{}).Match(Name{"x"}) || !MatchAny([]Pattern{{}}, Name{}) {
		t.Error("the zero pattern")
	}
	for _, text := range []string{"secret", "cn=a,b", `cn=a*\`, `cn="a*`} {
		if _, err := CompileAll([]string{"*", text}); !errors.Is(err, ErrSyntax) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What keeps a name back keeps it back however many parts its RDNs have.
func TestAnyPartOfAnRDN(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		means         bool
	}{
		{"cn=secret*", "businessCategory=a+cn=secrets,ou=groups,dc=x", true},
		{"cn=secret*", "cn=secrets+businessCategory=a,ou=groups,dc=x", true},
		{"cn=*secret,ou=groups,dc=x", "a=1+cn=top secret+z=2,ou=groups,dc=x", true},
		{"cn=*,ou=hidden,dc=x", "a=1+cn=top,l=here+ou=hidden,dc=x", true},
		{"*,ou=hidden,dc=x", "cn=a,ou=hidden+l=here,dc=x", true},
		{"a=1+cn=top,dc=x", "cn=top+a=1,dc=x", true},
		{"cn=a,dc=x", "cn=a,dc=x", true},
		{"cn=secret*", "businessCategory=secret+cn=b,ou=groups,dc=x", false},
		{"cn=secret*", "cn=open,ou=a+cn=secret,dc=x", false},
		{"cn=never", strings.Repeat("a=1+b=2,", 20) + "dc=x", true}, // too many to try
	} {
		p, err := CompileAll([]string{"cn=unlike", c.pattern})
		name, nameErr := Parse(c.name)
		if err != nil || nameErr != nil || MeanAnyPart(p, name) != c.means {
			t.Errorf("%q means %q: not %v, %v, %v", c.pattern, c.name, c.means, err, nameErr)
		}
	}
	if MeanAnyPart(nil, Name{strings.Repeat("a\x01b\x00", 20)}) {
		t.Error("no pattern means something")
	}
}

// TestEveryEscapeIsUndone writes random values in random ways.
func TestEveryEscapeIsUndone(t *testing.T) {
	odd := []rune(`a,;+"\<>=#* ü漢/`)
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		var value strings.Builder
		value.WriteString("v")
		for range r.IntN(8) {
			value.WriteRune(odd[r.IntN(len(odd))])
		}
		one, other := spelled(value.String(), r), spelled(value.String(), r)
		if !Same(one, other) {
			t.Fatalf("seed %d: %q and %q differ", seed, one, other)
		}
		p, err := Compile(one)
		if name, _ := Parse(other); err != nil || !p.Match(name) {
			t.Fatalf("seed %d: as a pattern %q does not mean %q: %v", seed, one, other, err)
		}
	}
}

// spelled writes a value as one of many that are allowed.
func spelled(value string, r *rand.Rand) string {
	var out strings.Builder
	for i := range len(value) {
		c := value[i]
		special := strings.IndexByte(`,;+"\<>=#*`, c) >= 0
		switch {
		case special && r.IntN(2) == 0:
			out.WriteString(`\` + string(c))
		case special || r.IntN(4) == 0:
			fmt.Fprintf(&out, `\%02X`, c)
		default:
			out.WriteByte(c)
		}
	}
	return "cn=" + out.String() + ",dc=x"
}

// FuzzParse compares with the LDAP library: what it holds for one name is one here.
func FuzzParse(f *testing.F) {
	f.Add("cn=a,dc=x", "CN=A,dc=x")
	f.Add(`cn=a\2c b+uid=\#x,dc=x`, `uid=\23X+cn=a\, b,dc=x`)
	f.Add("ou=Süd,dc=x", `ou=S\C3\BCd,dc=x`)
	f.Fuzz(func(t *testing.T, a, b string) {
		one, err := Parse(a)
		if err != nil {
			if Key(a) == Key("cn=a") {
				t.Fatalf("%q has the key of a name", a)
			}
			return
		}
		if Key(a) != one.folded || !one.Within(one) || !one.Within(Name{}) {
			t.Fatalf("%q", a)
		}
		theirs, err1 := ldap.ParseDN(a)
		others, err2 := ldap.ParseDN(b)
		if err1 == nil && err2 == nil && theirs.EqualFold(others) {
			if other, err := Parse(b); err == nil && other != one {
				t.Fatalf("%q and %q are one name to the library", a, b)
			}
		}
		_, _ = Compile(a)
	})
}

func BenchmarkParse(b *testing.B) {
	for name, text := range map[string]string{"ascii": "cn=Group 00017,ou=groups,dc=example,dc=com", "escaped": `cn=S\C3\BCd\2C West,ou=groups,dc=example,dc=com`} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = Parse(text)
			}
		})
	}
}

// TestPlainIsTheSame holds the short way to the long one, for names that are made of what
// matters in one, right and wrong.
func TestPlainIsTheSame(t *testing.T) {
	pieces := []string{"cn", "CN", "OU", "dc", "userId", "2.5.4.3", "oid.2.5.4.3", "x-1", "1x", "=", "=", "=", ",", ",", ", ", " ", "  ",
		"Board", "a b", "ß", "é", "\\", `\2C`, `"`, "+", ";", "#04", "*", "<", ">", "\x00", "\x03", "\x7f", "", "A=B"}
	r := rand.New(rand.NewPCG(3, 4))
	plain := 0
	for range 200_000 {
		var text string
		for range 1 + r.IntN(9) {
			text += pieces[r.IntN(len(pieces))]
		}
		got, ok := foldPlain(text)
		if !ok {
			continue
		}
		plain++
		if want, err := foldAny(text, false); err != nil || got != want {
			t.Fatalf("%q: %q, the long way %q, %v", text, got, want, err)
		}
	}
	if plain < 1000 {
		t.Errorf("only %d of the names were plain", plain)
	}
}
