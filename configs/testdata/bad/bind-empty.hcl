cloud {
  url = "https://id.example.com"
}

directory {
  servers = ["ldaps://dc1.example.com"]
  base_dn = "DC=example,DC=com"

  bind {
  }
}
