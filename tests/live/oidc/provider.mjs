// An OpenID provider on loopback: `node provider.mjs PORT KEYS`. KEYS is a file with a private JWK Set; its first key
// signs. Whoever signs in is the person of that address, with any password.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

import Provider from 'oidc-provider';

const [, , port, keys] = process.argv;
const issuer = `http://127.0.0.1:${port}`;
const audience = 'portal';

// New people have not answered the mail yet that would prove their address.
const who = (id) => ({ email: id, email_verified: !id.startsWith('new.') });

const provider = new Provider(issuer, {
  jwks: JSON.parse(await readFile(keys, 'utf8')),
  cookies: { keys: ['not a secret'] },
  clients: [
    {
      client_id: 'sync',
      client_secret: 'sync-secret',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
    {
      client_id: 'web',
      client_secret: 'web-secret',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [`${issuer}/back`],
      response_types: ['code'],
    },
  ],
  claims: { email: ['email', 'email_verified'] },
  findAccount: async (context, id) => ({ accountId: id, claims: async () => ({ sub: id, ...who(id) }) }),
  extraTokenClaims: async (context, token) =>
    token.kind === 'AccessToken' ? who(token.accountId) : { roles: ['portal-staff'] },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => 'urn:portal',
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'cases:read customers:read contacts:invite admin:all',
        audience,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256' } },
        accessTokenTTL: 600,
      }),
    },
  },
  pkce: { required: () => true },
});

createServer(provider.callback()).listen(Number(port), '127.0.0.1');
