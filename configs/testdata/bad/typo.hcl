cloud {
  url   = "https://id.example.com"
  prxoy = "http://proxy.example.com"
}

directory {
  server  = ["ldaps://dc1.example.com"]
  base_dn = "DC=example,DC=com"

  bnid {
    dn = "CN=svc"
  }
}
