cloud {
  url = "https://id.example.com"
}

directory {
  servers = ["ldaps://dc1.example.com"]
  base_dn = "dc=example,dc=com"

  tls {
    certificate = "client.pem"
  }
}
