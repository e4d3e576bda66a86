cloud {
  url = "https://id.example.com"
}
