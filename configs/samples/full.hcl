# Every key of gateway.hcl. Those after a "#" show the default.
#
# What leaves this network, all of it ("ldap-gateway leaves" prints it with what bounds it):
#   at the pairing, at each dial, when keys change: the public halves of the instance's keys, and what they sign
#   at the pairing and at each dial: the machine's name, operating system and version of the gateway
#   at each dial: the policy in words: bases, limits, attributes that may leave, patterns of groups that may; how many patterns keep groups back
#   every ten seconds or so: how many sign-ons there were and how long they took; addresses, kinds and states of directory servers; problems in words of ours
#   every ten seconds or so: names of attributes that the directory has and that may leave
#   when user types are delivered: which user types are refused, and the keys of this file that would allow them
#   at the end of the program: why the link ends
#   at each sign-on and change of password: the outcome, a reason in words of ours with a result code, whether a bind was sent, the directory server's address
#   after a right password: the DN of the person's entry and what identifies it
#   after a right password, when the record is wanted: attributes that the user type maps; of those that are too large, the name
#   after a right password, when the record is wanted: DN, name, ID and state of direct groups that may leave; how many could not be read, and why, without names
#   after a right password, when the record would lose them: how the person stands to groups that the cloud names
#   when an administrator of the cloud asks, without a password: what a sign-on would bring, the state of the account in words and times, groups that are not direct, how many are kept back

cloud {
  url = "https://id.example.com"
  # proxy   = "http://proxy.example.com:3128"   # default: HTTPS_PROXY and NO_PROXY
  # ca_file = "/etc/ldap-gateway/cloud-ca.pem"  # default: the system's certificates
  # rotate_keys = "720h"                        # the instance changes its keys after that; "0s": never
}

directory {
  # Tried in this order. ldaps:// is TLS from the start, ldap:// is StartTLS.
  servers = ["ldaps://dc1.corp.example.com", "ldaps://dc2.corp.example.com"]
  base_dn = "DC=corp,DC=example,DC=com"

  # Instead of servers: those that DNS names (SRV _ldap._tcp), of one site first.
  # discover = "corp.example.com"
  # site     = "Berlin"

  # vendor           = "Microsoft Active Directory"  # default: as the server says
  # groups_from      = "auto"    # memberOf in Active Directory, which computes it, else the groups' own members; or "search"; or
  #                              # "memberOf" anywhere, but not where it is seen to list parents or to differ from the groups' members
  # built_in_primary_groups = false  # true: Domain Users counts as a group of everybody whose primary group it is
  # posix_primary_groups = false     # true: the posixGroup that has a person's gidNumber counts (RFC 2307)
  # member_uid_from      = "uid"     # the attribute of a person that memberUid holds, such as "cn"
  # member_attributes    = []        # of groups, with DNs of members, besides member and uniqueMember: ["roleOccupant"]
  # timeout          = "5s"      # of one operation
  # dial_timeout     = "3s"      # of connecting, TLS and service bind together
  # follow_referrals = false     # true: group searches go on where a server refers to, at most three hops
  # referral_hosts   = []        # but only to these; they get the service account's password
  # allow_clear_text = false     # true: ldap:// without TLS; passwords can be read on the network

  # The service account. Without this block the gateway binds anonymously.
  bind {
    dn       = "CN=svc-gateway,OU=Service Accounts,DC=corp,DC=example,DC=com"
    password = credential("bind.password") # what the unit's LoadCredential= hands over, or the file beside this one;
                                           # or file("/etc/ldap-gateway/bind.password"), or env("BIND_PASSWORD")

    # Instead of dn and password: Kerberos, with a key table. The gateway binds under TLS without
    # signing or sealing besides; a domain controller that requires channel binding refuses that.
    # gssapi {
    #   principal = "svc-gateway@CORP.EXAMPLE.COM"
    #   keytab    = "/etc/ldap-gateway/svc-gateway.keytab"
    #   krb5_conf = "/etc/krb5.conf"
    #   kdc       = ["dc1.corp.example.com", "dc2.corp.example.com"]  # instead of krb5_conf
    #   service_principal = "ldap/dc1.corp.example.com"               # default: ldap/ and the host of each server
    # }

    # Or, on Windows: the account that the service runs as, with channel binding.
    # own_identity = true
  }

  # tls {
  #   ca_file     = "/etc/ldap-gateway/directory-ca.pem"
  #   pin         = ["sha256:…"]  # "ldap-gateway check" shows the value
  #   server_name = "dc1.corp.example.com"
  #   min_version = "1.2"
  #   certificate = "/etc/ldap-gateway/client.pem"  # for a server that wants one; with its key, without a password
  #   key         = "/etc/ldap-gateway/client.key"
  #   old_key_exchange = false  # true: also with servers that know RSA key exchange alone. Whoever gets the server's
  #                             # key later can read what was recorded, passwords included
  # }

  # Somebody who is known to be a direct member of a group. While the service account
  # does not see that, no group is given or taken away, and the console says so.
  # canary {
  #   user  = "CN=canary,OU=Service Accounts,DC=corp,DC=example,DC=com"
  #   group = "CN=canaries,OU=Groups,DC=corp,DC=example,DC=com"
  # }

  # pool {
  #   search   = 2
  #   bind     = 64
  #   lifetime = "10m"
  # }
}

# What the cloud may ask. A user type that reaches further is refused.
policy {
  # mode = "enforce"  # or "observe": passwords are checked, and of people the outcome leaves and how many
  #                   # groups would be pushed; whom the cloud does not know yet gets no record and no way in
  # search_bases        = [base_dn]   # users are looked for at or below these
  # attributes          = []          # may leave, besides the usual ones; values that name what groups keeps back below,
  #                                   # or what is below no base of either, do not
  # filter_attributes   = []          # may be searched or found by, besides the usual ones, and compared in part, by
  #                                   # order, or with what the cloud says; what says who somebody is, as uid or mail,
  #                                   # is otherwise compared with what is typed only
  # sign_ons_per_minute = 30000
  # sign_ons_per_person_per_minute = 30
  # user_type_changes_per_hour     = 20  # a changed user type is a new question to the directory
  # explain             = false       # true: the cloud's administrators may ask, without a password, what a
  #                                   # sign-on of a person would bring, within all that is allowed above
  # password_changes    = false       # true: people may change their passwords, by the old one and over TLS,
  #                                   # where the user type lets them too

  # groups {
  #   search_bases = [base_dn]
  #   include      = []       # patterns on the DN, such as "*,OU=Cloud,DC=corp,DC=example,DC=com"; none: all
  #   exclude      = []       # the same, after include. DNs are compared as DNs: case, blanks and escapes make
  #                           # no difference. "*" is any text, also over several parts of the DN; "\\*" is a star
  #   max          = 5000
  # }

  # So many wrong passwords of one person, and the directory is not asked about
  # them again until the time is over. Choose less than the directory's own
  # lock-out threshold, so that nobody is locked out by guessing here; where
  # several instances serve one gateway, divide it by their number: each counts.
  # The last one is for a browser by which the person has signed on before: who
  # guesses from elsewhere does not keep them out there.
  # wrong_passwords {
  #   most   = 4
  #   within = "15m"
  # }
}

# What the cloud asked and what it got, a line of JSON for each request.
# audit {
#   path        = "/var/lib/ldap-gateway/audit.jsonl"  # default: in the state folder; "" switches it off
#   max_size_mb = 10                                   # of one file
#   keep        = 5                                    # older files
# }

# /live, /ready and /metrics (Prometheus), for this machine only. Default: not served.
# metrics {
#   listen = "127.0.0.1:9389"
# }

# log {
#   level  = "info"  # trace, debug, info, warn, error
#   format = "text"  # or "json"
# }
