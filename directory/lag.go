package directory

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"ldap-gateway/directory/dn"
)

// mostShown bounds the groups that are remembered of a server.
const mostShown = 10_000

// shown is which groups a server has shown since the program was started, and in what
// state. What it has had it does not lack because it is behind.
type shown struct {
	mu     sync.Mutex
	stamps map[string]string // by foldDN
}

// note remembers a group.
func (s *shown) note(group, stamp string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stamps == nil || len(s.stamps) >= mostShown {
		s.stamps = map[string]string{}
	}
	key := foldDN(group)
	s.stamps[key] = max(s.stamps[key], stamp)
}

// had tells whether the server has shown a group in a state, or in a newer one.
func (s *shown) had(group, stamp string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.stamps[foldDN(group)]
	return ok && !older(known, stamp)
}

// behind tells whether a server may lack a group only since it has not got it yet. That
// it is not behind is shown by having had the group, by what it says of how far it has
// followed the others, or by there being no others.
func (k *looker) behind(ctx context.Context, name dn.Name, g Asked) bool {
	had := k.link.server.shown.had(g.DN, g.Stamp)
	switch openLDAP := k.query.dse.vendor == VendorOpenLDAP; {
	case k.query.dse.activeDirectory(), had && !openLDAP: // there, the person's side has told
		return false
	case g.Stamp != "":
		if followed, told := k.followed(ctx, name, g.Stamp); told {
			return !followed
		}
	}
	return !had && k.hasOthers()
}

// mayLack tells whether a group that is there may lack a change of before all the same:
// on OpenLDAP, where another server made it than made the newest one; elsewhere, where
// both are of one second, since stamps there know no less.
func (k *looker) mayLack(ctx context.Context, name dn.Name, g Asked, s Sight) bool {
	maker := makerOf(g.Stamp)
	switch {
	case g.Stamp == "" || k.query.dse.activeDirectory():
		return false
	case maker != "" && maker == makerOf(s.Stamp), maker == "" && s.Stamp != g.Stamp:
		return false
	}
	if followed, told := k.followed(ctx, name, g.Stamp); told {
		return !followed
	}
	return k.hasOthers()
}

// hasOthers tells whether the file names, or finds, more than one server.
func (k *looker) hasOthers() bool {
	c := k.link.server.client
	return c.cfg.Discover != "" || len(c.list()) > 1
}

// followed tells whether the server has all changes up to a stamp, if it tells at all.
func (k *looker) followed(ctx context.Context, name dn.Name, stamp string) (followed, told bool) {
	i := slices.IndexFunc(k.query.dse.contexts, func(context string) bool {
		suffix, err := dn.Parse(context)
		return err == nil && name.Within(suffix)
	})
	if i < 0 {
		return false, false
	}
	switch suffix := k.query.dse.contexts[i]; k.query.dse.vendor {
	case VendorOpenLDAP:
		return followedCSN(k.values(ctx, suffix, "contextCSN"), stamp)
	case Vendor389:
		return followedRUV(k.values(ctx, replicaOf(suffix), "nsds50ruv"), stamp)
	}
	return false, false
}

// replicaOf returns where 389 keeps how far it has followed each supplier of a suffix.
// Whoever is to read it needs a right there.
func replicaOf(suffix string) string {
	var value strings.Builder
	for _, b := range []byte(suffix) {
		if strings.IndexByte(`,=+"\;<>#`, b) >= 0 {
			fmt.Fprintf(&value, `\%02X`, b)
		} else {
			value.WriteByte(b)
		}
	}
	return "cn=replica,cn=" + value.String() + ",cn=mapping tree,cn=config"
}

// followedCSN reads contextCSN of OpenLDAP: for each server that makes changes, the
// newest that has arrived. A stamp is an entryCSN, and says which server made it.
func followedCSN(contexts []string, stamp string) (followed, told bool) {
	maker := makerOf(stamp)
	for _, newest := range contexts {
		if maker != "" && makerOf(newest) == maker {
			return !older(newest, stamp), true
		}
	}
	if maker == noMaker && len(contexts) > 0 { // loaded while no server ran
		return !slices.ContainsFunc(contexts, func(newest string) bool { return older(newest, stamp) }), true
	}
	return false, len(contexts) > 0 && maker != "" // nothing of that server has arrived
}

// noMaker is in the CSN of a change that no server of several made.
const noMaker = "000"

// makerOf returns the server ID in a CSN, as in "20260102150405.000000Z#000000#001#000000".
func makerOf(csn string) string {
	parts := strings.Split(csn, "#")
	if len(parts) != 4 {
		return ""
	}
	return parts[2]
}

// followedRUV reads nsds50ruv of 389: "{replica 1 ldap://host:389} MINCSN MAXCSN" for
// each supplier. A stamp is a modifyTimestamp, which does not say who made it: all have
// to have come as far. One of which nothing has arrived may have made it.
func followedRUV(vector []string, stamp string) (followed, told bool) {
	at, err := time.Parse("20060102150405Z", stamp)
	if err != nil {
		return false, false
	}
	for _, element := range vector {
		supplier, changes, ok := strings.Cut(element, "}")
		if !ok || !strings.HasPrefix(supplier, "{replica ") {
			continue // the generation
		}
		told = true
		csns := strings.Fields(changes)
		if len(csns) < 2 || !secondsOf(csns[1]).After(at) { // a second may hold more changes
			return false, true
		}
	}
	return told, told
}

// secondsOf returns the time in a CSN of 389, whose first eight hexadecimal digits are
// seconds since 1970; zero when it is none.
func secondsOf(csn string) time.Time {
	if len(csn) < 8 {
		return time.Time{}
	}
	b, err := hex.DecodeString(csn[:8])
	if err != nil {
		return time.Time{}
	}
	return time.Unix(int64(b[0])<<24|int64(b[1])<<16|int64(b[2])<<8|int64(b[3]), 0)
}
