directory {
  bind {
    password = <<EOT
hunter2
EOT + 1
  }
}
