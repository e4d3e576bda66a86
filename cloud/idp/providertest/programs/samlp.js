// A SAML provider on loopback, by Auth0's samlp. Attributes have the long names of
// WS-Federation. People and how to answer are in people.json and answer.json, read at
// each request.
const { createPublicKey } = require('crypto');
const { readFileSync } = require('fs');
const express = require('express');
const samlp = require('samlp');

const { PORT, ACS } = process.env;
const issuer = `http://127.0.0.1:${PORT}/metadata`;
const claims = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/';
const key = readFileSync('key.pem');
const cert = readFileSync('cert.pem');
const read = (name) => JSON.parse(readFileSync(name));

function profile(user) {
  return {
    getClaims() {
      const all = { [`${claims}emailaddress`]: user.email };
      if (user.groups !== undefined) all['http://schemas.xmlsoap.org/claims/Group'] = user.groups;
      return all;
    },
    getNameIdentifier: () => ({
      nameIdentifier: user.id,
      nameIdentifierFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
    }),
  };
}
profile.prototype.metadata = [];

function encryption() {
  const sp = readFileSync('sp.pem');
  return {
    encryptionCert: sp,
    encryptionPublicKey: createPublicKey(sp).export({ type: 'spki', format: 'pem' }),
    encryptionAlgorithm: 'http://www.w3.org/2009/xmlenc11#aes256-gcm',
  };
}

const app = express();
app.use(express.urlencoded({ extended: false, limit: '4mb' }));
app.get('/metadata', samlp.metadata({
  issuer, cert, redirectEndpointPath: '/sso', postEndpointPath: '/sso', profileMapper: profile,
}));
app.all('/sso', (req, res, next) => {
  const id = req.query.user || req.body.user;
  const { encrypt, ...how } = read('answer.json');
  samlp.auth({
    issuer, cert, key,
    destination: ACS,
    recipient: ACS,
    lifetimeInSeconds: 600,
    profileMapper: profile,
    getPostURL: (audience, document, request, done) => done(null, ACS),
    getUserFromRequest: () => ({ id, email: `${id}@example.org`, ...read('people.json')[id] }),
    ...how,
    ...(encrypt ? encryption() : {}),
  })(req, res, next);
});
app.use((err, req, res, next) => { console.error(err); res.status(500).send(String(err)); });
app.listen(Number(PORT), '127.0.0.1', () => console.log('ready'));
