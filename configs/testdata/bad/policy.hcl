cloud {
  url = "https://id.example.com"
}

directory {
  servers = ["ldaps://dc1.example.com"]
  base_dn = "DC=example,DC=com"
}

policy {
  mode                           = "dry-run"
  sign_ons_per_person_per_minute = 0
}
