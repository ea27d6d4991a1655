/**
 * A real OpenID provider on this machine, for the demonstration and for tests: npm's certified oidc-provider, with a
 * handful of people, no consent page, and everything that it remembers in this process.
 */
import { generateKeyPair, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import Provider, { type Context } from 'oidc-provider'
import { createOutbound } from '../src/outbound/outbound.ts'
import { errorPage, signedOutPage, signInPage, signOutPage } from './openid-provider-pages.ts'
import { memoryAdapter } from './openid-provider-store.ts'

export interface OpenidAccount {
  /** What the person types, and the `sub` of the tokens. */
  readonly name: string
  readonly password: string
  /** `email` and `email_verified` come with the scope `email`, all others with `profile`. */
  readonly claims: Readonly<Record<string, unknown>>
  readonly acr?: string
  readonly amr?: readonly string[]
}

export interface OpenidClient {
  readonly clientId: string
  /** Null: a public client. */
  readonly clientSecret: string | null
  /** How it sends its secret; `basic` unless said. */
  readonly authentication?: 'basic' | 'post'
  readonly redirectUris: readonly string[]
  readonly postLogoutRedirectUris?: readonly string[]
  /** With it, ID tokens have a `sid` and ends of sessions are told. */
  readonly backchannelLogoutUri?: string
}

export interface OpenidProviderOptions {
  /** 0, the default: any free one. */
  readonly port?: number
  /** The issuer's host name, `127.0.0.1` or under `localhost`; `127.0.0.1` unless said. */
  readonly host?: string
  readonly clients: readonly OpenidClient[]
  readonly accounts: readonly OpenidAccount[]
  /** form: a page asks for name and password. auto: the first account, or whoever `person` names, is signed in unasked. */
  readonly login: 'form' | 'auto'
  /** A refresh token comes with every sign-in, and each is good once. Else none does, unless `offline_access` was asked for. */
  readonly refreshTokens?: boolean
}

export interface OpenidProvider {
  /** `http://<host>:<port>`, without a path. */
  readonly issuer: string
  readonly port: number
  /** `GET /token` and the like, one for each request, oldest first. */
  readonly requests: readonly string[]
  /** Who is signed in unasked from now on. */
  readonly person: (name: string) => void
  readonly addClient: (client: OpenidClient) => void
  /** What is said of this person from now on. */
  readonly say: (name: string, claims: OpenidAccount['claims']) => void
  /** This person does not exist any more. */
  readonly disable: (name: string) => void
  readonly stop: () => Promise<void>
}

const generate = promisify(generateKeyPair)
/** Made once for a process: an RSA key takes a tenth of a second. */
let signingKey: Promise<object> | null = null

async function newSigningKey(): Promise<object> {
  const { privateKey } = await generate('rsa', { modulusLength: 2048 })
  return { ...privateKey.export({ format: 'jwk' }), kid: 'stand-in', use: 'sig', alg: 'RS256' }
}

export async function startOpenidProvider(options: OpenidProviderOptions): Promise<OpenidProvider> {
  signingKey ??= newSigningKey()
  const key = await signingKey
  const server = createServer()
  await listen(server, options.port ?? 0)
  const { port } = server.address() as AddressInfo
  const issuer = `http://${options.host ?? '127.0.0.1'}:${port}`

  const clients = [...options.clients]
  const accounts = new Map(options.accounts.map(account => [account.name, account]))
  const outbound = createOutbound({ ca: null, localAddress: null, refused: [] })
  const provider = new Provider(issuer, {
    ...configuration(options, accounts),
    adapter: memoryAdapter(clients),
    jwks: { keys: [key] },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    // oidc-provider would refuse to call back to loopback, and node does not know *.localhost everywhere.
    fetch: (url: string | URL, init: { method?: string; headers?: Record<string, string>; body?: unknown } = {}) =>
      outbound.fetch(new URL(url), {
        method: init.method === 'POST' ? 'POST' : 'GET',
        headers: Object.fromEntries(new Headers(init.headers)),
        body: init.body === undefined || init.body === null ? null : String(init.body),
        signal: null,
      }),
  })
  provider.on('server_error', (_context, error) => console.error(error))
  const protocol = provider.callback()

  let person = options.accounts[0]?.name ?? ''
  const requests: string[] = []
  server.on('request', (request, response) => {
    const path = new URL(request.url ?? '/', issuer).pathname
    requests.push(`${request.method} ${path}`)
    const answered = path.startsWith('/interaction/') ? interact(request, response) : protocol(request, response)
    answered.catch((error: Error) => fail(response, error))
  })

  async function interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { uid } = await provider.interactionDetails(request, response)
    const typed = request.method === 'POST' ? await form(request) : null
    const account =
      options.login === 'auto'
        ? accounts.get(person)
        : [...accounts.values()].find(
            ({ name, password }) => name === typed?.get('name') && password === typed.get('password'),
          )
    if (account === undefined) {
      const page = signInPage({ action: `/interaction/${uid}`, again: typed !== null })
      response.writeHead(typed === null ? 200 : 401, { 'content-type': 'text/html; charset=utf-8' }).end(page)
      return
    }
    const { name: accountId, acr, amr } = account
    const login = { accountId, ...(acr === undefined ? {} : { acr }), ...(amr === undefined ? {} : { amr }) }
    await provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false })
  }

  return {
    issuer,
    port,
    requests,
    person: name => {
      person = name
    },
    addClient: client => clients.push(client),
    say: (name, claims) => {
      const account = accounts.get(name)
      if (account !== undefined) accounts.set(name, { ...account, claims })
    },
    disable: name => accounts.delete(name),
    stop: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
      await outbound.close()
    },
  }
}

/** Everything that oidc-provider would otherwise remind us of on the terminal is set here. */
function configuration(
  { login, refreshTokens = false, ...options }: OpenidProviderOptions,
  accounts: ReadonlyMap<string, OpenidAccount>,
): Readonly<Record<string, unknown>> {
  const hour = 60 * 60
  const named = new Set(options.accounts.flatMap(({ claims }) => Object.keys(claims)))
  const email = ['email', 'email_verified']
  return {
    findAccount: (_context: Context, accountId: string) => {
      const account = accounts.get(accountId)
      return account && { accountId, claims: () => ({ ...account.claims, sub: accountId }) }
    },
    claims: { openid: ['sub', 'acr', 'amr'], email, profile: [...named].filter(name => !email.includes(name)) },
    scopes: ['openid', 'offline_access', 'email', 'profile'],
    acrValues: [...new Set(options.accounts.flatMap(({ acr }) => acr ?? []))],
    pkce: { required: () => true },
    clientBasedCORS: () => false,
    loadExistingGrant: async ({ oidc }: Context) => {
      const known = oidc.session.grantIdFor(oidc.client.clientId)
      const found = known === undefined ? undefined : await oidc.provider.Grant.find(known)
      if (found !== undefined) return found
      const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId })
      grant.addOIDCScope('openid email profile offline_access')
      await grant.save()
      return grant
    },
    ...(refreshTokens ? { issueRefreshToken: () => true, rotateRefreshToken: () => true } : {}),
    interactions: { url: (_context: Context, { uid }: { uid: string }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (context: Context, html: string) => show(context, signOutPage(html, login === 'auto')),
        postLogoutSuccessSource: (context: Context) => show(context, signedOutPage()),
      },
    },
    renderError: (context: Context, error: Readonly<Record<string, unknown>>) => show(context, errorPage(error)),
    ttl: {
      AccessToken: hour,
      AuthorizationCode: 60,
      Grant: 24 * hour,
      IdToken: hour,
      Interaction: hour,
      RefreshToken: 24 * hour,
      Session: 24 * hour,
    },
  }
}

function show(context: Context, html: string): void {
  context.type = 'html'
  context.body = html
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
}

async function form(request: IncomingMessage): Promise<URLSearchParams> {
  let text = ''
  for await (const part of request) text += part
  return new URLSearchParams(text)
}

/** A stale interaction (somebody pressed Back) is no reason to stop. */
function fail(response: ServerResponse, error: Error): void {
  if (!response.headersSent) response.writeHead(400, { 'content-type': 'text/html; charset=utf-8' })
  response.end(errorPage({ error: error.message }))
}
