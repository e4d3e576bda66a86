directory {
  bind {
    password = "hunter2 ${
  }
}
