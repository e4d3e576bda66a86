cloud {
  url = "https://id.example.com"
}

directory {
  servers  = ["ldaps://dc1.example.com"]
  discover = "example.com"
  base_dn  = "DC=example,DC=com"

  canary {
    user  = "canary"
    group = ""
  }
}
