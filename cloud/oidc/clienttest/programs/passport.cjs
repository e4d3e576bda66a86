// An application on npm's passport-openidconnect, as its README has it. It knows no PKCE.
const express = require('express')
const session = require('express-session')
const passport = require('passport')
const Strategy = require('passport-openidconnect')

const { PORT, REDIRECT, ISSUER, CLIENT_ID, CLIENT_SECRET } = process.env
passport.use(new Strategy({
  issuer: ISSUER,
  authorizationURL: ISSUER + '/authorize',
  tokenURL: ISSUER + '/token',
  userInfoURL: ISSUER + '/userinfo',
  clientID: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
  callbackURL: REDIRECT,
  scope: ['profile', 'email']
}, (issuer, profile, done) => done(null, profile)))
passport.serializeUser((user, done) => done(null, user))
passport.deserializeUser((user, done) => done(null, user))

const app = express()
app.get('/ready', (req, res) => res.end())
app.use(session({ secret: 'x', resave: false, saveUninitialized: false }))
app.use(passport.session())
app.get('/', passport.authenticate('openidconnect'))
app.get('/cb', passport.authenticate('openidconnect', { failWithError: true }), (req, res) => {
  res.json({ sub: req.user.id, name: req.user.displayName, preferred_username: req.user.username })
})
app.use((err, req, res, next) => res.status(500).send(`${err.name} ${err.message} ${req.url}`))
app.listen(PORT, 'localhost')
