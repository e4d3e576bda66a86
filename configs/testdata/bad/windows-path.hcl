cloud {
  url     = "https://id.example.com"
  ca_file = "C:\Users\ca.pem"
}
