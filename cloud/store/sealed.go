package store

import "context"

// Sealed is a value that a vault sealed, by the table that it is in and the owner it was sealed for.
type Sealed struct {
	Table, Owner string
	Value        []byte
}

// sealedIn are the tables of what is sealed for good, with the columns of the owner and the value.
// What people's one-time passwords are sealed for is no column.
func sealedIn() [][3]string {
	return [][3]string{
		{"signing_keys", "id", "sealed"},
		{"ec_signing_keys", "id", "sealed"},
		{"kerberos_keys", "id", "sealed"},
		{"administrators", "id", "totp"},
		{"alert_channels", "id", "sealed"},
		{"applications", "id", "secret_sealed"},
		{"identity_providers", "id", "sealed"},
		{"certificates", "id", "sealed"},
		{"acme", "name", "sealed"},
	}
}

// SomeSealed returns one value of each table that has any.
func (r reader) SomeSealed(ctx context.Context) (all []Sealed, err error) {
	for _, in := range sealedIn() {
		some, err := queryAll(ctx, r.c, func(r row) (s Sealed, err error) {
			s.Table = in[0]
			err = r.Scan(&s.Owner, fromBase64{&s.Value})
			return s, err
		}, `SELECT `+in[1]+`, `+in[2]+` FROM `+in[0]+` WHERE `+in[2]+` <> '' LIMIT 1`)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}
