package usertypes

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// TestFilterIsToldWhereItIsWrong: each mistake is said with its place, in our words.
func TestFilterIsToldWhereItIsWrong(t *testing.T) {
	for filter, want := range map[string]string{
		`(uid=${identifier})`: "",
		`(&(objectClass=person)(|(uid=${identifier})(cn=\2a)))`: "",
		`uid=${identifier}`:                                       "begin with a bracket",
		` (uid=${identifier})`:                                    "begin with a bracket",
		`(uid=${identifier}`:                                      "bracket at character 1, of (uid=${identifier}, is not closed",
		`(&(objectClass=person)(uid=${identifier})`:               "bracket at character 1, of (&, is not closed",
		`(&(objectClass=person)(uid=${identifier}`:                "bracket at character 23, of (uid=${identifier}, is not closed",
		`(&(ö=x)(uid=${identifier}`:                               "bracket at character 8, of (uid=${identifier}, is not closed",
		`(uid=${identifier}))`:                                    "ends before character 20",
		`(uid=${identifier}) `:                                    "ends before character 20",
		`(uid=${identifier})(mail=x)`:                             "ends before character 20",
		`((uid=${identifier}))`:                                   "character 2 is one too many",
		`(&((uid=${identifier})))`:                                "character 4 is one too many",
		`(&(uid=${identifier})(cn=\zz))`:                          `backslash at character 26`,
		`(&(uid=${identifier})(cn=\2))`:                           `backslash at character 26`,
		`(uid=${identifier}\`:                                     `backslash at character 19`,
		`(&(uid=${identifier})(cn>x))`:                            "cannot be read as an LDAP filter",
		`(uid=${identifier})` + strings.Repeat(")", 9):            "ends before character 20",
		`(cn` + strings.Repeat("x", 99) + `=${identifier}`:        "of (cnxxxxxxxxxxxxxxxxxxxxx, is not closed",
		`(&(uid=${identifier})(cn=a)b(cn=c))`:                     "cannot be read as an LDAP filter",
		`(&(uid=${identifier})` + "(cn=\x00))":                    "",
		`(|(uid=${identifier})(mail:caseIgnoreMatch:=\28x\29@y))`: "",
	} {
		l := checkFilter(filter)
		switch {
		case want == "" && len(l) > 0:
			t.Errorf("%q: %+v", filter, l)
		case want != "" && (len(l) != 1 || !strings.Contains(l[0].Message, want)):
			t.Errorf("%q: %+v, want %q", filter, l, want)
		}
	}
}

// TestFilterOfNoKindGetsThrough: what the library cannot read is refused, whatever it is, and never in its words.
func TestFilterOfNoKindGetsThrough(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"(", ")", "&", "|", "!", "uid=", "${identifier}", "cn", "=", "*", `\`, `\2a`, "é", ">=", ":", " ", "x", "~="}
	refused := 0
	for range 20_000 {
		filter := ""
		for range random.IntN(12) {
			filter += pieces[random.IntN(len(pieces))]
		}
		_, err := ldap.CompileFilter(strings.ReplaceAll(filter, "${identifier}", "x"))
		l := checkFilter(filter)
		if err != nil && len(l) == 0 {
			t.Errorf("%q was taken: %v", filter, err)
		}
		for _, f := range l {
			refused++
			if strings.Contains(f.Message, "Result Code") || strings.Contains(f.Message, "ldap:") {
				t.Errorf("%q: %s", filter, f.Message)
			}
		}
	}
	if refused < 1000 {
		t.Errorf("%d were refused", refused)
	}
}
