/**
 * An OpenID provider that lies as told. By default it does everything right; each test bends one thing: a value of its
 * metadata, keys, token, userinfo or callback, or a whole answer on the wire.
 */
import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { CompactSign, exportJWK, type GenerateKeyPairResult, generateKeyPair, type JWK } from 'jose'

type Members = Record<string, unknown>

/** Answers the request by hand: late, never, enormous, or as something else. */
export type WireAnswer = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

/** What is bent. Each function gets the honest value and returns the one that is sent. */
export interface Bends {
  metadata: (honest: Members) => unknown
  keys: (honest: JWK[]) => unknown
  header: (honest: Members) => Members
  claims: (honest: Members) => Members
  /** The payload's JSON, for what JSON.stringify cannot write (1e400). */
  payload: (honest: string) => string
  /** The whole ID token, from header and payload. */
  idToken: (header: Members, payload: string) => string | Promise<string>
  tokenAnswer: (honest: Members) => unknown
  userinfo: (honest: Members) => unknown
  callback: (honest: URLSearchParams) => void
  /** What comes with a code beside the ID token; each is good once, and a second use ends them all (RFC 9700 §4.14.2). */
  refreshTokens: boolean
  /** A refresh answers without an ID token, as it may (Core §12.2). */
  refreshesWithoutIdToken: boolean
  /** Whose tokens are worth nothing from now on. */
  disabled: Set<string>
  /** Nobody is signed in there: a request with `prompt=none` is answered so (Core §3.1.2.6). */
  nobody: boolean
  /** Whom the authorization endpoint signs in, unasked. */
  subject: string
  wire: Partial<Record<'metadata' | 'keys' | 'token' | 'userinfo', WireAnswer>>
  /** Milliseconds before an answer is begun. */
  lateMs: Partial<Record<'metadata' | 'keys' | 'token' | 'userinfo', number>>
  /** Redeems codes without asking for their verifier, as old providers do. */
  ignoresPkce: boolean
  /** By how many seconds the provider's clock is wrong. */
  clockOffsetS: number
}

export interface Asked {
  readonly endpoint: 'metadata' | 'authorize' | 'keys' | 'token' | 'userinfo' | 'other'
  readonly method: string
  readonly headers: IncomingMessage['headers']
  readonly form: URLSearchParams
}

export interface AdversarialOp {
  readonly issuer: string
  /** Changed by tests, made honest again by `reset`. */
  readonly bends: Bends
  /** Every request, oldest first; emptied by `reset`. */
  readonly asked: Asked[]
  readonly clientId: string
  readonly clientSecret: string
  /** How often an endpoint was asked since the last reset. */
  readonly count: (endpoint: Asked['endpoint']) => number
  /** Plays the provider's front and the person: from our authorization address to our callback's, with a code. */
  readonly authorize: (address: URL, subject?: string) => URL
  /** Signs with another key from now on; the old one is no longer published. */
  readonly rotate: () => Promise<void>
  /** Signs header and payload as the provider does. */
  readonly sign: (header: Members, payload: string) => Promise<string>
  readonly publicKey: () => Promise<JWK>
  readonly reset: () => void
  /** Nobody listens any more, and every connection is cut; codes and keys are kept. */
  readonly goDown: () => Promise<void>
  /** On the same port again. Does nothing where it runs. */
  readonly comeUp: () => Promise<void>
  readonly stop: () => Promise<void>
}

interface Family {
  readonly subject: string
  readonly nonce: string | null
  readonly asksForTime: boolean
  /** Seconds since the epoch. */
  readonly authenticatedAt: number
  current: string
  over: boolean
}

interface Code {
  readonly request: URLSearchParams
  readonly subject: string
}

const clientId = 'passerelle'
const clientSecret = 'op-secret'

const honest = (): Bends => ({
  metadata: metadata => metadata,
  keys: keys => keys,
  header: header => header,
  claims: claims => claims,
  payload: payload => payload,
  idToken: () => {
    throw new Error('replaced when the provider starts')
  },
  tokenAnswer: answer => answer,
  userinfo: userinfo => userinfo,
  callback: () => {},
  refreshTokens: false,
  refreshesWithoutIdToken: false,
  disabled: new Set(),
  nobody: false,
  subject: 'anna',
  wire: {},
  lateMs: {},
  ignoresPkce: false,
  clockOffsetS: 0,
})

/** Two RSA keys for a process: each takes a tenth of a second to make. */
const spare: Promise<GenerateKeyPairResult>[] = []
const rsaKey = (index: number) => {
  spare[index] ??= generateKeyPair('RS256', { extractable: true })
  return spare[index]
}

/** @param now milliseconds since the epoch; the provider's honest clock */
export async function startAdversarialOp(now: () => number = Date.now): Promise<AdversarialOp> {
  let current = { key: await rsaKey(0), kid: 'key-0', index: 0 }
  const codes = new Map<string, Code>()
  const accessTokens = new Map<string, string>()
  const families = new Map<string, Family>()
  const asked: Asked[] = []
  const seconds = () => Math.floor(now() / 1000) + bends.clockOffsetS

  const publicKey = async (): Promise<JWK> => {
    const { kty, n, e } = await exportJWK(current.key.publicKey)
    return { kty, n, e, kid: current.kid, use: 'sig', alg: 'RS256' } as JWK
  }
  const sign = (header: Members, payload: string) =>
    new CompactSign(new TextEncoder().encode(payload)).setProtectedHeader(header as never).sign(current.key.privateKey)
  const bends: Bends = { ...honest(), idToken: sign }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: Error) => {
      response.writeHead(500).end(`the stand-in failed: ${error.stack}`)
    })
  })
  const listenOn = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject)
        resolve()
      })
    })
  // It comes up again on the same one.
  const port = await freePort()
  await listenOn(port)
  const issuer = `http://op.localhost:${port}`

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const endpoint = endpointOf((request.url ?? '').split('?', 1)[0] ?? '')
    const form = new URLSearchParams(await bodyOf(request))
    asked.push({ endpoint, method: request.method ?? '', headers: request.headers, form })
    if (endpoint === 'other') return send(response, { error: 'no such page' }, 404)
    if (endpoint === 'authorize') {
      response.writeHead(303, { location: authorize(new URL(request.url ?? '', issuer), bends.subject).href }).end()
      return
    }
    const lateMs = bends.lateMs[endpoint]
    if (lateMs !== undefined) await new Promise(resolve => setTimeout(resolve, lateMs))
    const bent = bends.wire[endpoint]
    if (bent !== undefined) return bent(request, response)
    switch (endpoint) {
      case 'metadata':
        return send(response, bends.metadata(metadataOf(issuer)))
      case 'keys':
        return send(response, { keys: bends.keys([await publicKey()]) })
      case 'token':
        return redeem(request, form, response)
      case 'userinfo': {
        const subject = accessTokens.get(request.headers.authorization?.replace('Bearer ', '') ?? '')
        if (subject === undefined || bends.disabled.has(subject)) {
          response.setHeader('www-authenticate', 'Bearer error="invalid_token"')
          return send(response, { error: 'invalid_token' }, 401)
        }
        const told = bends.userinfo({ sub: subject, email: `${subject}@example.org` })
        if (typeof told === 'string') response.writeHead(200, { 'content-type': 'application/jwt' }).end(told)
        else send(response, told)
      }
    }
  }

  async function redeem(request: IncomingMessage, form: URLSearchParams, response: ServerResponse): Promise<void> {
    const basic = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`
    const posted = form.get('client_id') === clientId && form.get('client_secret') === clientSecret
    if (request.headers.authorization !== basic && !posted) return send(response, { error: 'invalid_client' }, 401)

    const refreshToken = form.get('refresh_token')
    if (refreshToken !== null) return refresh(refreshToken, response)
    const code = form.get('code') ?? ''
    const known = codes.get(code)
    codes.delete(code)
    if (known === undefined) return send(response, { error: 'invalid_grant' }, 400)
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    const proven = bends.ignoresPkce || challenge === known.request.get('code_challenge')
    if (!proven || form.get('redirect_uri') !== known.request.get('redirect_uri')) {
      return send(response, { error: 'invalid_grant', error_description: 'verifier or redirect_uri' }, 400)
    }

    const family = {
      subject: known.subject,
      nonce: known.request.get('nonce'),
      // Required where it was asked for (Core §2).
      asksForTime: known.request.has('max_age'),
      authenticatedAt: seconds(),
      current: '',
      over: false,
    }
    return give(family, true, response)
  }

  /** RFC 6749 §6, with rotation: who comes with a used one ends them all. */
  async function refresh(token: string, response: ServerResponse): Promise<void> {
    const family = families.get(token)
    if (family !== undefined && family.current !== token) family.over = true
    if (family === undefined || family.over || bends.disabled.has(family.subject)) {
      return send(response, { error: 'invalid_grant' }, 400)
    }
    return give(family, !bends.refreshesWithoutIdToken, response)
  }

  async function give(family: Family, withIdToken: boolean, response: ServerResponse): Promise<void> {
    const accessToken = randomUUID()
    accessTokens.set(accessToken, family.subject)
    const claims = bends.claims({
      iss: issuer,
      sub: family.subject,
      aud: clientId,
      exp: seconds() + 300,
      iat: seconds(),
      nonce: family.nonce,
      ...(family.asksForTime ? { auth_time: family.authenticatedAt } : {}),
      at_hash: leftHalf(accessToken),
    })
    const header = bends.header({ alg: 'RS256', kid: current.kid })
    const told: Members = { access_token: accessToken, token_type: 'Bearer', expires_in: 300 }
    if (withIdToken) told.id_token = await bends.idToken(header, bends.payload(JSON.stringify(claims)))
    if (bends.refreshTokens) {
      family.current = randomUUID()
      families.set(family.current, family)
      told.refresh_token = family.current
    }
    return send(response, bends.tokenAnswer(told))
  }

  function authorize(address: URL, subject = 'anna'): URL {
    const to = new URL(address.searchParams.get('redirect_uri') ?? 'about:blank')
    const state = address.searchParams.get('state') ?? ''
    if (bends.nobody && address.searchParams.get('prompt') === 'none') {
      to.search = new URLSearchParams({ error: 'login_required', state, iss: issuer }).toString()
      return to
    }
    const code = randomUUID()
    codes.set(code, { request: address.searchParams, subject })
    to.search = new URLSearchParams({ code, state, iss: issuer }).toString()
    bends.callback(to.searchParams)
    return to
  }

  async function goDown(): Promise<void> {
    if (!server.listening) return
    const closed = new Promise(resolve => server.close(resolve))
    server.closeAllConnections()
    await closed
  }

  return {
    issuer,
    bends,
    asked,
    clientId,
    clientSecret,
    count: endpoint => asked.filter(request => request.endpoint === endpoint).length,
    authorize,
    rotate: async () => {
      const index = current.index + 1
      current = { key: await rsaKey(index % 2), kid: `key-${index}`, index }
    },
    sign,
    publicKey,
    reset: () => {
      Object.assign(bends, honest(), { idToken: sign })
      asked.length = 0
    },
    goDown,
    comeUp: async () => {
      if (!server.listening) await listenOn(port)
    },
    stop: goDown,
  }
}

/** The left half of SHA-256, as RS256 tokens carry it (Core §3.1.3.6). */
export function leftHalf(text: string): string {
  return createHash('sha256').update(text).digest().subarray(0, 16).toString('base64url')
}

function metadataOf(issuer: string): Members {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/keys`,
    userinfo_endpoint: `${issuer}/userinfo`,
    end_session_endpoint: `${issuer}/logout`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'],
    authorization_response_iss_parameter_supported: true,
  }
}

function endpointOf(path: string): Asked['endpoint'] {
  switch (path) {
    case '/.well-known/openid-configuration':
      return 'metadata'
    case '/authorize':
      return 'authorize'
    case '/keys':
      return 'keys'
    case '/token':
      return 'token'
    case '/userinfo':
      return 'userinfo'
    default:
      return 'other'
  }
}

function send(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const part of request) text += part
  return text
}

import { freePort } from './ports.ts'
