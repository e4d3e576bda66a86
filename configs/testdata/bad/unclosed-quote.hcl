cloud {
  url = "https://id.example.com
}

directory {
  servers = ["ldaps://dc1.example.com"]
  base_dn = "DC=example,DC=com"

  bind {
    dn       = "CN=svc,DC=example,DC=com"
    password = "hunter2hunter2"
  }
}
