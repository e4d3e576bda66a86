cloud {
  url = "https://id.example.com"
}

directory {
  servers = ["ldaps://dc1.example.com"]
  base_dn = "DC=example,DC=com"

  bind {
    gssapi {
      principal = "svc-gateway"
      keytab    = "no-such.keytab"
      kdc       = ["dc1.example.com"]
      krb5_conf = "bind-gssapi.hcl"
    }
  }
}
