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
import { errorPage, type SignInWords, signedOutPage, signInPage, signOutPage } from './openid-provider-pages.ts'
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

/**
 * What is asked after name and password.
 *
 * @param sent null: name and password were right just now
 * @param uid  names this sign-in
 * @returns the page that asks, or, once that is answered, by what means the person was known
 */
export type FurtherStep = (
  account: OpenidAccount,
  sent: URLSearchParams | null,
  uid: string,
) => { readonly page: string } | { readonly amr: readonly string[] }

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
  readonly words?: SignInWords
  /** With `form` only; nobody is signed in before it is content. */
  readonly further?: FurtherStep
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
  /** Signs with another key from now on; the old one is no longer published. */
  readonly rotate: () => Promise<void>
  /** Nobody listens any more, and every connection is cut; sessions and codes are kept. */
  readonly goDown: () => Promise<void>
  /** On the same port again. Does nothing where it runs. */
  readonly comeUp: () => Promise<void>
  readonly stop: () => Promise<void>
}

const generate = promisify(generateKeyPair)
/** Made once for a process: an RSA key takes a tenth of a second. */
let signingKey: Promise<object> | null = null

async function newSigningKey(kid: string): Promise<object> {
  const { privateKey } = await generate('rsa', { modulusLength: 2048 })
  return { ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' }
}

export async function startOpenidProvider(options: OpenidProviderOptions): Promise<OpenidProvider> {
  signingKey ??= newSigningKey('stand-in')
  const key = await signingKey
  const server = createServer()
  await listen(server, options.port ?? 0)
  const { port } = server.address() as AddressInfo
  const issuer = `http://${options.host ?? '127.0.0.1'}:${port}`

  const clients = [...options.clients]
  const accounts = new Map(options.accounts.map(account => [account.name, account]))
  const outbound = createOutbound({ ca: null, localAddress: null, refused: [] })
  const adapter = memoryAdapter(clients)
  const cookieKey = randomBytes(32).toString('base64url')
  const providerWith = (signedWith: object) => {
    const made = new Provider(issuer, {
      ...configuration(options, accounts),
      adapter,
      jwks: { keys: [signedWith] },
      cookies: { keys: [cookieKey] },
      // oidc-provider would refuse to call back to loopback, and node does not know *.localhost everywhere.
      fetch: (url: string | URL, init: { method?: string; headers?: Record<string, string>; body?: unknown } = {}) =>
        outbound.fetch(new URL(url), {
          method: init.method === 'POST' ? 'POST' : 'GET',
          headers: Object.fromEntries(new Headers(init.headers)),
          body: init.body === undefined || init.body === null ? null : String(init.body),
          signal: null,
        }),
    })
    made.on('server_error', (_context, error) => console.error(error))
    return { interactions: made, answer: made.callback() }
  }
  let provider = providerWith(key)

  let person = options.accounts[0]?.name ?? ''
  const requests: string[] = []
  server.on('request', (request, response) => {
    const path = new URL(request.url ?? '/', issuer).pathname
    requests.push(`${request.method} ${path}`)
    const answered = path.startsWith('/interaction/') ? interact(request, response) : provider.answer(request, response)
    answered.catch((error: Error) => fail(response, error))
  })

  /** By sign-in: whose name and password were right, and who is asked something more. */
  const halfWay = new Map<string, OpenidAccount>()

  async function interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { uid } = await provider.interactions.interactionDetails(request, response)
    const typed = request.method === 'POST' ? await form(request) : null
    const waiting = halfWay.get(uid)
    if (waiting !== undefined) return furtherStep(request, response, uid, waiting, typed)
    const account =
      options.login === 'auto'
        ? accounts.get(person)
        : [...accounts.values()].find(
            ({ name, password }) => name === typed?.get('name') && password === typed.get('password'),
          )
    if (account === undefined) {
      const words = options.words === undefined ? {} : { words: options.words }
      const page = signInPage({ action: `/interaction/${uid}`, again: typed !== null, ...words })
      response.writeHead(typed === null ? 200 : 401, { 'content-type': 'text/html; charset=utf-8' }).end(page)
      return
    }
    if (options.further !== undefined && options.login === 'form') {
      halfWay.set(uid, account)
      return furtherStep(request, response, uid, account, null)
    }
    await finish(request, response, account, account.amr)
  }

  async function furtherStep(
    request: IncomingMessage,
    response: ServerResponse,
    uid: string,
    account: OpenidAccount,
    sent: URLSearchParams | null,
  ): Promise<void> {
    const asked = options.further?.(account, sent, uid) ?? { amr: [] }
    if ('page' in asked) {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(asked.page)
      return
    }
    halfWay.delete(uid)
    await finish(request, response, account, asked.amr)
  }

  async function finish(
    request: IncomingMessage,
    response: ServerResponse,
    { name: accountId, acr }: OpenidAccount,
    amr: readonly string[] | undefined,
  ): Promise<void> {
    const login = { accountId, ...(acr === undefined ? {} : { acr }), ...(amr === undefined ? {} : { amr }) }
    await provider.interactions.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false })
  }

  async function close(): Promise<void> {
    if (!server.listening) return
    const closed = new Promise(resolve => server.close(resolve))
    server.closeAllConnections()
    await closed
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
    rotate: async () => {
      provider = providerWith(await newSigningKey(`stand-in-${randomBytes(4).toString('hex')}`))
    },
    goDown: close,
    comeUp: async () => {
      if (!server.listening) await listen(server, port)
    },
    stop: async () => {
      await close()
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
