# The agent of compose.yaml.
cloud {
  url     = "https://cloud:8443"
  ca_file = "/tls/authority/ca.pem"
}

directory {
  servers = ["ldaps://directory:1636"]
  base_dn = "dc=example,dc=com"

  bind {
    dn       = "cn=gateway,ou=services,dc=example,dc=com"
    password = file("/var/lib/service-account/password")
  }

  tls {
    ca_file = "/tls/authority/ca.pem"
  }
}

policy {
  explain = true # "Try a person" in the console
}
