// An application on express-openid-connect, with the lines of a preset.
const fs = require("node:fs");
const express = require("express");
const { auth, requiresAuth } = require("express-openid-connect");

const app = express();
app.get("/ready", (req, res) => res.end());
new Function("app", "auth", fs.readFileSync("lines", "utf8"))(app, auth);
app.get("/", requiresAuth(), async (req, res) => {
  res.json(await req.oidc.fetchUserInfo());
});
app.get("/bye", (req, res) => res.json({ bye: !req.oidc.isAuthenticated() }));
app.listen(Number(process.env.PORT), "localhost");
