cloud {
  url = ["https://id.example.com"]
}

directory {
  servers = "ldaps://dc1.example.com"
  base_dn = "DC=example,DC=com"
  timeout = 5
  allow_clear_text = "perhaps"

  pool {
    bind     = 0
    lifetime = "5 parsecs"
  }
}

log {
  level = "loud"
}
