package api

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"time"

	"ldap-gateway/cloud/store"
)

// password is a secret in a request's body.
type password []byte

// UnmarshalJSON implements json.Unmarshaler.
// The text passes through a string on its way, which cannot be overwritten and is gone
// with the next collection; what is kept is bytes, which are overwritten.
func (p *password) UnmarshalJSON(b []byte) error {
	var s string
	err := json.Unmarshal(b, &s)
	*p = password(s)
	return err
}

// String keeps a password out of logs.
func (p password) String() string { return "[redacted]" }

// The outcome is one of the closed set of cloudlink/wire. The reason is for
// administrators, the message for the person: whoever shows a page shows the message.
type signOnBody struct {
	Links      links           `json:"_links"`
	ID         string          `json:"id"`
	At         time.Time       `json:"at"`
	Method     store.Method    `json:"method"`
	Outcome    string          `json:"outcome"`
	Message    string          `json:"message"`
	Reason     string          `json:"reason,omitempty"`
	Username   string          `json:"username"`
	User       *signOnUser     `json:"user,omitempty"`
	Groups     []signOnGroup   `json:"groups,omitzero"` // only in the answer to POST
	Record     recordBody      `json:"record"`
	Membership *membershipBody `json:"membership,omitempty"`
	Gateway    *reference      `json:"gateway,omitempty"`
	UserType   *reference      `json:"userType,omitempty"`
	Instance   *reference      `json:"instance,omitempty"`
	Provider   *reference      `json:"identityProvider,omitempty"`
	DurationMs float64         `json:"durationMillis"`
	Address    string          `json:"address,omitempty"`
}

// The username is only in the answer to POST, and only when they are in.
type signOnUser struct {
	ID       string `json:"id"`
	Username string `json:"username,omitempty"`
}

// signOnGroup is a group of the person's, as far as a program needs to know it.
type signOnGroup struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
	SourceType  string `json:"sourceType,omitempty"` // ours: two sources may have groups of one name
	SourceID    string `json:"sourceId,omitempty"`
}

// recordBody says what became of the person's record, and why it was not brought up to
// date.
type recordBody struct {
	Updated bool   `json:"updated"`
	Reason  string `json:"reason"`
}

// Added and removed are IDs of groups. The verdict says how much the directory showed:
// only what is complete takes away without evidence of each.
type membershipBody struct {
	Verdict string   `json:"verdict"`
	Reason  string   `json:"reason,omitempty"`
	Added   []string `json:"added"`
	Removed []string `json:"removed"`
}

// showSignOn leaves the groups out: they are as they are now, and not as they were
// then.
func showSignOn(c *call, so store.SignOn) signOnBody {
	b := signOnBody{
		Links:      c.self("signOns", so.ID),
		ID:         so.ID,
		At:         so.At,
		Method:     so.Method,
		Outcome:    so.Outcome,
		Message:    so.Message,
		Reason:     so.Reason,
		Username:   so.Username,
		Record:     recordBody{so.Updated, so.UpdateReason},
		Gateway:    refer(so.GatewayID),
		UserType:   refer(so.UserTypeID),
		Instance:   refer(so.InstanceID),
		Provider:   refer(so.ProviderID),
		DurationMs: float64(so.Duration) / float64(time.Millisecond),
		Address:    so.Address,
	}
	if so.UserID != "" {
		b.User = &signOnUser{ID: so.UserID}
	}
	if so.Verdict != "" {
		b.Membership = &membershipBody{
			Verdict: so.Verdict,
			Reason:  so.VerdictReason,
			Added:   append([]string{}, so.Added...),
			Removed: append([]string{}, so.Removed...),
		}
	}
	return b
}

// listSignOns answers with the newest first, of everybody or of one user:
// filter=user.id eq "ID".
func (s *Server) listSignOns(c *call) (reply, error) {
	page, err := c.page()
	if err != nil {
		return reply{}, err
	}
	var filter store.SignOnFilter
	if err := exactly(c, map[string]*string{"user.id": &filter.UserID}); err != nil {
		return reply{}, err
	}
	all, next, err := s.Store.SignOns(c.Context(), c.env, filter, page)
	if err != nil {
		return reply{}, err
	}
	return listed(c, "signOns", all, next, func(so store.SignOn) signOnBody { return showSignOn(c, so) })
}

// exactly reads a filter that has nothing but eq, joined by and, into fields. Each may
// be named once, and not be empty: the store takes an empty one for any, and of two
// only the second would count.
func exactly(c *call, fields map[string]*string) error {
	where, err := parseFilter(c.query("filter"), slices.Sorted(maps.Keys(fields))...)
	if err != nil || c.query("filter") == "" {
		return err
	}
	all := where.All
	if len(all) == 0 {
		all = []store.Where{where}
	}
	for _, w := range all {
		if w.Op != store.Equal {
			return badFilter("there may be nothing but eq, joined by and")
		}
		if w.Value == "" || *fields[w.Field] != "" {
			return badFilter("%s must have one value", w.Field)
		}
		*fields[w.Field] = w.Value
	}
	return nil
}

// getSignOn answers with one sign-on. It is open to clients that only sign on, who know
// an ID only of their own.
func (s *Server) getSignOn(c *call) (reply, error) {
	so, err := s.Store.SignOn(c.Context(), c.env, c.PathValue("id"))
	if err != nil {
		return reply{}, err
	}
	return ok(showSignOn(c, so))
}

// checkAddress refuses a person's address that is none: it is counted by, and shown. Empty: the client does not say.
func checkAddress(text string) error {
	if a, err := netip.ParseAddr(text); text != "" && (err != nil || a.Zone() != "") {
		return invalid(wrong("address", "It must be an IP address without a port, as in 192.0.2.1 or 2001:db8::1."))
	}
	return nil
}

// createSignOn does a sign-on for a trusted back end. Whatever its outcome, it
// was done, so the answer is 201.
// 500 means that it is not known what came of it: nothing could be recorded. The
// password is overwritten before the answer.
func (s *Server) createSignOn(c *call) (reply, error) {
	var form struct {
		Username string   `json:"username"`
		Password password `json:"password"`
		Address  string   `json:"address"`
	}
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	defer clear(form.Password)
	if form.Username == "" {
		return reply{}, invalid(missing("username"))
	}
	if err := checkAddress(form.Address); err != nil {
		return reply{}, err
	}
	so, who, err := s.SignOns.SignOn(c.Context(), SignOnRequest{
		EnvironmentID: c.env,
		Username:      form.Username,
		Password:      form.Password,
		Address:       form.Address,
		Actor:         "client:" + c.client.ID,
	})
	if err != nil {
		return reply{}, err
	}
	b := showSignOn(c, so)
	if err := s.addPerson(c, &b, so, who); err != nil {
		return reply{}, err
	}
	return created(b)
}

// addPerson puts in who signed on, when somebody did. The groups are those of now, right
// after the sign-on brought them up to date.
func (s *Server) addPerson(c *call, b *signOnBody, so store.SignOn, who Person) (err error) {
	if so.Outcome != store.SignedOnOK || so.UserID == "" {
		return nil
	}
	if who.Groups == nil {
		who.Groups, err = s.Store.Current.GroupsOf(c.Context(), c.env, so.UserID)
	}
	slices.SortFunc(who.Groups, func(a, b store.Group) int {
		return cmp.Or(cmp.Compare(store.Fold(a.DisplayName), store.Fold(b.DisplayName)), cmp.Compare(a.ID, b.ID))
	})
	b.User.Username, b.Groups = who.Username, make([]signOnGroup, 0, len(who.Groups))
	for _, g := range who.Groups {
		b.Groups = append(b.Groups, signOnGroup{
			ID:          g.ID,
			Name:        g.Name,
			DisplayName: g.DisplayName,
			SourceType:  string(g.SourceType),
			SourceID:    g.SourceID,
		})
	}
	return err
}

// An activity has no path of its own: self is the list.
type activityBody struct {
	Links   links          `json:"_links"`
	ID      string         `json:"id"`
	At      time.Time      `json:"at"`
	Action  string         `json:"action"`
	Actor   string         `json:"actor"`
	Subject string         `json:"subject"`
	SignOn  *reference     `json:"signOn,omitempty"`
	Text    string         `json:"text"`
	Detail  map[string]any `json:"detail,omitempty"`
}

// showActivity shows what happened as it was noted. The detail is as free as what it
// tells of.
func showActivity(c *call, a store.Activity) activityBody {
	return activityBody{
		Links:   c.self("activities"),
		ID:      a.ID,
		At:      a.At,
		Action:  a.Action,
		Actor:   a.Actor,
		Subject: a.Subject,
		SignOn:  refer(a.SignOnID),
		Text:    a.Text,
		Detail:  a.Detail,
	}
}

// listActivities lists the newest first; a filter compares with eq only.
func (s *Server) listActivities(c *call) (reply, error) {
	page, err := c.page()
	if err != nil {
		return reply{}, err
	}
	var f store.ActivityFilter
	if err := exactly(c, map[string]*string{
		"action":    &f.Action,
		"actor":     &f.Actor,
		"subject":   &f.Subject,
		"signOn.id": &f.SignOnID,
	}); err != nil {
		return reply{}, err
	}
	all, next, err := s.Store.Activities(c.Context(), c.env, f, page)
	if err != nil {
		return reply{}, err
	}
	return listed(c, "activities", all, next, func(a store.Activity) activityBody { return showActivity(c, a) })
}
