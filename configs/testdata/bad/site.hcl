cloud {
  url = "https://id.example.com"
}

directory {
  servers = ["ldaps://dc1.example.com"]
  site    = "Berlin"
  base_dn = "DC=example,DC=com"
}
