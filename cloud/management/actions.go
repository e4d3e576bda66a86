package management

import (
	"slices"

	"ldap-gateway/cloud/store"
)

// Action is one thing that somebody may do.
// It is in words, since people read it: in tests that fail, and in what is written
// about who may do what.
type Action string

// What may be looked at. Reading is no method here; faces ask by these whether a
// page or a path is somebody's to see.
const (
	Read         Action = "read"
	SaveLists    Action = "save whole lists as files"
	ReadSignOn   Action = "read a sign-on"
	ReadSettings Action = "read the settings"
	SignPeopleOn Action = "sign people on"
	TryPerson    Action = "try a person" // asks an agent what a sign-on would bring
	KeepOwn      Action = "keep one's own way in"
)

// What may be changed.
const (
	CreateUser  Action = "create a user"
	ChangeUser  Action = "change a user"
	DeleteUser  Action = "delete a user"
	LinkUser    Action = "link a user"
	SignOffUser Action = "sign a user off everywhere"
	ResetFactor Action = "take away a user's second factor"

	CreateGroup  Action = "create a group"
	ChangeGroup  Action = "change a group"
	DeleteGroup  Action = "delete a group"
	AddMember    Action = "add a member"
	RemoveMember Action = "remove a member"
	ReleaseGroup Action = "let go of members who cannot be told"

	CreatePopulation Action = "create a population"
	ChangePopulation Action = "change a population"
	DeletePopulation Action = "delete a population"

	CreateGateway  Action = "create a gateway"
	ChangeGateway  Action = "change a gateway"
	DeleteGateway  Action = "delete a gateway"
	AddUserType    Action = "add a user type"
	ChangeUserType Action = "change a user type"
	RemoveUserType Action = "remove a user type"
	RelinkUsers    Action = "relink users"
	UseKeys        Action = "use Kerberos keys"
	DeleteKeys     Action = "delete Kerberos keys"

	OfferPairing    Action = "make a pairing code"
	WithdrawPairing Action = "take back a pairing code"
	ApprovePairing  Action = "approve an agent"
	DenyPairing     Action = "turn an agent away"
	RotateInstance  Action = "rotate an instance's keys"
	RevokeInstance  Action = "revoke an instance"

	CreateApplication Action = "create an application"
	ChangeApplication Action = "change an application"
	DeleteApplication Action = "delete an application"
	RenewApplication  Action = "make an application's secret"
	ReadSecret        Action = "read an application's secret"

	CreateProvider Action = "create an identity provider"
	ChangeProvider Action = "change an identity provider"
	DeleteProvider Action = "delete an identity provider"
	TryProvider    Action = "try an identity provider"

	ReadProviderSecret Action = "read an identity provider's secret"
	AddCertificate     Action = "add a certificate"
	MakeKey            Action = "make a key"
	DeleteCertificate  Action = "delete a certificate"
	LinkAccount        Action = "link an account at a provider"
	UnlinkAccount      Action = "unlink an account at a provider"

	CreateAdministrator Action = "create an administrator"
	ChangeAdministrator Action = "change an administrator"
	ResetAdministrator  Action = "reset an administrator"
	DeleteAdministrator Action = "delete an administrator"
	SetRoleGroup        Action = "give a group a role"

	CreateClient Action = "create an API client"
	RenewClient  Action = "make an API client's secret"
	DeleteClient Action = "delete an API client"

	CreateEnvironment Action = "create an environment"
	DeleteEnvironment Action = "delete an environment"
	RenameEnvironment Action = "rename the environment"
	ChangeSettings    Action = "change the settings"
	SetLogo           Action = "set the logo"
	SetBrand          Action = "set the colours and links of pages"
	MoveSignOnOrder   Action = "move a user type in the sign-on order"
	CreatePolicy      Action = "create a sign-on policy"
	ChangePolicy      Action = "change a sign-on policy"
	DeletePolicy      Action = "delete a sign-on policy"
	AddChannel        Action = "add an alert channel"
	TryChannel        Action = "try an alert channel"
	DeleteChannel     Action = "delete an alert channel"
	QuietAlert        Action = "make an alert quiet"
)

// Who may: each of these is a set of roles.
// None of them is changed after it was made: whoever may do what is decided when this
// program is written, and not by whoever runs it.
var (
	owners   = []store.Role{store.RoleOwner}
	keepers  = []store.Role{store.RoleOwner, store.RoleIdentityAdmin}
	helpers  = []store.Role{store.RoleOwner, store.RoleIdentityAdmin, store.RoleHelpDesk}
	readers  = []store.Role{store.RoleOwner, store.RoleIdentityAdmin, store.RoleHelpDesk, store.RoleReadOnly}
	savers   = []store.Role{store.RoleOwner, store.RoleIdentityAdmin, store.RoleReadOnly}
	signers  = []store.Role{store.RoleOwner, store.RoleIdentityAdmin, store.RoleSignOn}
	everyone = append(slices.Clone(readers), store.RoleSignOn)
)

// table says which roles may do what. It is the only place that does.
var table = []struct {
	action Action
	roles  []store.Role
}{
	{Read, readers},
	{SaveLists, savers}, // who helps one person after the other needs no list of all
	{ReadSignOn, everyone},
	{ReadSettings, owners},
	{SignPeopleOn, signers},
	{TryPerson, helpers},
	{KeepOwn, readers},

	{CreateUser, keepers},
	{ChangeUser, keepers},
	{DeleteUser, keepers},
	{LinkUser, keepers},
	{SignOffUser, helpers},
	{ResetFactor, helpers}, // who has lost a telephone asks them, and people with more rights are weighed

	{CreateGroup, keepers},
	{ChangeGroup, keepers},
	{DeleteGroup, keepers},
	{AddMember, keepers},
	{RemoveMember, keepers},
	{ReleaseGroup, keepers},

	{CreatePopulation, keepers},
	{ChangePopulation, keepers},
	{DeletePopulation, keepers},

	{CreateGateway, keepers},
	{ChangeGateway, keepers},
	{DeleteGateway, keepers},
	{AddUserType, keepers},
	{ChangeUserType, keepers},
	{RemoveUserType, keepers},
	{RelinkUsers, keepers},
	{UseKeys, keepers},
	{DeleteKeys, keepers},

	{OfferPairing, keepers},
	{WithdrawPairing, keepers},
	{ApprovePairing, keepers},
	{DenyPairing, keepers},
	{RotateInstance, keepers},
	{RevokeInstance, keepers},

	{CreateApplication, keepers},
	{ChangeApplication, keepers},
	{DeleteApplication, keepers},
	{RenewApplication, keepers},
	{ReadSecret, keepers},

	// Whoever settles who vouches for people could sign on as any of them.
	{CreateProvider, owners},
	{ChangeProvider, owners},
	{DeleteProvider, owners},
	{TryProvider, owners},
	{ReadProviderSecret, owners},
	{AddCertificate, owners},
	{MakeKey, owners},
	{DeleteCertificate, owners},
	{LinkAccount, keepers},
	{UnlinkAccount, keepers},

	{CreateAdministrator, owners},
	{ChangeAdministrator, owners},
	{ResetAdministrator, owners},
	{DeleteAdministrator, owners},
	{SetRoleGroup, owners},

	{CreateClient, owners},
	{RenewClient, owners},
	{DeleteClient, owners},

	// Whoever makes an environment is its owner.
	{CreateEnvironment, owners},
	{DeleteEnvironment, owners},
	{RenameEnvironment, keepers},
	{ChangeSettings, owners},
	{SetLogo, owners},
	{SetBrand, owners},
	{MoveSignOnOrder, owners},
	{CreatePolicy, owners},
	{ChangePolicy, owners},
	{DeletePolicy, owners},
	{AddChannel, owners},
	{TryChannel, owners},
	{DeleteChannel, owners},
	{QuietAlert, owners},
}

// Actions lists every action, in the order of the table.
// Faces hold their places against it, so that an action without a place is noticed.
func Actions() (all []Action) {
	for _, row := range table {
		all = append(all, row.action)
	}
	return all
}

// May tells whether who has a role may do an action. Nobody may do what is not in
// the table.
// An empty role, and one of a newer program, may do nothing.
func May(role store.Role, a Action) bool {
	for _, row := range table {
		if row.action == a {
			return slices.Contains(row.roles, role)
		}
	}
	return false
}

// ClientRoles are the roles that an API client may have, the mightiest first.
// An administrator cannot have RoleSignOn: it is for a program that signs people on and
// is nobody's way to look around.
func ClientRoles() []store.Role { return append(store.Roles(), store.RoleSignOn) }
