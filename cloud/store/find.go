package store

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
)

// People are found by any part of a username, a name or an e-mail address. What is looked for is
// taken apart into pieces of three letters, which an index knows the users of: a table of
// FTS5 in SQLite, an array with a GIN index in PostgreSQL, both kept by whatever writes a user.
// Pieces are numbers that differ by environment, so that none pays for the people of another.
// What the index finds is compared with the text itself.

// displayName is the attribute under which some user types keep one.
const displayName = "displayName"

// foundBy is the text that somebody is found by: the words of each value, folded and without accents, each on
// a line of its own.
func (u User) foundBy() string {
	var b strings.Builder
	b.WriteByte('\n')
	for _, value := range []string{u.Username, u.GivenName, u.FamilyName, u.Email, u.Attributes[displayName]} {
		for _, word := range strings.Fields(findKey(value)) {
			b.WriteString(word + "\n")
		}
	}
	return b.String()
}

// piece is the number of a piece in an environment. Two may share one: what is found is compared.
func piece(env, text string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(env + "\x00" + text)) // never fails
	return strconv.FormatUint(h.Sum64()>>16, 10)
}

// piecesOf returns the pieces of a text that somebody is found by: three letters each, and the one
// and two that a word begins with, after a sign that no word has.
func piecesOf(env, text string) (all []string) {
	for word := range strings.FieldsSeq(text) {
		runes := []rune(word)
		for n := 1; n <= 2 && n <= len(runes); n++ {
			all = append(all, piece(env, " "+string(runes[:n])))
		}
		for i := 0; i+3 <= len(runes); i++ {
			all = append(all, piece(env, string(runes[i:i+3])))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// mostWords is how many words of a search count: a person who types more is no narrower.
const mostWords = 20

// searched returns the words of what somebody looks for.
func searched(text string) []string {
	words := strings.Fields(findKey(text))
	return words[:min(len(words), mostWords)]
}

// noWord tells whether somebody looks for something that has no word, as for an accent alone: nothing has that, and
// not everything, since whatever is found may be deleted.
func noWord(text string) bool { return text != "" && len(searched(text)) == 0 }

// wanted returns the pieces that whatever holds all words has. A word of less than three letters is
// the beginning of one.
func wanted(env string, words []string) (all []string) {
	for _, word := range words {
		if runes := []rune(word); len(runes) < 3 {
			all = append(all, piece(env, " "+word))
		} else {
			for i := 0; i+3 <= len(runes); i++ {
				all = append(all, piece(env, string(runes[i:i+3])))
			}
		}
	}
	return all
}

// setFound keeps by what somebody is found of whom nothing is kept yet.
func (tx *Tx) setFound(ctx context.Context, u *User) error {
	pieces := piecesOf(u.EnvironmentID, u.foundBy())
	if !tx.c.fts {
		_, err := tx.c.exec(ctx, `
			INSERT INTO user_texts (environment_id, user_id, pieces)
			VALUES ($1, $2, CAST($3::text AS bigint[]))`,
			u.EnvironmentID, u.ID, "{"+strings.Join(pieces, ",")+"}")
		return err
	}
	if _, err := tx.c.exec(ctx, `INSERT INTO user_texts (environment_id, user_id) VALUES ($1, $2)`,
		u.EnvironmentID, u.ID); err != nil {
		return err
	}
	_, err := tx.c.exec(ctx, `
		INSERT INTO user_pieces (rowid, pieces)
		SELECT no, $1 FROM user_texts WHERE user_id = $2`,
		strings.Join(pieces, " "), u.ID)
	return err
}

// changeFound is setFound for somebody who was found before.
func (tx *Tx) changeFound(ctx context.Context, u *User) error {
	if _, err := tx.c.exec(ctx, `DELETE FROM user_texts WHERE user_id = $1`, u.ID); err != nil {
		return err
	}
	return tx.setFound(ctx, u)
}

// fewFound is up to how many users are looked at one by one. What more have in common is
// met often enough on the way through all.
const fewFound = 1000

// havingPieces returns the users with all pieces, at most fewFound and one.
func (r reader) havingPieces(ctx context.Context, pieces []string) ([]string, error) {
	if r.c.fts {
		return queryAll(ctx, r.c, value[string], fmt.Sprintf(`
			SELECT user_id FROM user_texts
			WHERE no IN (SELECT rowid FROM user_pieces WHERE user_pieces MATCH $1 LIMIT %d)`, fewFound+1),
			`"`+strings.Join(pieces, `" "`)+`"`)
	}
	return queryAll(ctx, r.c, value[string], fmt.Sprintf(`
		SELECT user_id FROM user_texts
		WHERE pieces @> CAST($1::text AS bigint[]) LIMIT %d`, fewFound+1),
		"{"+strings.Join(pieces, ",")+"}")
}

// few returns the users among whom are all that a filter lets through, when it tells and
// they are few: those that a search finds, who are in one group, who are linked to a provider, or, of an order
// that no index has with what a filter says, those whom it lets through.
func (r reader) few(ctx context.Context, env string, f UserFilter) (ids []string, ok bool, err error) {
	pieces := wanted(env, searched(f.Search))
	if len(pieces) == 0 && (!r.c.fts || f.Where.prefix() == "") {
		pieces = wanted(env, f.Where.part())
	}
	if len(pieces) > 0 {
		if ids, err = r.havingPieces(ctx, pieces); err != nil || len(ids) <= fewFound {
			return ids, err == nil, err
		}
	}
	if column, value := f.Where.group(); column != "" {
		ids, err = r.inGroup(ctx, env, column, value)
		if err != nil || len(ids) <= fewFound {
			return ids, err == nil, err
		}
	}
	if f.ProviderID != "" {
		ids, err = queryAll(ctx, r.c, value[string], fmt.Sprintf(`
			SELECT user_id FROM linked_accounts
			WHERE environment_id = $1 AND provider_id = $2
			ORDER BY user_id LIMIT %d`, fewFound+1),
			env, f.ProviderID)
		if err != nil || len(ids) <= fewFound {
			return ids, err == nil, err
		}
	}
	return r.inColumns(ctx, env, f)
}

// inColumns is few of what the user's own row tells, which has indexes by username alone: in another order a walk
// would pass all others on the way to those few.
func (r reader) inColumns(ctx context.Context, env string, f UserFilter) (ids []string, ok bool, err error) {
	own := UserFilter{
		PopulationID: f.PopulationID, GatewayID: f.GatewayID, UserTypeID: f.UserTypeID, State: f.State, Where: f.Where,
	}
	if own.State == UserEnabled { // as most are
		own.State = ""
	}
	if f.Order == ByUsername || own.everybody() {
		return nil, false, nil
	}
	l := own.list(r.c)
	l.query = "SELECT u.id FROM users u" + own.index(r.c)
	if err := own.narrow(&l, env); err != nil {
		return nil, false, err
	}
	ids, err = queryPart(ctx, r.c, l, Page{Limit: fewFound}, value[string])
	return ids, err == nil && len(ids) <= fewFound, err
}

// everybody tells whether a filter of columns leaves nobody out.
func (f UserFilter) everybody() bool {
	return f.PopulationID+f.GatewayID+f.UserTypeID+string(f.State)+f.Where.Field == "" &&
		len(f.Where.All)+len(f.Where.Any)+len(f.Where.None) == 0
}

// inGroup returns the users in the groups with a value in a column, at most fewFound and one.
func (r reader) inGroup(ctx context.Context, env, column, has string) ([]string, error) {
	ids, err := queryAll(ctx, r.c, value[string], fmt.Sprintf(`
		SELECT m.user_id
		FROM cloud_groups fg
		CROSS JOIN memberships m
		WHERE fg.environment_id = $1 AND %s = $2 AND m.group_id = fg.id LIMIT %d`, column, fewFound+1),
		env, has)
	slices.Sort(ids)
	return slices.Compact(ids), err
}

// group returns a column of groups, and the value that it has in a group of whoever meets the condition; none: it
// does not tell.
func (w Where) group() (column, value string) {
	for _, one := range w.All {
		if column, value = one.group(); column != "" {
			return column, value
		}
	}
	known, ok := userField(w.Field)
	if len(w.All)+len(w.Any)+len(w.None) > 0 || !ok || known.among == "" || w.Op != Equal {
		return "", ""
	}
	value = w.Value
	if known.form != nil {
		value = known.form(value)
	}
	return known.column, value
}

// prefix is what usernames begin with, where that alone is the condition; empty: it is another.
func (w Where) prefix() string {
	if len(w.All) == 1 {
		return w.All[0].prefix()
	}
	if len(w.All)+len(w.Any)+len(w.None) > 0 || w.Field != "username" || w.Op != StartsWith {
		return ""
	}
	return Storable(Fold(w.Value))
}

// part returns words of three letters and more that whoever meets the condition has in what
// they are found by; none: it does not tell.
func (w Where) part() (words []string) {
	for _, one := range w.All {
		if words = one.part(); len(words) > 0 {
			return words
		}
	}
	known := slices.Contains([]string{"username", "email", "name.given", "name.family"}, w.Field)
	if len(w.All)+len(w.Any)+len(w.None) > 0 || !known || w.Op == Present {
		return nil
	}
	for _, word := range strings.Fields(findKey(w.Value)) {
		if len([]rune(word)) >= 3 {
			words = append(words, word)
		}
	}
	return words
}
