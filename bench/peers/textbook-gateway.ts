/**
 * The textbook gateway, as its parts' own manuals put them together: express-session on Redis, sign-in with
 * openid-client, http-proxy behind it with kept connections.
 *
 *   node textbook-gateway.ts PORT SETTINGS(JSON)
 */
import { Agent } from 'node:http'
import { RedisStore } from 'connect-redis'
import express from 'express'
import session from 'express-session'
import httpProxy from 'http-proxy'
import { Redis } from 'ioredis'
import * as openid from 'openid-client'

declare module 'express-session' {
  interface SessionData {
    pending: { verifier: string; state: string; to: string }
    user: { subject: string; claims: object; idToken: string; accessToken: string }
  }
}

const [port = '', written = ''] = process.argv.slice(2)
const settings: {
  readonly site: string
  readonly origin: string
  readonly redisPort: number
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
} = JSON.parse(written)

const redis = new Redis(settings.redisPort, '127.0.0.1')
const discovered = await openid.discovery(
  new URL(settings.issuer),
  settings.clientId,
  settings.clientSecret,
  openid.ClientSecretBasic(settings.clientSecret),
  { execute: [openid.allowInsecureRequests] },
)
const proxy = httpProxy.createProxyServer({
  target: settings.origin,
  agent: new Agent({ keepAlive: true, maxSockets: 256 }),
  xfwd: true,
})

const app = express()
app.use(
  session({
    store: new RedisStore({ client: redis }),
    secret: 'only-for-the-benchmark',
    resave: false,
    saveUninitialized: false,
  }),
)

app.get('/signed-in', async (request, response) => {
  const pending = request.session.pending
  if (pending === undefined) {
    response.status(400).end()
    return
  }
  const tokens = await openid.authorizationCodeGrant(discovered, new URL(request.originalUrl, settings.site), {
    pkceCodeVerifier: pending.verifier,
    expectedState: pending.state,
  })
  const claims = tokens.claims()
  request.session.regenerate(() => {
    request.session.user = {
      subject: claims?.sub ?? '',
      claims: claims ?? {},
      idToken: tokens.id_token ?? '',
      accessToken: tokens.access_token,
    }
    response.redirect(pending.to)
  })
})

app.use(async (request, response) => {
  const user = request.session.user
  if (user !== undefined) {
    request.headers['x-remote-user'] = user.subject
    proxy.web(request, response, {}, () => response.status(502).end())
    return
  }
  const pending = {
    verifier: openid.randomPKCECodeVerifier(),
    state: openid.randomState(),
    to: request.originalUrl,
  }
  request.session.pending = pending
  response.redirect(
    openid.buildAuthorizationUrl(discovered, {
      redirect_uri: `${settings.site}/signed-in`,
      scope: 'openid email profile',
      state: pending.state,
      code_challenge: await openid.calculatePKCECodeChallenge(pending.verifier),
      code_challenge_method: 'S256',
    }).href,
  )
})

app.listen(Number(port), '127.0.0.1')
