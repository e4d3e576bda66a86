cloud {
  url   = "http://id.example.com"
  proxy = "proxy:3128"
}

directory {
  servers = ["ldaps://dc1.example.com", "dc2.example.com", "https://dc3.example.com"]
  base_dn = "example.com"
}
