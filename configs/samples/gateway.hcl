cloud {
  url = "https://id.example.com"
}

directory {
  servers = ["ldaps://dc1.corp.example.com", "ldaps://dc2.corp.example.com"]
  base_dn = "DC=corp,DC=example,DC=com"

  bind {
    dn       = "CN=svc-gateway,OU=Service Accounts,DC=corp,DC=example,DC=com"
    password = file("/etc/ldap-gateway/bind.password")
  }
}
