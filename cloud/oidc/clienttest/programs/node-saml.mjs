// An application on npm's @node-saml/node-saml, as its README has it.
import { SAML } from '@node-saml/node-saml'
import fs from 'node:fs'
import http from 'node:http'

const { PORT, URL: own, REDIRECT, ISSUER, BINDING } = process.env
const read = name => fs.readFileSync(name, 'utf8')
const options = {
  callbackUrl: REDIRECT,
  entryPoint: ISSUER + '/saml20/idp/sso',
  logoutUrl: ISSUER + '/saml20/idp/slo',
  logoutCallbackUrl: own + '/slo',
  issuer: own,
  audience: own,
  idpCert: read('idp.crt'),
  idpIssuer: ISSUER,
  privateKey: read('sp.key'),
  decryptionPvk: read('sp.key'),
  signatureAlgorithm: 'sha256',
  digestAlgorithm: 'sha256',
  validateInResponseTo: 'always',
  authnRequestBinding: BINDING
}
const saml = new SAML({ ...options, skipRequestCompression: BINDING === 'HTTP-POST' })
const leaving = new SAML(options) // always by redirect, where a message is compressed
let who
const body = async req => {
  let text = ''
  for await (const part of req) text += part
  return Object.fromEntries(new URLSearchParams(text))
}
http.createServer(async (req, res) => {
  const show = what => res.setHeader('Content-Type', 'application/json').end(JSON.stringify(what))
  const go = to => res.writeHead(302, { Location: to }).end()
  const page = text => res.setHeader('Content-Type', 'text/html').end(text)
  try {
    const at = new URL(req.url, own)
    const query = Object.fromEntries(at.searchParams)
    if (at.pathname === '/ready') return res.end()
    if (at.pathname === '/acs') {
      const { profile } = await saml.validatePostResponseAsync(await body(req))
      who = profile
      return show({ nameId: profile.nameID, groups: [profile.groups ?? []].flat().length, email: profile.email })
    }
    if (at.pathname === '/off') return go(await leaving.getLogoutUrlAsync(who, 'bye', {}))
    if (at.pathname === '/slo') {
      const said = req.method === 'POST'
        ? await leaving.validatePostRequestAsync(await body(req)).catch(() => null)
        : await leaving.validateRedirectAsync(query, at.search.slice(1))
      if (query.SAMLRequest) {
        who = undefined
        return go(await leaving.getLogoutResponseUrlAsync(said.profile, query.RelayState ?? '', {}, true))
      }
      return show({ bye: said.loggedOut })
    }
    if (BINDING === 'HTTP-POST') return page(await saml.getAuthorizeFormAsync('deep'))
    go(await saml.getAuthorizeUrlAsync('deep', undefined, {}))
  } catch (error) {
    res.writeHead(500).end(String(error?.stack ?? error))
  }
}).listen(PORT, 'localhost')
