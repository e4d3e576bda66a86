package configs

import "github.com/hashicorp/hcl/v2"

// The schema of gateway.hcl. Every attribute is an expression, so that each
// mistake in a value can be told with its place, all of them at once.
type (
	fileBody struct {
		Cloud     *cloudBlock     `hcl:"cloud,block"`
		Directory *directoryBlock `hcl:"directory,block"`
		Policy    *policyBlock    `hcl:"policy,block"`
		Audit     *auditBlock     `hcl:"audit,block"`
		Metrics   *metricsBlock   `hcl:"metrics,block"`
		Log       *logBlock       `hcl:"log,block"`
	}
	cloudBlock struct {
		URL    hcl.Expression `hcl:"url"`
		Proxy  hcl.Expression `hcl:"proxy,optional"`
		CAFile hcl.Expression `hcl:"ca_file,optional"`
		Rotate hcl.Expression `hcl:"rotate_keys,optional"`
	}
	directoryBlock struct {
		Servers         hcl.Expression `hcl:"servers,optional"`
		Discover        hcl.Expression `hcl:"discover,optional"`
		Site            hcl.Expression `hcl:"site,optional"`
		BaseDN          hcl.Expression `hcl:"base_dn"`
		Vendor          hcl.Expression `hcl:"vendor,optional"`
		AllowClearText  hcl.Expression `hcl:"allow_clear_text,optional"`
		FollowReferrals hcl.Expression `hcl:"follow_referrals,optional"`
		ReferralHosts   hcl.Expression `hcl:"referral_hosts,optional"`
		GroupsFrom      hcl.Expression `hcl:"groups_from,optional"`
		BuiltInGroups   hcl.Expression `hcl:"built_in_primary_groups,optional"`
		PosixGroups     hcl.Expression `hcl:"posix_primary_groups,optional"`
		MemberUIDFrom   hcl.Expression `hcl:"member_uid_from,optional"`
		MemberAttrs     hcl.Expression `hcl:"member_attributes,optional"`
		Timeout         hcl.Expression `hcl:"timeout,optional"`
		DialTimeout     hcl.Expression `hcl:"dial_timeout,optional"`
		Bind            *bindBlock     `hcl:"bind,block"`
		TLS             *tlsBlock      `hcl:"tls,block"`
		Canary          *canaryBlock   `hcl:"canary,block"`
		Pool            *poolBlock     `hcl:"pool,block"`
	}
	bindBlock struct {
		DN          hcl.Expression `hcl:"dn,optional"`
		Password    hcl.Expression `hcl:"password,optional"`
		OwnIdentity hcl.Expression `hcl:"own_identity,optional"`
		GSSAPI      *gssapiBlock   `hcl:"gssapi,block"`
	}
	gssapiBlock struct {
		Principal hcl.Expression `hcl:"principal"`
		Keytab    hcl.Expression `hcl:"keytab"`
		KDC       hcl.Expression `hcl:"kdc,optional"`
		Krb5Conf  hcl.Expression `hcl:"krb5_conf,optional"`
		Service   hcl.Expression `hcl:"service_principal,optional"`
	}
	tlsBlock struct {
		CAFile         hcl.Expression `hcl:"ca_file,optional"`
		Pin            hcl.Expression `hcl:"pin,optional"`
		ServerName     hcl.Expression `hcl:"server_name,optional"`
		MinVersion     hcl.Expression `hcl:"min_version,optional"`
		Certificate    hcl.Expression `hcl:"certificate,optional"`
		Key            hcl.Expression `hcl:"key,optional"`
		OldKeyExchange hcl.Expression `hcl:"old_key_exchange,optional"`
	}
	canaryBlock struct {
		User  hcl.Expression `hcl:"user"`
		Group hcl.Expression `hcl:"group"`
	}
	poolBlock struct {
		Search   hcl.Expression `hcl:"search,optional"`
		Bind     hcl.Expression `hcl:"bind,optional"`
		Lifetime hcl.Expression `hcl:"lifetime,optional"`
	}
	policyBlock struct {
		Mode             hcl.Expression       `hcl:"mode,optional"`
		SearchBases      hcl.Expression       `hcl:"search_bases,optional"`
		Attributes       hcl.Expression       `hcl:"attributes,optional"`
		FilterAttributes hcl.Expression       `hcl:"filter_attributes,optional"`
		SignOnsPerMinute hcl.Expression       `hcl:"sign_ons_per_minute,optional"`
		SignOnsPerPerson hcl.Expression       `hcl:"sign_ons_per_person_per_minute,optional"`
		TypeChanges      hcl.Expression       `hcl:"user_type_changes_per_hour,optional"`
		PasswordChanges  hcl.Expression       `hcl:"password_changes,optional"`
		Explain          hcl.Expression       `hcl:"explain,optional"`
		Groups           *groupPolicyBlock    `hcl:"groups,block"`
		WrongPasswords   *wrongPasswordsBlock `hcl:"wrong_passwords,block"`
	}
	groupPolicyBlock struct {
		SearchBases hcl.Expression `hcl:"search_bases,optional"`
		Include     hcl.Expression `hcl:"include,optional"`
		Exclude     hcl.Expression `hcl:"exclude,optional"`
		Max         hcl.Expression `hcl:"max,optional"`
	}
	wrongPasswordsBlock struct {
		Most   hcl.Expression `hcl:"most,optional"`
		Within hcl.Expression `hcl:"within,optional"`
	}
	auditBlock struct {
		Path      hcl.Expression `hcl:"path,optional"`
		MaxSizeMB hcl.Expression `hcl:"max_size_mb,optional"`
		Keep      hcl.Expression `hcl:"keep,optional"`
	}
	metricsBlock struct {
		Listen hcl.Expression `hcl:"listen"`
	}
	logBlock struct {
		Level  hcl.Expression `hcl:"level,optional"`
		Format hcl.Expression `hcl:"format,optional"`
	}
)
