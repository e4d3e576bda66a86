package configs

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// addressKeys are those of addresses: what has another form may have a password in it.
var addressKeys = []string{"url", "servers", "discover", "referral_hosts", "kdc", "listen"}

// switchKeys are those of switches and numbers: a text is not meant for them.
var switchKeys = []string{
	"allow_clear_text", "bind", "built_in_primary_groups", "explain", "follow_referrals", "keep", "max", "max_size_mb",
	"most", "old_key_exchange", "own_identity", "password_changes", "posix_primary_groups", "search",
	"sign_ons_per_minute", "sign_ons_per_person_per_minute", "user_type_changes_per_hour",
}

// block is what the schema has in one block; nil: the schema has no such block, so that
// nothing in it is known to be harmless.
type block struct {
	keys   map[string]bool // whether the source of the value is shown
	blocks map[string]*block
}

// wholeFile is the schema. What stands under another name, or elsewhere than there, may
// be a secret whose key is misspelt.
var wholeFile = blockOf(reflect.TypeFor[fileBody]())

func blockOf(t reflect.Type) *block {
	b := &block{keys: map[string]bool{}, blocks: map[string]*block{}}
	for i := range t.NumField() {
		f := t.Field(i)
		if name, kind, _ := strings.Cut(f.Tag.Get("hcl"), ","); kind == "block" {
			b.blocks[name] = blockOf(f.Type.Elem())
		} else {
			b.keys[name] = !slices.Contains(secretKeys, name)
		}
	}
	return b
}

// shows tells whether the value of a key is shown.
func (b *block) shows(key string) bool { return b != nil && b.keys[key] }

// in returns the block of a name.
func (b *block) in(name string) *block {
	if b == nil {
		return nil
	}
	return b.blocks[name]
}

// knows tells whether a name is one of the schema, wherever.
func (b *block) knows(name string) bool {
	if _, key := b.keys[name]; key {
		return true
	}
	for block, in := range b.blocks {
		if block == name || in.knows(name) {
			return true
		}
	}
	return false
}

// plainAddress is a host or a URL that has no more than a scheme, a host, a port and a
// path, or a part of it.
var plainAddress = regexp.MustCompile(`^(?:[A-Za-z][A-Za-z0-9+.-]*://)?` +
	`(?:\[[0-9A-Fa-f:.]*\]|[\p{L}\p{N}._*-]*)(?::[0-9]*)?(?:/[\p{L}\p{N}._~/-]*)?$`)

// shownAddress returns an address as it may be told.
func shownAddress(s string) string {
	if plainAddress.MatchString(s) {
		return s
	}
	return "…"
}

// plainNav says in which block a mistake is, if its name is one of the schema and it has
// no label.
type plainNav struct{ whole any }

// ContextString implements what hcl's writer of diagnostics asks for.
func (n plainNav) ContextString(offset int) string {
	whole, ok := n.whole.(interface{ ContextString(offset int) string })
	if !ok {
		return ""
	}
	if name := whole.ContextString(offset); wholeFile.knows(name) {
		return name
	}
	return ""
}
