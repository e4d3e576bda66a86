cloud {
  url   = "https://id.example.com"
  proxy = "http://user:p#ss@proxy.example.com:3128"
}

directory {
  servers = ["ldaps://dc1.example.com"]
  base_dn = "DC=example,DC=com"

  bind {
    dn       = "CN=Smith\, John,OU=S\C3\BCd,DC=example,DC=com"
    password = file("somewhere")
  }
}
