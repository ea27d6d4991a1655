/**
 * The assembled gateway on real sockets, in the process of the test: a real OpenID provider that signs alice, bob or eve in
 * unasked, a recording origin, and a configuration that goes through the real loader. `invariants` asserts what must
 * hold after every attack, whatever the answer was.
 */
import { expect } from 'vitest'
import { parseSettings } from '../../src/config/load.ts'
import { formatProblems } from '../../src/config/problem.ts'
import { assemble, type Gateway, type Surroundings } from '../../src/gateway.ts'
import type { GatewayEvent } from '../../src/model/event.ts'
import { createReload, type Reloaded } from '../../src/reload.ts'
import { Browser, type BrowserOptions } from './browser-client.ts'
import { until } from './measure.ts'
import { watchForLeftovers } from './nothing-left.ts'
import { type OpenidProvider, startOpenidProvider } from './openid-provider.ts'
import { type Origin, type OriginOptions, startOrigin } from './origin.ts'
import { holdPorts } from './ports.ts'

export interface TestGatewayOptions {
  /** Over the resources below; YAML list items, indented by two spaces. `$PORT`, `$ORIGIN` (a URL) are filled in. */
  readonly resources?: string
  /** Further top-level YAML. */
  readonly more?: string
  /** Instead of the memory store: YAML of `session.store`. */
  readonly store?: string
  /** The test begins without its store. */
  readonly storeComesLater?: boolean
  readonly session?: string
  readonly origin?: OriginOptions
  /** Further idps, YAML list items indented by two spaces. */
  readonly idps?: string
  /** Instead of the real provider. */
  readonly issuer?: string
  readonly login?: 'form' | 'auto'
  /** The provider tells us when a session of its own ends. */
  readonly backChannel?: boolean
  /** The provider gives a refresh token with each sign-in, good once. */
  readonly refreshTokens?: boolean
  readonly surroundings?: Partial<Surroundings>
  readonly secret?: string
  /** Further paths that everybody may have, whoever they are: for `invariants`. */
  readonly openPaths?: RegExp
  /** Whom sites may be told of besides alice, bob and eve, as they are told: for `invariants`. */
  readonly alsoKnown?: RegExp
  /** Instead of `localhost`: with `univ.localhost`, portal and sites are one site to a browser. */
  readonly domain?: string
  /** Secrets behind the first one, which only verify and open. */
  readonly olderSecrets?: readonly string[]
  /** What `portal` and `at` say, where a balancer stands in front. */
  readonly publicPort?: number
  /** More of `listen`, such as `tls: {…}`. */
  readonly listen?: string
  /** More of `operations`, such as `secret: …`. */
  readonly operations?: string
  /** What the configuration's files hold. */
  readonly files?: Readonly<Record<string, string>>
  /** Share with another gateway: same provider and origin, which are then not stopped here. */
  readonly shared?: { readonly provider: OpenidProvider; readonly origin: Origin }
}

export interface TestGateway {
  /** Of its addresses. */
  readonly port: number
  /** Where it listens: the same, unless a balancer stands in front. */
  readonly ownPort: number
  readonly operationsPort: number
  readonly gateway: Gateway
  readonly origin: Origin
  readonly provider: OpenidProvider
  /** Whole log lines. */
  readonly log: readonly string[]
  readonly events: readonly GatewayEvent[]
  /** `http://app.localhost:<port>/path` */
  readonly url: (host: string, path?: string) => string
  readonly portal: (path?: string) => string
  /** A browser that is signed in, with the cookie of that host. */
  readonly signIn: (person?: 'alice' | 'bob' | 'eve', host?: string, options?: BrowserOptions) => Promise<Browser>
  /** The Cookie header that a signed-in browser would send to that host. */
  readonly cookieOf: (browser: Browser, host?: string) => string
  /** The configuration is read anew, after its text was edited; it keeps what was written, as a file does. */
  readonly reload: (edit: (yaml: string) => string) => Promise<Reloaded>
  /** What reloads said on the terminal. */
  readonly said: readonly string[]
  /**
   * I1 to I4 of the attack cases: nothing forged, nothing undecided, nothing secret in the log; see below. I5 is nothing-left.ts.
   *
   * @param rootInBodies the attack hides its forgery in a body that is forwarded: only header lines and trailers count
   */
  readonly invariants: (rootInBodies?: boolean) => void
  readonly stop: () => Promise<void>
}

export const people = {
  alice: { email: 'alice@campus.example', name: 'Alice Martin', affiliation: ['staff'], admin: ['yes'] },
  bob: { email: 'bob@campus.example', name: 'Bob Noël', affiliation: ['student'] },
  eve: { email: 'eve@campus.example', name: 'Eve', affiliation: ['guest'] },
} as const

/** Four sites that show every kind of policy: app (rules and paths), open, maybe, and two mounted on one host. */
const standardResources = `
  - id: app
    title: { fr: Application, en: Application }
    at: "http://app.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    identity: { headers: { X-Remote-User: "{subject}", X-Remote-Email: "{email}" } }
    paths:
      - { match: /pub/, policy: public }
      - { match: /adm/, policy: admins }
  - id: plain
    title: Plain
    at: "http://plain.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    identity: { headers: { X-Remote-User: "{subject}" } }
  - id: open
    title: Open
    at: "http://open.localhost:$PORT"
    origin: "$ORIGIN"
    policy: public
  - id: maybe
    title: Maybe
    at: "http://maybe.localhost:$PORT"
    origin: "$ORIGIN"
    policy: optional
    identity: { headers: { X-Remote-User: "{subject}" } }
  - id: staff
    title: Staff
    at: "http://staff.localhost:$PORT"
    origin: "$ORIGIN"
    policy: [{ affiliation: staff }]
    identity: { headers: { X-Remote-User: "{subject}" } }
  - id: intranet
    title: Intranet
    at: "http://apps.localhost:$PORT/intranet/"
    origin: "$ORIGIN"
    policy: signed-in
    identity: { headers: { X-Remote-User: "{subject}" } }
`

export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const held = await holdPorts(2)
  const [ownPort = 0, operationsPort = 0] = held.ports
  const port = options.publicPort ?? ownPort
  const origin = options.shared?.origin ?? (await startOrigin(options.origin))
  const domain = options.domain ?? 'localhost'
  const portal = `http://acces.${domain}:${port}`
  const client = {
    clientId: `passerelle-${port}`,
    clientSecret: 'a client secret that must be in no log line',
    redirectUris: [`${portal}/callback/campus`],
    postLogoutRedirectUris: [`${portal}/signed-out`],
    ...(options.backChannel === true ? { backchannelLogoutUri: `${portal}/backchannel/campus` } : {}),
  }
  const provider =
    options.shared?.provider ??
    (await startOpenidProvider({
      host: 'idp.localhost',
      clients: [],
      accounts: Object.entries(people).map(([name, claims]) => ({ name, password: name, claims })),
      login: options.login ?? 'auto',
      refreshTokens: options.refreshTokens ?? false,
    }))
  provider.addClient(client)
  const secret = options.secret ?? 'a secret of the gateway that must be in no log line'
  const secrets = [secret, ...(options.olderSecrets ?? [])]
  const yaml = `
portal: "${portal}"
listen: { address: "127.0.0.1:${ownPort}"${options.listen === undefined ? '' : `, ${options.listen}`} }
operations: { address: "127.0.0.1:${operationsPort}"${options.operations === undefined ? '' : `, ${options.operations}`} }
drain: { wait: 0s, timeout: 2s }
session:
  store: ${options.store ?? '{ kind: memory }'}
  secrets: [${secrets.map((_, index) => `"\${env:SECRET_${index}}"`).join(', ')}]
${options.session ?? ''}
idps:
  - id: campus
    label: { fr: Compte du campus, en: Campus account }
    oidc:
      issuer: "${options.issuer ?? provider.issuer}"
      clientId: ${client.clientId}
      clientSecret: "\${env:CLIENT_SECRET}"
${options.idps ?? ''}
policies:
  admins: [{ admin: "yes" }]
resources:
${(options.resources ?? standardResources).replaceAll('.localhost:$PORT', `.${domain}:$PORT`).replaceAll('$PORT', String(port)).replaceAll('$ORIGIN', origin.url)}
${options.more ?? ''}
`
  const parsed = (text: string) =>
    parseSettings(text, {
      file: 'test.yaml',
      env: {
        ...Object.fromEntries(secrets.map((value, index) => [`SECRET_${index}`, value])),
        CLIENT_SECRET: client.clientSecret,
      },
      async readFile(path) {
        const content = options.files?.[path]
        if (content === undefined) throw Object.assign(new Error(path), { code: 'ENOENT' })
        return content
      },
    })
  const loaded = await parsed(yaml)
  if (!loaded.ok) throw new Error(formatProblems(loaded.problems))
  const log: string[] = []
  const events: GatewayEvent[] = []
  const gateway = await assemble(loaded.settings, {
    writeLog: line => log.push(line),
    heard: event => events.push(event),
    ...options.surroundings,
  })
  await held.release()
  await gateway.listen()
  // A busy machine may take its time to find a Redis that is there.
  if (!options.storeComesLater) await until('its store', () => gateway.store.reachable(), 10_000)
  const unwatch = watchForLeftovers({ ports: [ownPort, operationsPort], origin })
  const crashes: unknown[] = []
  const crashed = (error: unknown) => crashes.push(error)
  process.on('uncaughtException', crashed)
  process.on('unhandledRejection', crashed)
  let written = yaml
  const said: string[] = []
  const reload = createReload({ gateway, load: () => parsed(written), say: text => said.push(text) })
  const url = (host: string, path = '/') => `http://${host}.${domain}:${port}${path}`
  const cookieOf = (browser: Browser, host = 'app') =>
    browser
      .cookies(`${host}.${domain}`)
      .map(cookie => `${cookie.name}=${cookie.value}`)
      .join('; ')

  return {
    port,
    ownPort,
    operationsPort,
    gateway,
    origin,
    provider,
    log,
    events,
    url,
    portal: (path = '/') => `${portal}${path}`,
    cookieOf,
    said,

    reload(edit) {
      const changed = edit(written)
      if (changed === written) throw new Error('this changes nothing in the configuration')
      written = changed
      return reload()
    },

    async signIn(person = 'alice', host = 'app', browserOptions = {}) {
      provider.person(person)
      const browser = new Browser(browserOptions)
      const reply = await browser.navigate(url(host, host === 'apps' ? '/intranet/' : '/echo'))
      if (reply.status !== 200)
        throw new Error(`${person} could not sign in at ${host}: ${reply.status} ${reply.url.href}\n${reply.text}`)
      return browser
    },

    invariants(rootInBodies = false) {
      // I2: whatever was forged was called root.
      if (!rootInBodies) expect(origin.rawBytes()).not.toMatch(/:\s*root\b/i)
      for (const { rawHeaders, trailers } of origin.requests) {
        expect([...rawHeaders, ...trailers].filter((text, at) => at % 2 === 1 && /^root\b/i.test(text))).toEqual([])
      }
      // I1: beyond the public paths nothing without a person whom the provider vouched for.
      for (const request of origin.requests) {
        // As text: `//x` is a path here, and to `new URL` a host.
        const [pathname = ''] = request.url.split('?', 1)
        const isOpen =
          pathname.startsWith('/pub/') ||
          options.openPaths?.test(pathname) ||
          /^(open|maybe)\./.test(request.header('host') ?? '')
        const person = request.header('x-remote-user')
        if (!isOpen && !options.alsoKnown?.test(person ?? ''))
          expect(person, `${request.method} ${request.url}`).toMatch(/^(alice|bob|eve)$/)
      }
      // Our cookies never reach an origin.
      expect(origin.rawBytes()).not.toMatch(/__(Host-)?Http-passerelle/i)
      // I3: nothing fell out of a handler.
      expect(crashes).toEqual([])
      // I4: no secret in the log.
      const text = log.join('')
      expect(text).not.toContain(secret)
      expect(text).not.toContain(client.clientSecret)
      expect(text).not.toMatch(/v1\.[0-9a-f]{8}\.[\w-]{43}/)
      expect(text).not.toMatch(/[?&](code|state|t|r|n|o)=/)
    },

    async stop() {
      process.off('uncaughtException', crashed)
      process.off('unhandledRejection', crashed)
      unwatch()
      await gateway.close()
      if (options.shared === undefined) {
        await provider.stop()
        await origin.stop()
      }
      expect(crashes).toEqual([])
    },
  }
}
