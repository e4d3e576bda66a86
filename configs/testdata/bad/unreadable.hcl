cloud {
  url     = "https://id.example.com"
  ca_file = "not-there.pem"
}

directory {
  servers = ["ldaps://dc1.example.com"]
  base_dn = "DC=example,DC=com"

  bind {
    dn       = "CN=svc,DC=example,DC=com"
    password = file("not-there.password")
  }

  tls {
    ca_file = "typo.hcl"
    pin     = ["sha256:12"]
  }
}
