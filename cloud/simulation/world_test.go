package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"

	"ldap-gateway/agent/policy"
	agentsignon "ldap-gateway/agent/signon"
	"ldap-gateway/agent/state"
	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/provisioner"
	"ldap-gateway/cloud/signon"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/storetest"
	"ldap-gateway/cloud/usertypes"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
)

// simulation is a world in the process: the cloud's sign-on, provisioner and store,
// two agents' sign-ons with the real directory room, and two servers with one content.
type simulation struct {
	t       *testing.T
	r       *rand.Rand
	now     time.Time // of the cloud's throttle
	step    int
	wrong   []string
	before  []string // what happened last
	servers []*directorytest.Server
	failing bool

	people []string
	groups []*simulatedGroup
	shown  map[string]map[string]bool // DNs of groups that ever had a person, by person
	named  int
	stamp  int

	path    string
	db      *store.Store
	desk    *signon.Service
	env     string
	gateway store.Gateway
	update  bool

	agents []*simulatedAgent
	broken int // how the link of this sign-on breaks: 1 to 3; else it does not

	acknowledged, ok, joined, left, doubted, whole int

	plantedLook   func(hub.Look) []wire.Sight
	plantedAnswer func(*wire.SignOnResult)
	plantedTwice  bool
	plantedLoss   bool
}

// simulatedGroup is one group of the directory.
type simulatedGroup struct {
	dn      string
	id      string // entryUUID
	members map[string]bool
	hidden  directorytest.Hiding
}

// simulatedAgent is one instance: what outlives a restart is its folder.
type simulatedAgent struct {
	id      string
	folder  state.Folder
	client  *directory.Client
	service *agentsignon.Service
	sealer  *wire.Sealer
}

func newSimulation(t *testing.T, seed uint64) *simulation {
	w := &simulation{
		t:      t,
		r:      random(seed),
		now:    time.Now(),
		people: []string{"ann", "bob", "cleo", "dan", "eve"},
		shown:  map[string]map[string]bool{},
		path:   storetest.File(t),
		update: true,
	}
	for range 2 {
		w.servers = append(w.servers, directorytest.Start(t, func(s *directorytest.Server) {
			// One that tells how far it has followed the other, as OpenLDAP does.
			s.RootDSE = map[string][]string{"objectClass": {"top", "OpenLDAProotDSE"}}
		}))
	}
	w.everywhere(func(s *directorytest.Server) error {
		return s.Add("dc=x", map[string][]string{"objectClass": {"domain"}})
	})
	for _, ou := range []string{"ou=people,dc=x", "ou=groups,dc=x"} {
		w.everywhere(func(s *directorytest.Server) error {
			return s.Add(ou, map[string][]string{"objectClass": {"organizationalUnit"}})
		})
	}
	for i, p := range w.people {
		w.shown[p] = map[string]bool{}
		id := uuidOf(i)
		w.everywhere(func(s *directorytest.Server) error {
			return s.Add(personAt(p), map[string][]string{
				"objectClass":  {"inetOrgPerson"},
				"uid":          {p},
				"cn":           {p},
				"sn":           {p},
				"entryUUID":    {id},
				"userPassword": {"right"},
			})
		})
	}
	for range 8 {
		g := &simulatedGroup{}
		w.groups = append(w.groups, g)
		w.makeGroup(g)
	}
	w.openCloud()
	w.makeGateway()
	for i := range 2 {
		w.agents = append(w.agents, &simulatedAgent{id: fmt.Sprint("instance-", i), folder: state.At(t.TempDir())})
		w.restartAgent(i)
	}
	t.Cleanup(w.close)
	return w
}

func uuidOf(i int) string { return fmt.Sprintf("00000000-0000-0000-0000-%012d", i) }

func personAt(p string) string { return "uid=" + p + ",ou=people,dc=x" }

func (w *simulation) everywhere(do func(*directorytest.Server) error) {
	for _, s := range w.servers {
		must(w.t, do(s))
	}
}

// touched counts a change of an entry, as servers do.
func (w *simulation) touched(dn string) {
	w.stamp++
	stamp := time.Date(2026, 1, 1, 0, 0, w.stamp, 0, time.UTC).Format("20060102150405.000000Z") + "#000000#001#000000"
	w.everywhere(func(s *directorytest.Server) error { return s.Replace(dn, "entryCSN", stamp) })
	w.everywhere(func(s *directorytest.Server) error { return s.Replace("dc=x", "contextCSN", stamp) })
}

func (w *simulation) makeGroup(g *simulatedGroup) {
	w.named++
	*g = simulatedGroup{
		dn:      fmt.Sprintf("cn=group-%d,ou=groups,dc=x", w.named),
		id:      uuid.NewString(),
		members: map[string]bool{},
	}
	w.everywhere(func(s *directorytest.Server) error {
		return s.Add(g.dn, map[string][]string{
			"objectClass": {"groupOfNames"},
			"cn":          {fmt.Sprintf("group-%d", w.named)},
			"entryUUID":   {g.id},
			"member":      {"uid=nobody,dc=x"},
		})
	})
	w.touched(g.dn)
}

func (w *simulation) setMember(g *simulatedGroup, p string, in bool) {
	if g.members[p] == in {
		return
	}
	g.members[p] = in
	w.note("%s in %s: %v", p, g.dn, in)
	values := []string{"uid=nobody,dc=x"}
	for _, one := range w.people {
		if g.members[one] {
			values = append(values, personAt(one))
			w.shown[one][g.dn] = true
		}
	}
	w.everywhere(func(s *directorytest.Server) error { return s.Replace(g.dn, "member", values...) })
	w.touched(g.dn)
}

func (w *simulation) rename(g *simulatedGroup) {
	w.named++
	to := fmt.Sprintf("cn=group-%d,ou=groups,dc=x", w.named)
	w.hide(g, 0)
	w.note("%s becomes %s", g.dn, to)
	w.everywhere(func(s *directorytest.Server) error { return s.Rename(g.dn, to) })
	w.everywhere(func(s *directorytest.Server) error { return s.Replace(to, "cn", fmt.Sprintf("group-%d", w.named)) })
	g.dn = to
	w.touched(to)
	for _, p := range w.people {
		if g.members[p] {
			w.shown[p][to] = true
		}
	}
}

// removeGroup has another one take its place.
func (w *simulation) removeGroup(g *simulatedGroup) {
	w.hide(g, 0)
	w.note("%s is deleted", g.dn)
	w.everywhere(func(s *directorytest.Server) error { return s.Delete(g.dn) })
	w.makeGroup(g)
}

func (w *simulation) hide(g *simulatedGroup, how int) {
	g.hidden = directorytest.Hiding(how)
	w.note("of %s is hidden: %d", g.dn, how)
	for _, s := range w.servers {
		s.Hide(g.dn, g.hidden)
	}
}

// fail has a server misbehave in one of the ways in which an answer is less.
func (w *simulation) fail() {
	s := w.servers[w.r.IntN(len(w.servers))]
	w.failing = true
	how := w.r.IntN(5)
	w.note("a server fails: %d", how)
	switch how {
	case 0:
		s.SetSearchFault("ou=groups,dc=x", directorytest.Fault{Result: &directorytest.Result{Code: 4}})
	case 1:
		s.SetSearchFault("", directorytest.Fault{ResetAfter: 1 + w.r.IntN(4)})
	case 2:
		s.SetSearchFault("ou=groups,dc=x", directorytest.Fault{Result: &directorytest.Result{Code: 50}})
	case 3:
		s.SetBindFault("", directorytest.Fault{Close: true})
	default:
		s.CutConnections()
	}
}

func (w *simulation) heal() {
	w.failing = false
	w.note("servers are well")
	for _, s := range w.servers {
		s.ClearFaults()
	}
}

// truth is where a person is a direct member now.
func (w *simulation) truth(p string) map[string]bool {
	in := map[string]bool{}
	for _, g := range w.groups {
		if g.members[p] {
			in[g.dn] = true
		}
	}
	return in
}

func (w *simulation) allCanBeSeen() bool {
	return !w.failing && !slices.ContainsFunc(w.groups, func(g *simulatedGroup) bool {
		return g.hidden != directorytest.HideNothing
	})
}

func (w *simulation) binds(p string) (n int) {
	for _, s := range w.servers {
		n += s.Binds(personAt(p))
	}
	return n
}

func (w *simulation) openCloud() {
	db, err := store.Open(w.t.Context(), w.path)
	must(w.t, err)
	w.db = db
	w.desk = &signon.Service{
		Store:       db,
		Agents:      simulatedLinks{w},
		Provisioner: &provisioner.Provisioner{Store: db},
		Logger:      hclog.NewNullLogger(),
		Now:         func() time.Time { return w.now },
	}
}

func (w *simulation) restartCloud() {
	must(w.t, w.db.Close())
	w.openCloud()
}

func (w *simulation) makeGateway() {
	ctx := w.t.Context()
	env := store.Environment{Name: "E"}
	must(w.t, w.db.CreateEnvironment(ctx, &env))
	w.env = env.ID
	must(w.t, w.db.CreatePopulation(ctx, &store.Population{EnvironmentID: env.ID, Name: "Default", Default: true}))
	w.gateway = store.Gateway{
		EnvironmentID: env.ID,
		Name:          "HQ",
		Enabled:       true,
		UserTypes: []store.UserType{{
			ID:                "staff",
			Name:              "Staff",
			SearchBaseDN:      "ou=people,dc=x",
			FilterPattern:     "(&(objectClass=inetOrgPerson)(uid=${identifier}))",
			PasswordAuthority: "LDAP",
			Correlation:       []string{"entryUUID"},
			UpdateOnSignOn:    true,
			Mappings: []store.Mapping{{
				Name:  "username",
				Value: "${ldapAttributes.uid}",
			}, {Name: "memberOfExternalGroups", Value: "${ldapAttributes.memberOf}"}},
		}},
	}
	must(w.t, w.db.CreateGateway(ctx, &w.gateway))
}

func (w *simulation) setUpdate(on bool) {
	g, err := w.db.Gateway(w.t.Context(), w.env, w.gateway.ID)
	must(w.t, err)
	g.UserTypes[0].UpdateOnSignOn = on
	must(w.t, w.db.UpdateGateway(w.t.Context(), &g))
	w.gateway, w.update = g, on
	for _, a := range w.agents {
		w.deliver(a)
	}
}

func (w *simulation) deliver(a *simulatedAgent) {
	answer := a.service.UserTypes(wire.UserTypes{
		Revision: w.gateway.Revision,
		Types:    []wire.UserType{usertypes.Compile(w.gateway.UserTypes[0])},
	})
	if len(answer.Refused) > 0 {
		w.t.Fatal(answer.Refused)
	}
}

// restartAgent ends an instance without a word and begins it with its folder.
func (w *simulation) restartAgent(i int) {
	a := w.agents[i]
	w.note("agent %d begins", i)
	if a.client != nil {
		must(w.t, a.client.Close())
	}
	var err error
	a.client, err = directory.Open(directory.Config{
		Servers:     []string{w.servers[i%2].TLSURL(), w.servers[(i+1)%2].TLSURL()},
		BaseDN:      "dc=x",
		TLS:         directory.TLS{RootCAs: w.pool()},
		Timeout:     2 * time.Second,
		DialTimeout: 2 * time.Second,
	})
	must(w.t, err)
	rules, err := policy.New(configs.Policy{
		SearchBases:            []string{"dc=x"},
		SignOnsPerMinute:       1_000_000,
		UserTypeChangesPerHour: 1_000_000,
		Groups:                 configs.GroupPolicy{SearchBases: []string{"dc=x"}, Max: 1000},
	})
	must(w.t, err)
	private, public, err := wire.NewSealKey()
	must(w.t, err)
	opener, err := wire.NewOpener(a.id, private)
	must(w.t, err)
	a.sealer, err = wire.NewSealer(a.id, public)
	must(w.t, err)
	guard := &agentsignon.Guard{}
	must(w.t, guard.Remember(a.folder.WrongPasswords()))
	a.service = &agentsignon.Service{
		People:  a.client,
		Policy:  rules,
		Opener:  opener,
		Stats:   agentsignon.NewStats(),
		Guard:   guard,
		Seen:    &agentsignon.Replays{},
		Persons: &agentsignon.Persons{},
		Changes: &agentsignon.Deliveries{},
		Logger:  hclog.NewNullLogger(),
		Started: time.Now(),
	}
	w.deliver(a)
}

func (w *simulation) close() {
	for _, a := range w.agents {
		must(w.t, a.client.Close())
	}
	must(w.t, w.db.Close())
}

// record returns the DNs of a person's groups in the cloud.
func (w *simulation) record(p string) (groups map[string]bool, known bool) {
	ctx := context.Background()
	u, err := w.db.UserByUsername(ctx, w.env, p)
	if err != nil {
		return map[string]bool{}, false
	}
	all, err := w.db.UserGroups(ctx, w.env, u.ID)
	must(w.t, err)
	groups = map[string]bool{}
	for _, g := range all {
		groups[g.Group.Name] = true
		if g.Doubt != "" {
			w.doubted++
		}
	}
	return groups, true
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
