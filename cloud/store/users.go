package store

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
)

// recordFields are those of the row of a user, whose table goes by u.
const recordFields = `
	SELECT u.id, u.environment_id, u.population_id, u.username, u.given_name, u.family_name, u.email,
		u.external_id, u.attributes, u.enabled, u.locked, u.kept,
		coalesce(u.gateway_id, ''), u.user_type_id, u.dn, u.created_at, u.updated_at, u.sign_offs`

// userFields are what scanUser reads of a user.
const userFields = recordFields + `,
		coalesce((
			SELECT s.at
			FROM sign_ons s
			WHERE s.environment_id = u.environment_id AND s.user_id = u.id AND s.outcome = 'ok'
			ORDER BY s.at DESC LIMIT 1
		), 0),
		` + firstProvider

// firstProvider is through which identity provider a user is known, the first of several: its type and its ID.
const firstProvider = `coalesce((
			SELECT p.type || ' ' || p.id
			FROM linked_accounts l
			JOIN identity_providers p ON p.environment_id = l.environment_id AND p.id = l.provider_id AND NOT p.going
			WHERE l.environment_id = u.environment_id AND l.user_id = u.id
			ORDER BY l.created_at, l.id LIMIT 1
		), '')`

const userColumns = userFields + ` FROM users u`

// scanUser reads a user without what correlates it with an entry, which comes in a
// query of its own for a whole page: see addCorrelations.
func scanUser(r row) (u User, err error) {
	provider := ""
	err = r.Scan(append(u.fields(), at{&u.LastSignOnAt}, &provider)...)
	u.through(provider)
	return u, err
}

// through reads firstProvider.
func (u *User) through(provider string) {
	of, id, _ := strings.Cut(provider, " ")
	u.ProviderType, u.ProviderID = ProviderType(of), id
}

// fields are where recordFields are read to; whoever reads a user with more appends it.
func (u *User) fields() []any {
	return []any{
		&u.ID,
		&u.EnvironmentID,
		&u.PopulationID,
		&u.Username,
		&u.GivenName,
		&u.FamilyName,
		&u.Email,
		&u.ExternalID,
		fromJSON{&u.Attributes},
		&u.Enabled,
		&u.Locked,
		fromJSON{&u.Kept},
		&u.GatewayID,
		&u.UserTypeID,
		&u.DN,
		at{&u.CreatedAt},
		at{&u.UpdatedAt},
		&u.SignOffs,
	}
}

// User returns a user, or ErrNotFound.
func (r reader) User(ctx context.Context, env, id string) (User, error) {
	return r.oneUser(ctx, userColumns+` WHERE u.environment_id = $1 AND u.id = $2`, env, id)
}

// person is User with the fields of the row alone.
func (r reader) person(ctx context.Context, env, id string) (User, error) {
	return queryOne(ctx, r.c, func(r row) (u User, err error) {
		err = r.Scan(u.fields()...)
		return u, err
	}, recordFields+` FROM users u WHERE u.environment_id = $1 AND u.id = $2`, env, id)
}

// UserByUsername returns the user of that name, without regard to case, or ErrNotFound.
func (r reader) UserByUsername(ctx context.Context, env, username string) (User, error) {
	return r.oneUser(ctx, userColumns+` WHERE u.environment_id = $1 AND u.username_folded = $2`, env, Fold(username))
}

// PersonByUsername is UserByUsername in one statement, without what only people look at:
// the last sign-on, and who vouches for the user.
func (r reader) PersonByUsername(ctx context.Context, env, username string) (User, error) {
	u, _, _, err := r.PersonTried(ctx, env, username, Tries{}, time.Time{})
	return u, err
}

// PersonTried is PersonByUsername and Tried in one statement; of a name that nobody has it returns ErrNotFound alone.
func (r reader) PersonTried(
	ctx context.Context, env, username string, t Tries, now time.Time,
) (u User, n int64, wait time.Duration, err error) {
	var all []placedCorrelation
	var have tried
	found, err := queryAll(ctx, r.c, func(r row) (read User, err error) {
		var c placedCorrelation
		err = r.Scan(append(read.fields(), &c.position, &c.Attribute, &c.Value, &have.n, &have.until)...)
		if c.Attribute != "" {
			all = append(all, c)
		}
		return read, err
	}, recordFields+`, coalesce(c.position, 0), coalesce(c.attribute, ''), coalesce(c.value, ''),
			coalesce(t.tried, 0), coalesce(t.expires_at, 0)
		FROM users u
		LEFT JOIN correlations c ON c.user_id = u.id
		LEFT JOIN tries t ON t.key_hash = $1
		WHERE u.environment_id = $2 AND u.username_folded = $3`,
		sessionKey(t.Key), env, Fold(username))
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return User{}, 0, 0, err
	}
	slices.SortFunc(all, func(a, b placedCorrelation) int { return cmp.Compare(a.position, b.position) })
	for _, c := range all {
		found[0].Correlation = append(found[0].Correlation, c.Correlation)
	}
	n, wait = have.at(t, now)
	return found[0], n, wait, nil
}

// placedCorrelation is a correlation with its place among those of its user.
type placedCorrelation struct {
	position int
	Correlation
}

// oneUser reads one user with its correlation, or returns ErrNotFound.
func (r reader) oneUser(ctx context.Context, query string, args ...any) (User, error) {
	u, err := queryOne(ctx, r.c, scanUser, query, args...)
	if err != nil {
		return User{}, err
	}
	users := []User{u}
	err = r.addCorrelations(ctx, users)
	return users[0], err
}

// byCorrelation are the users u of a gateway that have a value, at most three; what they are looked for by
// is named as a statement names it. CROSS JOIN has SQLite begin with the value, which few have. Left to
// choose it begins with the gateway, and looks at each of its users; as does PostgreSQL before it has counted what is
// in the tables, unless something is added to what many have.
func byCorrelation(env, attribute, value, gateway string) string {
	return `
		correlations c
		CROSS JOIN users u
		WHERE c.environment_id = ` + env + ` AND c.attribute_key = ` + attribute + ` AND c.value = ` + value + `
			AND u.id = c.user_id AND u.environment_id || '' = c.environment_id AND u.gateway_id || '' = ` + gateway + `
		LIMIT 3`
}

// UsersByCorrelation returns the users of a gateway whose directory entry has
// the value, at most three: what matters is whether there is exactly one. The
// attribute is compared without regard to case, the value as it is.
func (r reader) UsersByCorrelation(ctx context.Context, env, gateway, attribute, value string) ([]User, error) {
	users, err := queryAll(ctx, r.c, scanUser, userFields+` FROM `+byCorrelation("$1", "$2", "$3", "$4"),
		env, strings.ToLower(attribute), value, gateway)
	if err != nil {
		return nil, err
	}
	return users, r.addCorrelations(ctx, users)
}

// ownedCorrelation is a correlation with whose it is.
type ownedCorrelation struct {
	user string
	Correlation
}

// addCorrelations fills in the correlations of all users.
func (r reader) addCorrelations(ctx context.Context, users []User) error {
	if len(users) == 0 {
		return nil
	}
	index := make(map[string]*User, len(users))
	ids := make([]string, 0, len(users))
	for i := range users {
		index[users[i].ID] = &users[i]
		ids = append(ids, users[i].ID)
	}
	all, err := queryAll(ctx, r.c, func(r row) (o ownedCorrelation, err error) {
		err = r.Scan(&o.user, &o.Attribute, &o.Value)
		return o, err
	}, `
		SELECT user_id, attribute, value
		FROM correlations
		WHERE user_id `+r.c.among("$1")+`
		ORDER BY user_id, position`,
		r.c.texts(ids))
	for _, o := range all {
		index[o.user].Correlation = append(index[o.user].Correlation, o.Correlation)
	}
	return err
}
