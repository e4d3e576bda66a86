// An application on npm's samlify, as its documentation has it.
import samlify from 'samlify'
import fs from 'node:fs'
import http from 'node:http'

const { PORT, URL: own, REDIRECT, BINDING } = process.env
const read = name => fs.readFileSync(name, 'utf8')
samlify.setSchemaValidator({ validate: async () => 'no schema is looked at' }) // it takes a Java otherwise
const binding = name => 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-' + name
const sp = samlify.ServiceProvider({
  entityID: own,
  authnRequestsSigned: true,
  wantAssertionsSigned: true,
  wantMessageSigned: true,
  wantLogoutRequestSigned: true,
  wantLogoutResponseSigned: true,
  requestSignatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  signatureConfig: { // where a posted request has its signature
    prefix: 'ds',
    location: { reference: "/*[local-name(.)='AuthnRequest']/*[local-name(.)='Issuer']", action: 'after' }
  },
  privateKey: read('sp.key'),
  encPrivateKey: read('sp.key'),
  signingCert: read('sp.crt'),
  nameIDFormat: ['urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'],
  assertionConsumerService: [{ Binding: binding('POST'), Location: REDIRECT }],
  singleLogoutService: [{ Binding: binding('Redirect'), Location: own + '/slo' }]
})
const provider = more => samlify.IdentityProvider({
  metadata: read('idp.xml'), wantLogoutRequestSigned: true, wantLogoutResponseSigned: true, ...more
})
const plain = provider({ isAssertionEncrypted: false })
const sealed = provider({ isAssertionEncrypted: true, messageSigningOrder: 'sign-then-encrypt' })
let who
const body = async req => {
  let text = ''
  for await (const part of req) text += part
  return Object.fromEntries(new URLSearchParams(text))
}
http.createServer(async (req, res) => {
  const show = what => res.setHeader('Content-Type', 'application/json').end(JSON.stringify(what))
  const go = to => res.writeHead(302, { Location: to }).end()
  try {
    const at = new URL(req.url, own)
    const query = Object.fromEntries(at.searchParams)
    const octetString = at.search.slice(1).split('&').filter(p => !p.startsWith('Signature=')).join('&')
    if (at.pathname === '/ready') return res.end()
    if (at.pathname === '/acs') {
      const form = await body(req)
      const text = Buffer.from(form.SAMLResponse, 'base64').toString()
      const { extract } = await sp.parseLoginResponse(text.includes('EncryptedAssertion') ? sealed : plain, 'post', { body: form })
      who = { logoutNameID: extract.nameID, sessionIndex: extract.sessionIndex?.sessionIndex }
      const { groups, email } = extract.attributes
      return show({ nameId: extract.nameID, groups: [groups ?? []].flat().length, email })
    }
    if (at.pathname === '/off') return go(sp.createLogoutRequest(plain, 'redirect', who).context)
    if (at.pathname === '/slo') {
      if (query.SAMLRequest) {
        const request = await sp.parseLogoutRequest(plain, 'redirect', { query, octetString })
        return go(sp.createLogoutResponse(plain, request, 'redirect', query.RelayState ?? '').context)
      }
      await sp.parseLogoutResponse(plain, 'redirect', { query, octetString })
      return show({ bye: true })
    }
    const asked = sp.createLoginRequest(plain, BINDING === 'HTTP-POST' ? 'post' : 'redirect')
    if (BINDING !== 'HTTP-POST') return go(asked.context)
    res.setHeader('Content-Type', 'text/html').end(`<form method="post" action="${asked.entityEndpoint}">` +
      `<input type="hidden" name="SAMLRequest" value="${asked.context}"></form>`)
  } catch (error) {
    res.writeHead(500).end(String(error?.stack ?? error))
  }
}).listen(PORT, 'localhost')
