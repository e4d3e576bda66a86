package evidence_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/cloud/evidence"
)

// claims reads an object as relying does: numbers keep their digits.
func claims(t testing.TB, text string) (c map[string]any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&c); err != nil {
		t.Fatal(err)
	}
	return c
}

// row is one shape of a claim, with what is read of it.
type row struct {
	token, info string // objects; info may be empty: it was not asked
	failed      bool   // UserInfo was asked and did not answer
	path        evidence.Path
	set         func(*evidence.Reading)
	names       string
	verdict     evidence.Verdict
}

var groups = evidence.Named("groups")

// rows are the shapes seen in the field.
var rows = map[string]row{
	"a list":                {token: `{"groups":["staff","Sales, EMEA"]}`, names: "staff|Sales, EMEA", verdict: evidence.Complete},
	"one text":              {token: `{"groups":"Sales, EMEA"}`, names: "Sales, EMEA", verdict: evidence.Complete},
	"an empty list":         {token: `{"groups":[]}`, verdict: evidence.Complete},
	"absent":                {token: `{}`, verdict: evidence.Unknown},
	"null":                  {token: `{"groups":null}`, verdict: evidence.Unknown},
	"absent, which is none": {token: `{}`, set: func(r *evidence.Reading) { r.AbsentIsNone = true }, verdict: evidence.Complete},
	"null, which is none":   {token: `{"groups":null}`, set: func(r *evidence.Reading) { r.AbsentIsNone = true }, verdict: evidence.Complete},
	"UserInfo alone":        {token: `{}`, info: `{"groups":["a"]}`, names: "a", verdict: evidence.Complete},
	"both, together":        {token: `{"groups":["a"]}`, info: `{"groups":["b","a"]}`, names: "b|a", verdict: evidence.Complete},
	"UserInfo failed":       {token: `{}`, failed: true, verdict: evidence.Unknown},
	"UserInfo failed, and absent is none": {token: `{}`, failed: true, set: func(r *evidence.Reading) { r.AbsentIsNone = true },
		verdict: evidence.Unknown},
	"UserInfo failed, the token has some": {token: `{"groups":["a"]}`, failed: true, names: "a", verdict: evidence.Partial},
	"UserInfo failed, the token has none": {token: `{"groups":[]}`, failed: true, verdict: evidence.Partial},
	"claim source": {token: `{"_claim_names":{"groups":"src1"},"_claim_sources":{"src1":{"endpoint":"https://x"}}}`,
		verdict: evidence.Partial},
	"claim source beside some":       {token: `{"groups":["a"],"_claim_names":{"groups":"src1"}}`, names: "a", verdict: evidence.Partial},
	"claim source of something else": {token: `{"groups":["a"],"_claim_names":{"photo":"src1"}}`, names: "a", verdict: evidence.Complete},
	"claim source, absent is none": {token: `{"_claim_names":{"groups":"s"}}`, set: func(r *evidence.Reading) { r.AbsentIsNone = true },
		verdict: evidence.Partial},
	"hasgroups":            {token: `{"hasgroups":true}`, verdict: evidence.Partial},
	"hasgroups as text":    {token: `{"hasgroups":"true"}`, verdict: evidence.Partial},
	"hasgroups is false":   {token: `{"hasgroups":false,"groups":["a"]}`, names: "a", verdict: evidence.Complete},
	"a link of groups":     {token: `{"http://schemas.microsoft.com/claims/groups.link":["https://x"]}`, verdict: evidence.Partial},
	"a number":             {token: `{"groups":[1,12345678901234567890]}`, names: "1|12345678901234567890", verdict: evidence.Complete},
	"one number":           {token: `{"groups":7}`, names: "7", verdict: evidence.Complete},
	"a bool":               {token: `{"groups":["a",true]}`, names: "a", verdict: evidence.Partial},
	"null in the list":     {token: `{"groups":["a",null]}`, names: "a", verdict: evidence.Partial},
	"an empty text":        {token: `{"groups":["a",""]}`, names: "a", verdict: evidence.Partial},
	"blanks alone":         {token: `{"groups":"  "}`, verdict: evidence.Partial},
	"a list in the list":   {token: `{"groups":["a",["b"]]}`, names: "a", verdict: evidence.Partial},
	"one object":           {token: `{"groups":{"name":"a"}}`, verdict: evidence.Partial},
	"objects":              {token: `{"groups":[{"name":"a"},"b"]}`, names: "b", verdict: evidence.Partial},
	"objects by name":      {token: `{"groups":[{"name":"a"},"b"]}`, set: func(r *evidence.Reading) { r.Objects = true }, names: "a|b", verdict: evidence.Complete},
	"objects without name": {token: `{"groups":[{"id":1}]}`, set: func(r *evidence.Reading) { r.Objects = true }, verdict: evidence.Partial},
	"commas are kept":      {token: `{"groups":"a,b"}`, names: "a,b", verdict: evidence.Complete},
	"commas by settings":   {token: `{"groups":"a, b,"}`, set: func(r *evidence.Reading) { r.Delimiter = "," }, names: "a|b", verdict: evidence.Complete},
	"twice":                {token: `{"groups":["a","a"," a "]}`, names: "a", verdict: evidence.Complete},
	"case":                 {token: `{"groups":["Admins","admins"]}`, names: "Admins|admins", verdict: evidence.Complete},
	"composed":             {token: `{"groups":["e\u0301","\u00e9"]}`, names: "é", verdict: evidence.Complete},
	"control characters":   {token: `{"groups":["a","b\u0000","c\nd"]}`, names: "a", verdict: evidence.Partial},
	"markup is text":       {token: `{"groups":["<script>"]}`, names: "<script>", verdict: evidence.Complete},
	"nested": {token: `{"realm_access":{"roles":["r"]}}`, path: evidence.Path{Whole: "realm_access.roles", Steps: []string{"realm_access", "roles"}},
		names: "r", verdict: evidence.Complete},
	"exact before nested": {token: `{"a.b":["exact"],"a":{"b":["nested"]}}`, path: evidence.Path{Whole: "a.b", Steps: []string{"a", "b"}},
		names: "exact", verdict: evidence.Complete},
	"a dot in a step": {token: `{"r":{"app.example.org":{"roles":["c"]}}}`, path: evidence.Path{Steps: []string{"r", "app.example.org", "roles"}},
		names: "c", verdict: evidence.Complete},
	"nested in no object": {token: `{"realm_access":"x"}`, path: evidence.Path{Steps: []string{"realm_access", "roles"}}, verdict: evidence.Unknown},
	"filtered is not cut": {token: `{"groups":["app-a","other","app-b"]}`, set: func(r *evidence.Reading) {
		r.Include = []*regexp.Regexp{regexp.MustCompile(`^(?:app-.*)$`)}
		r.Exclude = []*regexp.Regexp{regexp.MustCompile(`^(?:.*b)$`)}
	}, names: "app-a", verdict: evidence.Complete},
}

// split are texts that the delimiter of the settings splits, in every shape.
var split = map[string]row{
	"one text":            {token: `{"groups":"a;b;c"}`, names: "a|b|c", verdict: evidence.Complete},
	"a list of one":       {token: `{"groups":["a;b;c"]}`, names: "a|b|c", verdict: evidence.Complete},
	"a list of some":      {token: `{"groups":["a; b","c","b;d"]}`, names: "a|b|c|d", verdict: evidence.Complete},
	"one at the end":      {token: `{"groups":["a;b; "]}`, names: "a|b", verdict: evidence.Complete},
	"an empty list":       {token: `{"groups":[]}`, verdict: evidence.Complete},
	"a number":            {token: `{"groups":[7,"a;b"]}`, names: "7|a|b", verdict: evidence.Complete},
	"nothing":             {token: `{"groups":""}`, verdict: evidence.Complete},
	"nothing in the list": {token: `{"groups":["a;b",""]}`, names: "a|b", verdict: evidence.Complete},
	"a blank":             {token: `{"groups":" "}`, verdict: evidence.Complete},
	"itself":              {token: `{"groups":";"}`, verdict: evidence.Partial},
	"itself in a list":    {token: `{"groups":[";;"]}`, verdict: evidence.Partial},
	"none between two":    {token: `{"groups":"a;;b"}`, names: "a|b", verdict: evidence.Partial},
	"none before one":     {token: `{"groups":[";a"]}`, names: "a", verdict: evidence.Partial},
	"both sources":        {token: `{"groups":["a;b"]}`, info: `{"groups":"c;a"}`, names: "c|a|b", verdict: evidence.Complete},
	"control characters":  {token: `{"groups":"a;b\u0000;c"}`, names: "a|c", verdict: evidence.Partial},
}

// cut are the ways to say that there are more, and some to deny it.
var cut = map[string]row{
	"sources missing":         {token: `{"groups":["a"],"_claim_names":{"groups":"s"}}`, names: "a", verdict: evidence.Partial},
	"names missing":           {token: `{"groups":["a"],"_claim_sources":{"s":{"endpoint":"https://x"}}}`, names: "a", verdict: evidence.Partial},
	"names as text":           {token: `{"groups":[],"_claim_names":"groups"}`, verdict: evidence.Partial},
	"names as a list":         {token: `{"groups":[],"_claim_names":["photo"]}`, verdict: evidence.Partial},
	"names without a source":  {token: `{"groups":["a"],"_claim_names":{"groups":null}}`, names: "a", verdict: evidence.Partial},
	"names of no text":        {token: `{"groups":["a"],"_claim_names":{"groups":7}}`, names: "a", verdict: evidence.Partial},
	"names are null":          {token: `{"groups":["a"],"_claim_names":null}`, names: "a", verdict: evidence.Complete},
	"names are none":          {token: `{"groups":["a"],"_claim_names":{},"_claim_sources":{}}`, names: "a", verdict: evidence.Complete},
	"sources malformed":       {token: `{"groups":["a"],"_claim_names":{"photo":"s"},"_claim_sources":7}`, names: "a", verdict: evidence.Complete},
	"hasgroups capitalized":   {token: `{"groups":["a"],"hasgroups":"True"}`, names: "a", verdict: evidence.Partial},
	"hasgroups is 1":          {token: `{"groups":["a"],"hasgroups":1}`, names: "a", verdict: evidence.Partial},
	"hasgroups in a list":     {token: `{"groups":["a"],"hasgroups":["true"]}`, names: "a", verdict: evidence.Partial},
	"hasgroups is 0":          {token: `{"groups":["a"],"hasgroups":0}`, names: "a", verdict: evidence.Complete},
	"hasgroups is null":       {token: `{"groups":["a"],"hasgroups":null}`, names: "a", verdict: evidence.Complete},
	"hasgroups is FALSE":      {token: `{"groups":["a"],"hasgroups":" FALSE "}`, names: "a", verdict: evidence.Complete},
	"hasgroups beside roles":  {token: `{"roles":["a"],"hasgroups":true}`, path: evidence.Named("roles"), names: "a", verdict: evidence.Partial},
	"hasgroups at UserInfo":   {token: `{"groups":["a"]}`, info: `{"hasgroups":true}`, names: "a", verdict: evidence.Partial},
	"group claim overage":     {token: `{"groups":["a"],"_group_claim_overage":true}`, names: "a", verdict: evidence.Partial},
	"group claim as text":     {token: `{"groups":["a"],"_group_claim":"cut"}`, names: "a", verdict: evidence.Partial},
	"group claim as object":   {token: `{"roles":["a"],"_group_claims":{"more":7}}`, path: evidence.Named("roles"), names: "a", verdict: evidence.Partial},
	"group claim denies":      {token: `{"groups":["a"],"_group_claim_overage":false}`, names: "a", verdict: evidence.Complete},
	"a claim of a source":     {token: `{"groups":["a"],"groups:src1":"https://x"}`, names: "a", verdict: evidence.Partial},
	"of the roles":            {token: `{"roles":["a"],"roles:src2":{}}`, path: evidence.Named("roles"), names: "a", verdict: evidence.Partial},
	"of something else":       {token: `{"groups":["a"],"photo:src1":"https://x"}`, names: "a", verdict: evidence.Complete},
	"a link in other letters": {token: `{"groups":["a"],"http://schemas.microsoft.com/claims/Groups.Link":["x"]}`, names: "a", verdict: evidence.Partial},
	"a link without a value":  {token: `{"groups":["a"],"groups.link":[]}`, names: "a", verdict: evidence.Partial},
	"roles elsewhere":         {token: `{"roles":[],"_claim_names":{"roles":"s"}}`, path: evidence.Named("roles"), verdict: evidence.Partial},
}

func TestGroups(t *testing.T) { testGroups(t, rows, "") }

func TestGroupsAreSplit(t *testing.T) { testGroups(t, split, ";") }

func TestGroupsAreCut(t *testing.T) { testGroups(t, cut, "") }

// TestNothingThatCannotBeReadIsNone, also where no claim means no groups.
func TestNothingThatCannotBeReadIsNone(t *testing.T) {
	none := func(r *evidence.Reading) { r.AbsentIsNone = true }
	nested := evidence.Named("realm_access.roles")
	nested.Steps = []string{"realm_access", "roles"}
	testGroups(t, map[string]row{
		"nothing":                  {token: `{}`, set: none, verdict: evidence.Complete},
		"no parent":                {token: `{}`, path: nested, set: none, verdict: evidence.Complete},
		"no child":                 {token: `{"realm_access":{}}`, path: nested, set: none, verdict: evidence.Complete},
		"a parent that is a text":  {token: `{"realm_access":"x"}`, path: nested, set: none, verdict: evidence.Unknown},
		"a parent that is a list":  {token: `{"realm_access":["r1"]}`, path: nested, set: none, verdict: evidence.Unknown},
		"a list of parents":        {token: `{"realm_access":[{"roles":["r1"]}]}`, path: nested, set: none, verdict: evidence.Unknown},
		"a parent, then whole":     {info: `{"realm_access":{"roles":["r1"]}}`, token: `{"realm_access":1}`, path: nested, names: "r1", verdict: evidence.Partial},
		"our overflow":             {token: `{"groups_overflow":150}`, set: none, verdict: evidence.Partial},
		"our overflow, then whole": {info: `{"groups":["a","b"]}`, token: `{"groups_overflow":150}`, names: "a|b", verdict: evidence.Complete},
		"our overflow of none":     {token: `{"groups_overflow":0}`, set: none, verdict: evidence.Complete},
		"sources in other letters": {token: `{"_claim_names":{"Groups":"src1"}}`, set: none, verdict: evidence.Partial},
		"null alone":               {token: `{"groups":[null]}`, set: none, verdict: evidence.Partial},
		"null among others":        {token: `{"groups":["a",null]}`, names: "a", verdict: evidence.Partial},
	}, "")
}

func testGroups(t *testing.T, rows map[string]row, delimiter string) {
	for name, r := range rows {
		t.Run(name, func(t *testing.T) {
			e := evidence.Evidence{Name: "Partner", Failed: r.failed}
			if r.info != "" {
				e.Claims = append(e.Claims, claims(t, r.info))
			}
			e.Claims = append(e.Claims, claims(t, r.token))
			how := evidence.Reading{Path: groups, Delimiter: delimiter}
			if r.path.Steps != nil {
				how.Path = r.path
			}
			if r.set != nil {
				r.set(&how)
			}
			l := e.Groups(how)
			if got := strings.Join(l.Names, "|"); got != r.names || l.Verdict != r.verdict {
				t.Errorf("%q, verdict %d (%s)", got, l.Verdict, l.Reason)
			}
			if (l.Reason == "") != (l.Verdict == evidence.Complete) {
				t.Errorf("verdict %d for the reason %q", l.Verdict, l.Reason)
			}
		})
	}
}

// TestBoundsOfGroups: what is too much is left out, and the rest only adds.
func TestBoundsOfGroups(t *testing.T) {
	many := make([]any, evidence.MostGroups+5)
	for i := range many {
		many[i] = fmt.Sprint("g", i)
	}
	for name, list := range map[string][]any{
		"too many": many,
		"too long": {"a", strings.Repeat("ä", 1025)},
	} {
		e := evidence.Evidence{Claims: []map[string]any{{"groups": list}}}
		l := e.Groups(evidence.Reading{Path: groups})
		if l.Verdict != evidence.Partial || len(l.Names) != min(len(list)-1, evidence.MostGroups) {
			t.Errorf("%s: %d names, verdict %d", name, len(l.Names), l.Verdict)
		}
	}
	e := evidence.Evidence{Claims: []map[string]any{{"groups": []any{strings.Repeat("ä", 1024)}}}}
	if l := e.Groups(evidence.Reading{Path: groups}); l.Verdict != evidence.Complete {
		t.Error(l.Reason)
	}
}

// TestWhatPeopleAreTold has nothing of the provider's in it, and every kind a remedy.
func TestWhatPeopleAreTold(t *testing.T) {
	for _, kind := range evidence.Kinds() {
		r := evidence.Refuse(kind, "secret of %s", "the provider")
		if r.Remedy() == "" || strings.Contains(r.Sentence(), "secret") || strings.Contains(r.Sentence(), string(kind)) {
			t.Errorf("%s: %q %q", kind, r.Sentence(), r.Remedy())
		}
	}
	if !slices.Contains(evidence.Kinds(), evidence.Replayed) {
		t.Error("kinds")
	}
}

func TestNamesAndValues(t *testing.T) {
	e := evidence.Evidence{Claims: []map[string]any{{"b": "info"}, {"a": []any{"x", json.Number("2")}, "b": "token"}}}
	a, b := evidence.Named("a"), evidence.Named("b")
	if got := fmt.Sprintf("%v %v %v %s", e.Names(), e.Shown(a), e.Shown(b), e.Value(b)); got != "[a b] [x 2] [info token] info" {
		t.Error(got)
	}
}

// TestSubjects: what is taken is kept as it is, and what cannot be is refused.
func TestSubjects(t *testing.T) {
	for subject, want := range map[string]evidence.Kind{
		"alice":                  "",
		" alice ":                "",
		"alice\u00a0":            "",
		"e\u0301ve":              "",
		"00u1a2B3":               "",
		strings.Repeat("ä", 255): "",
		"":                       evidence.NoSubject,
		" \t\n":                  evidence.NoSubject,
		strings.Repeat("ä", 256): evidence.NoSubject,
		"a\x00b":                 evidence.BadSubject,
		"a\ufffdb":               evidence.BadSubject,
		"a\xffb":                 evidence.BadSubject,
		"alice\n":                evidence.BadSubject,
		"\talice":                evidence.BadSubject,
		"al\u0085ice":            evidence.BadSubject,
		"al\x7fice":              evidence.BadSubject,
	} {
		var r *evidence.Refusal
		err := evidence.CheckSubject(subject, 255)
		if errors.As(err, &r) && r.Kind != want || (err == nil) != (want == "") {
			t.Errorf("%.20q: %v, want %q", subject, err, want)
		}
	}
}
