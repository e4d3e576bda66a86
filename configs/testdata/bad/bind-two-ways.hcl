cloud {
  url = "https://id.example.com"
}

directory {
  servers = ["ldaps://dc1.example.com"]
  base_dn = "DC=example,DC=com"

  bind {
    dn       = "CN=svc-gateway,DC=example,DC=com"
    password = env("HOME")

    gssapi {
      principal = "svc-gateway@EXAMPLE.COM"
      keytab    = "no-such.keytab"
    }
  }
}
