package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"os"
	"os/exec"
	"testing"

	"ldap-gateway/cloud/api/client"
	"ldap-gateway/cloud/idp/providertest"
)

// TestProvidersOutliveARestore: of a copy the same people are signed on by the same
// providers, with secrets and keys of ours that the copy has sealed. And nothing that
// was said is anywhere: no code, no token, no document, no secret.
func TestProvidersOutliveARestore(t *testing.T) {
	p := newPartners(t)
	base := p.address() + "/" + p.api.Environment
	openID, saml := providertest.OpenID(t, base+"/rp/callback/openid_connect"), providertest.Samlp(t, base+"/saml20/sp/acs")
	groups := map[string]any{"groups": []string{"staff"}}
	openID.Write("people.json", map[string]any{"alice": person("both", groups)})
	saml.Write("people.json", map[string]any{"bob": groups})
	saml.Write("answer.json", map[string]any{"signAssertion": true, "encrypt": true})
	const secret = "a secret of more than thirty-two characters"
	one := p.addOpenID(openID, "jwt", secret, "CLIENT_SECRET_JWT", map[string]any{"alwaysUserInfo": true})
	other, certificate := p.addSAML(saml, "${providerAttributes['http://schemas.xmlsoap.org/claims/Group']}", nil)
	saml.WriteFile("sp.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}))
	first, second := p.byOpenID(one, "alice"), p.bySAML(other, "bob")
	if first.groups != "staff" || second.groups != "staff" || first.user == second.user {
		t.Fatalf("%+v %+v", first, second)
	}
	p.restore()
	if again := p.byOpenID(one, "alice"); again != first {
		t.Errorf("%+v", again)
	}
	if again := p.bySAML(other, "bob"); again != second {
		t.Errorf("%+v", again)
	}
	p.cloud.stop()
	all := p.everything()
	// How tokens begin: with "alg", "typ" or "kid". Shorter, it would be found by chance in what is sealed.
	secrets := []string{secret, "eyJhbGciOi", "eyJ0eXAiOi", "eyJraWQiOi", "PRIVATE KEY", "<saml"}
	for _, said := range append(p.said, secrets...) {
		forms := [][]byte{[]byte(said), []byte(base64.StdEncoding.EncodeToString([]byte(said)))}
		if decoded, err := base64.StdEncoding.DecodeString(said); err == nil {
			forms = append(forms, decoded)
		}
		for _, form := range forms {
			if len(form) > 0 && bytes.Contains(all, form) {
				t.Errorf("%.60q is there", form)
			}
		}
	}
	if len(p.said) != 4 || !bytes.Contains(all, []byte("staff")) {
		t.Errorf("the search looks in the wrong place, or for nothing: %d", len(p.said))
	}
}

// restore has the cloud be made anew of a copy of itself, at the same address.
func (p *partners) restore() {
	p.t.Helper()
	data, copied := p.dir+"/cloud", p.dir+"/copy"
	run := func(args ...string) {
		p.t.Helper()
		if out, err := exec.Command(programs+"/ldap-cloud", args...).CombinedOutput(); err != nil {
			p.t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	run("backup", "--data", data, "--to", copied)
	p.cloud.kill()
	must(p.t, os.Rename(data, p.dir+"/lost"))
	must(p.t, os.MkdirAll(data, 0o700))
	must(p.t, os.Rename(p.dir+"/lost/master.key", data+"/master.key"))
	run("restore", "--data", data, "--from", copied)
	p.api = &client.Client{Environment: p.api.Environment, ID: p.api.ID, Secret: p.api.Secret}
	p.restartCloud()
}
