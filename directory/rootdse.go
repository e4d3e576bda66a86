package directory

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// rootDSE is what a server says about itself (RFC 4512, 5.1).
type rootDSE struct {
	vendor   string
	contexts []string // naming contexts
	schema   string   // DN of the subschema entry, empty when none is shown
	controls []string // OIDs; none when the server does not show them
	paging   bool     // RFC 2696
	version  string   // as the server words it, often empty
	// now is the server's clock when the root DSE was read, at read; zero when the
	// server does not tell.
	now, read time.Time
	// domain and configuration are naming contexts of Active Directory.
	domain, configuration string
}

const (
	oidCapabilityAD = "1.2.840.113556.1.4.800" // LDAP_CAP_ACTIVE_DIRECTORY_OID, [MS-ADTS] 3.1.1.3.4.3.1
	rootDSEFilter   = "(objectClass=*)"
)

// rootAttributes are what is read of a root DSE.
var rootAttributes = []string{
	"vendorName", "objectClass", "supportedCapabilities", "supportedControl", "namingContexts", "defaultNamingContext",
	"configurationNamingContext", "subschemaSubentry", "vendorVersion", "domainControllerFunctionality", "currentTime",
}

// readRootDSE asks once for each new service link, so a replaced server is noticed.
// A server that refuses gives an empty answer: everything then works the general way.
func (l *link) readRootDSE() error {
	request := ldap.NewSearchRequest("", ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false, rootDSEFilter,
		rootAttributes, nil)
	result, err := l.ldap.Search(request)
	if _, ok := answered(err); err != nil && !ok {
		return fmt.Errorf("read the root DSE of %s: %w", l.server.url, err)
	}
	dse := &rootDSE{vendor: VendorGeneric}
	if err == nil && len(result.Entries) == 1 {
		dse = parseRootDSE(result.Entries[0])
	}
	if v := l.server.client.cfg.Vendor; v != "" {
		dse.vendor = v
	}
	l.server.dse.Store(dse)
	return nil
}

func parseRootDSE(e *ldap.Entry) *rootDSE {
	return &rootDSE{
		vendor:        vendorOf(e),
		contexts:      e.GetEqualFoldAttributeValues("namingContexts"),
		domain:        e.GetEqualFoldAttributeValue("defaultNamingContext"),
		configuration: e.GetEqualFoldAttributeValue("configurationNamingContext"),
		schema:        e.GetEqualFoldAttributeValue("subschemaSubentry"),
		controls:      e.GetEqualFoldAttributeValues("supportedControl"),
		version:       versionOf(e),
		now:           currentTime(e),
		read:          time.Now(),
		paging:        slices.Contains(e.GetEqualFoldAttributeValues("supportedControl"), ldap.ControlTypePaging),
	}
}

// versionOf returns vendorVersion (RFC 3045), or which Windows Server a domain
// controller is like ([MS-ADTS] 3.1.1.3.2.25).
func versionOf(e *ldap.Entry) string {
	levels := map[string]string{"4": "2008 R2", "5": "2012", "6": "2012 R2", "7": "2016", "10": "2025"}
	if version := e.GetEqualFoldAttributeValue("vendorVersion"); version != "" {
		return version
	}
	if level := levels[e.GetEqualFoldAttributeValue("domainControllerFunctionality")]; level != "" {
		return "at the level of Windows Server " + level
	}
	return ""
}

// currentTime returns the clock that Active Directory shows; zero when there is none.
func currentTime(e *ldap.Entry) time.Time {
	at, err := time.Parse("20060102150405.0Z", e.GetEqualFoldAttributeValue("currentTime"))
	if err != nil {
		return time.Time{}
	}
	return at
}

// product returns vendor and version, for people.
func (d *rootDSE) product() string { return strings.TrimSpace(d.vendor + " " + d.version) }

// deniesTruly tells whether the server is of a kind that says of an attribute and of an
// entry that they are not there only when they are not, and otherwise that it cannot be
// told. Of kinds that nobody has tried it is not known.
func (d *rootDSE) deniesTruly() bool { return d.vendor == VendorOpenLDAP || d.vendor == Vendor389 }

func vendorOf(e *ldap.Entry) string {
	name := strings.ToLower(e.GetEqualFoldAttributeValue("vendorName"))
	ad := slices.Contains(e.GetEqualFoldAttributeValues("supportedCapabilities"), oidCapabilityAD)
	openLDAP := slices.ContainsFunc(e.GetEqualFoldAttributeValues("objectClass"), func(class string) bool {
		return strings.EqualFold(class, "OpenLDAProotDSE")
	})
	switch {
	case strings.Contains(name, "samba"):
		return VendorSamba
	case ad:
		return VendorAD
	case openLDAP:
		return VendorOpenLDAP
	case strings.Contains(name, "389 project"):
		return Vendor389
	case strings.Contains(name, "apache"):
		return VendorApacheDS
	}
	return VendorGeneric
}

// activeDirectory says whether the server keeps memberOf the way Active Directory
// does: direct groups, without the primary one.
func (d *rootDSE) activeDirectory() bool {
	return d.vendor == VendorAD || d.vendor == VendorSamba
}
