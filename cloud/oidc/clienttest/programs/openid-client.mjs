// An application on npm's openid-client, with all that the library has: sign-on, UserInfo,
// refresh, introspection, revocation, and a token that is dead.
import * as client from 'openid-client'
import http from 'node:http'

const { PORT, URL: here, REDIRECT, ISSUER, CLIENT_ID, CLIENT_SECRET, ALGORITHM, KEY } = process.env
const insecure = { execute: [client.allowInsecureRequests] } // loopback
const metadata = { client_secret: CLIENT_SECRET, ...(ALGORITHM && { id_token_signed_response_alg: ALGORITHM }) }
// KEY is a private key in JWK, with which it proves itself in the place of the secret.
async function proof () {
  const jwk = JSON.parse(KEY)
  const how = jwk.kty === 'EC' ? { name: 'ECDSA', namedCurve: jwk.crv } : { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  return client.PrivateKeyJwt({ key: await crypto.subtle.importKey('jwk', jwk, how, false, ['sign']), kid: jwk.kid })
}
const config = await client.discovery(new URL(ISSUER), CLIENT_ID, metadata, KEY && await proof(), insecure)
const kept = {}

async function begin (res) {
  Object.assign(kept, { verifier: client.randomPKCECodeVerifier(), nonce: client.randomNonce(), state: client.randomState() })
  const to = await client.buildAuthorizationUrlWithPAR(config, {
    redirect_uri: REDIRECT,
    scope: 'openid profile email groups offline_access',
    code_challenge: await client.calculatePKCECodeChallenge(kept.verifier),
    code_challenge_method: 'S256',
    nonce: kept.nonce,
    state: kept.state
  })
  res.writeHead(302, { location: to.href }).end()
}

async function end (url, res) {
  const tokens = await client.authorizationCodeGrant(config, url, {
    pkceCodeVerifier: kept.verifier, expectedNonce: kept.nonce, expectedState: kept.state
  })
  const claims = tokens.claims()
  const info = await client.fetchUserInfo(config, tokens.access_token, claims.sub)
  const again = await client.refreshTokenGrant(config, tokens.refresh_token)
  const about = await client.tokenIntrospection(config, again.access_token)
  await client.tokenRevocation(config, again.refresh_token)
  let dead
  try {
    await client.fetchUserInfo(config, again.access_token, claims.sub)
  } catch (e) {
    dead = { code: e.code, status: e.status, challenge: e.cause?.[0]?.parameters?.error }
  }
  res.end(JSON.stringify({ ...claims, info, active: about.active, dead }))
}

http.createServer(async (req, res) => {
  const url = new URL(req.url, here)
  try {
    if (url.pathname === '/') await begin(res)
    else if (url.pathname === '/cb') await end(url, res)
    else res.writeHead(404).end()
  } catch (e) {
    res.writeHead(500).end(`${e.name} ${e.message} ${e.code} ${JSON.stringify(e.cause ?? '')}`)
  }
}).listen(PORT, 'localhost')
