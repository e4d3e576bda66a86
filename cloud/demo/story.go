package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// makeGateway makes the gateway and its user type by the API, as the console would.
func (s *stage) makeGateway(ctx context.Context) error {
	var gateway struct {
		ID        string
		UserTypes []struct{ ID string }
	}
	err := s.api.Do(ctx, "POST", "/gateways", map[string]any{
		"name":      "Headquarters",
		"type":      "LDAP",
		"enabled":   true,
		"vendor":    "LDAPv3-compliant Directory Server",
		"userTypes": []any{userType(false)},
	}, &gateway)
	if err != nil {
		return err
	}
	if len(gateway.UserTypes) != 1 {
		return errors.New("the user type was not made")
	}
	s.gateway, s.userType = gateway.ID, gateway.UserTypes[0].ID
	return nil
}

// userType is the user type of the story, with or without updates on sign-on.
func userType(update bool) map[string]any {
	return map[string]any{
		"name":                                 "Staff",
		"passwordAuthority":                    "LDAP",
		"searchBaseDn":                         "ou=people,dc=example,dc=com",
		"orderedCorrelationAttributes":         []string{"entryUUID"},
		"updateUserOnSuccessfulAuthentication": update,
		"newUserLookup": map[string]any{
			"ldapFilterPattern": "(&(objectClass=inetOrgPerson)(uid=${identifier}))",
			"attributeMappings": []any{
				map[string]string{"name": "username", "value": "${ldapAttributes.uid}"},
				map[string]string{"name": "name.given", "value": "${ldapAttributes.givenName}"},
				map[string]string{"name": "name.family", "value": "${ldapAttributes.sn}"},
				map[string]string{"name": "email", "value": "${ldapAttributes.mail}"},
				map[string]string{"name": "memberOfExternalGroups", "value": "${ldapAttributes.memberOf}"},
			},
		},
	}
}

// signOn is of the API's answer what the story checks.
type signOn struct {
	Outcome string
	Message string
	User    struct{ ID string }
	Groups  []struct{ Name, DisplayName string }
	Record  struct {
		Updated bool
		Reason  string
	}
	Membership struct{ Verdict string }
}

// signOn signs Alice on by the API, as an application would.
func (s *stage) signOn(ctx context.Context, password string) (r signOn, err error) {
	err = s.api.Do(ctx, "POST", "/signOns", map[string]string{"username": "alice", "password": password}, &r)
	return r, err
}

// tell plays the story and checks that it goes as it should.
func (s *stage) tell(ctx context.Context) error {
	before := s.directory.Binds(alice)
	first, err := s.signOn(ctx, "wonderland")
	if err != nil {
		return err
	}
	s.say("4. Alice signs on for the first time: %s", first.Outcome)
	s.say("   One search found her, %d bind checked her password, one search her direct groups (%s).",
		s.directory.Binds(alice)-before, first.Membership.Verdict)
	s.groups(first)
	s.say("   engineering is not among them: it holds backend, not Alice.\n")
	if err := expect(first, "backend", "on-call", "vpn-users"); err != nil {
		return err
	}
	wrong, err := s.signOn(ctx, "guess")
	if err != nil {
		return err
	}
	s.say("5. Somebody guesses her password: %s", wrong.Outcome)
	s.say("   They read: %q\n", wrong.Message)
	if err := s.move(ctx); err != nil {
		return err
	}
	if err := s.tellPartner(ctx, first.User.ID); err != nil {
		return err
	}
	return ctx.Err()
}

const alice = "uid=alice,ou=people,dc=example,dc=com"

// move changes the directory and signs on with updates off, then on.
func (s *stage) move(ctx context.Context) error {
	err := errors.Join(
		s.directory.Replace("cn=on-call,ou=groups,dc=example,dc=com", "member", "uid=mei,ou=people,dc=example,dc=com"),
		s.directory.Replace(
			"cn=frontend,ou=groups,dc=example,dc=com",
			"member",
			"uid=mei,ou=people,dc=example,dc=com",
			alice,
		),
		s.directory.Replace(alice, "sn", "Archer-Lee"))
	if err != nil {
		return err
	}
	s.say("6. In the directory Alice leaves on-call, joins frontend, and becomes Archer-Lee.")
	searches := s.directory.Searches()
	off, err := s.signOn(ctx, "wonderland")
	if err != nil {
		return err
	}
	s.say("   She signs on, with \"update as users sign on\" off: %s, %s.", off.Outcome, off.Record.Reason)
	s.say("   The agent made %d search, for her entry, and none for groups.", s.directory.Searches()-searches)
	s.groups(off)
	if err := expect(off, "backend", "on-call", "vpn-users"); err != nil {
		return err
	}
	if err := s.api.Do(ctx, "PUT", "/gateways/"+s.gateway+"/userTypes/"+s.userType, userType(true), nil); err != nil {
		return err
	}
	on, err := s.signOn(ctx, "wonderland")
	if err != nil {
		return err
	}
	s.say("\n7. The switch is turned on, and she signs on again: %s, %s.", on.Outcome, on.Record.Reason)
	s.groups(on)
	s.say("")
	return expect(on, "backend", "frontend", "vpn-users")
}

// groups lists what the cloud says the person is in.
func (s *stage) groups(r signOn) {
	for _, g := range r.Groups {
		s.say("     %-10s %s  [Just-in-time] [LDAP Gateway]", g.DisplayName, g.Name)
	}
}

// expect fails the demo when the groups are not the ones that the story tells.
func expect(r signOn, names ...string) error {
	var got []string
	for _, g := range r.Groups {
		got = append(got, g.DisplayName)
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		return fmt.Errorf("the cloud has the groups %v, and the directory %v: this is a defect", got, names)
	}
	return nil
}
