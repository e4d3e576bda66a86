// An application on @auth/core, which next-auth is made of.
import { Auth } from '@auth/core'
import http from 'node:http'

const { PORT, URL: here, ISSUER, CLIENT_ID, CLIENT_SECRET } = process.env
const config = {
  trustHost: true,
  basePath: '/auth',
  secret: 'of a test',
  logger: { error: e => console.error(e.name, e.message, e.cause), warn () {} },
  providers: [{
    id: 'cloud',
    name: 'Cloud',
    type: 'oidc',
    issuer: ISSUER,
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    authorization: { params: { scope: 'openid profile email groups' } }
  }],
  callbacks: {
    jwt ({ token, profile }) { if (profile) token.profile = profile; return token },
    session ({ session, token }) { return token.profile ?? {} }
  }
}
http.createServer(async (req, res) => {
  const body = []
  for await (const chunk of req) body.push(chunk)
  const skip = ['connection', 'content-length', 'accept-encoding', 'host']
  const request = new Request(here + (req.url === '/' ? '/auth/session' : req.url), {
    method: req.method,
    headers: Object.entries(req.headers).filter(([name]) => !skip.includes(name)),
    body: req.method === 'POST' ? Buffer.concat(body) : undefined
  })
  const answer = await Auth(request, config)
  const headers = {}
  answer.headers.forEach((value, name) => { headers[name] = value })
  headers['set-cookie'] = answer.headers.getSetCookie()
  res.writeHead(answer.status, headers).end(await answer.text())
}).listen(PORT, 'localhost')
