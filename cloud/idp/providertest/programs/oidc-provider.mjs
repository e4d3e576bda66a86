// An OpenID Connect provider on loopback. People are in people.json, read at each
// sign-on: {"alice": {"both": {…}, "id_token": {…}, "userinfo": {…}}}.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { Provider } from 'oidc-provider';

const { PORT, REDIRECT, ROTATE } = process.env;
const issuer = `http://127.0.0.1:${PORT}`;
const algorithms = ['RS256', 'ES256', 'PS256'];

function newKey(alg) {
  const { privateKey } = alg === 'ES256'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: `${alg}-${randomBytes(4).toString('hex')}`, use: 'sig', alg };
}

// Softly the old keys stay after the new ones; hard they go.
let keys = existsSync('keys.json') ? JSON.parse(readFileSync('keys.json')) : algorithms.map(newKey);
if (ROTATE === 'soft') keys = [...algorithms.map(newKey), ...keys];
if (ROTATE === 'hard') keys = algorithms.map(newKey);
writeFileSync('keys.json', JSON.stringify(keys), { mode: 0o600 });

function client(client_id, more) {
  return {
    client_id,
    client_secret: 'secret',
    redirect_uris: [REDIRECT],
    post_logout_redirect_uris: [REDIRECT.replace('/rp/callback/openid_connect', '/signon/off')],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_basic',
    ...more,
  };
}

const long = 'a secret of more than thirty-two characters';
const people = () => JSON.parse(readFileSync('people.json'));
const claims = new Set(['sub', 'email', 'given_name', 'family_name', 'preferred_username', 'groups', 'realm_access',
  'hasgroups', 'https://example.org/claims/groups']);

const provider = new Provider(issuer, {
  jwks: { keys },
  clients: [
    client('basic'),
    client('post', { token_endpoint_auth_method: 'client_secret_post' }),
    client('jwt', { token_endpoint_auth_method: 'client_secret_jwt', client_secret: long }),
    client('public', { token_endpoint_auth_method: 'none', client_secret: undefined }),
    client('es256', { id_token_signed_response_alg: 'ES256' }),
    client('ps256', { id_token_signed_response_alg: 'PS256' }),
    client('hs256', { id_token_signed_response_alg: 'HS256', client_secret: long }),
    client('signedinfo', { userinfo_signed_response_alg: 'RS256' }),
  ],
  claims: { openid: [...claims], email: [], profile: [], groups: [] },
  scopes: ['openid', 'email', 'profile', 'groups'],
  pkce: { required: () => false },
  cookies: { keys: ['loopback'] },
  conformIdTokenClaims: false,
  enabledJWA: {
    idTokenSigningAlgValues: [...algorithms, 'HS256'],
    userinfoSigningAlgValues: ['RS256'],
    clientAuthSigningAlgValues: ['HS256', 'RS256'],
  },
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt', 'none'],
  features: { devInteractions: { enabled: true }, userinfo: { enabled: true }, jwtUserinfo: { enabled: true } },
  async findAccount(_, id) {
    const person = people()[id] ?? {};
    return { accountId: id, claims: async (use) => ({ sub: id, ...person.both, ...person[use] }) };
  },
});
provider.on('server_error', (_, err) => console.error(err));
provider.listen(Number(PORT), '127.0.0.1', () => console.log('ready'));
