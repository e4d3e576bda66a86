// Serves a single page on npm's oidc-client-ts: everything happens in the browser.
import fs from 'node:fs'
import http from 'node:http'

const { PORT, URL: here, REDIRECT, ISSUER, CLIENT_ID } = process.env
const page = `<!doctype html><meta charset="utf-8"><title>page</title><body>begun
<script src="/oidc-client-ts.js"></script><script>
const manager = new oidc.UserManager({
  authority: ${JSON.stringify(ISSUER)}, client_id: ${JSON.stringify(CLIENT_ID)},
  redirect_uri: ${JSON.stringify(REDIRECT)}, post_logout_redirect_uri: ${JSON.stringify(here + '/bye')},
  scope: 'openid profile groups offline_access', loadUserInfo: true, automaticSilentRenew: false
})
const show = value => {
  const p = Object.assign(document.createElement('p'), { id: 'done', textContent: JSON.stringify(value) })
  document.body.replaceChildren(p)
}
async function arrive () {
  const user = await manager.signinCallback()
  const again = await manager.signinSilent()
  await manager.revokeTokens(['refresh_token'])
  let dead
  try { await new oidc.OidcClient(manager.settings).metadataService.getSigningKeys() } catch (e) { dead = String(e) }
  show({ ...user.profile, renewed: again.access_token !== user.access_token, keys: dead ?? 'read' })
}
const run = location.pathname === '/bye' ? async () => show({ bye: true })
  : location.search.includes('code=') || location.search.includes('error=') ? arrive
    : location.search.includes('off') ? () => manager.signoutRedirect() : () => manager.signinRedirect()
run().catch(e => show({ failed: String(e), stack: e.stack }))
</script>`
const script = fs.readFileSync('node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js')
http.createServer((req, res) => {
  if (req.url.startsWith('/oidc-client-ts.js')) return res.writeHead(200, { 'content-type': 'text/javascript' }).end(script)
  res.writeHead(200, { 'content-type': 'text/html' }).end(page)
}).listen(PORT, 'localhost')
