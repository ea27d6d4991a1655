/**
 * The little world of the demonstration, on the loopback of this machine: an OpenID provider, three legacy sites that
 * know nothing of sign-in, and the gateway in front of them with its embedded store, configured by passerelle.yaml.
 * demo.ts prints what it is; the browser tests use it as it stands.
 */
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { loadSettings } from '../src/config/load.ts'
import { formatProblems } from '../src/config/problem.ts'
import { assemble, type Gateway, type Surroundings } from '../src/gateway.ts'
import { accounts, type DemoAccount } from './accounts.ts'
import { startCourses } from './courses.ts'
import { startIntranet } from './intranet.ts'
import { startJournal } from './journal.ts'
import { type OpenidProvider, startOpenidProvider } from './openid-provider.ts'

export interface WorldOptions {
  /** Of the gateway, and of its operations listener. */
  readonly ports: readonly [number, number]
  /** form, the default: people type a name and a password. auto: alice, or whoever `provider.person` names. */
  readonly login?: 'form' | 'auto'
  /** What the gateway writes on standard output; `silent` by default. */
  readonly log?: 'info' | 'warn' | 'error' | 'silent'
  /** Between two notices on the course site's board, in ms; 3,000 by default. */
  readonly noticeMs?: number
  /** What the gateway stands on instead of the machine: a clock of the test's, an ear for its events. */
  readonly surroundings?: Partial<Surroundings>
}

export interface World {
  readonly addresses: Addresses
  readonly accounts: readonly DemoAccount[]
  readonly provider: OpenidProvider
  readonly gateway: Gateway
  /** Everything, the gateway first. Safe to call twice. */
  readonly stop: () => Promise<void>
}

/** As browsers write them; all but `provider` and `operations` end with `/`. */
export interface Addresses {
  readonly portal: string
  readonly journal: string
  readonly courses: string
  readonly intranet: string
  readonly provider: string
  readonly operations: string
  /** Around the gateway, where the sites say that no identity came. */
  readonly direct: { readonly journal: string; readonly courses: string; readonly intranet: string }
}

/** Somebody else listens where the gateway should. */
export class PortBusy extends Error {
  readonly port: number

  constructor(port: number, cause: unknown) {
    super(`port ${port} is in use`, { cause })
    this.name = 'PortBusy'
    this.port = port
  }
}

/**
 * @throws PortBusy  the gateway cannot listen where it should
 * @throws Error     passerelle.yaml does not pass its check; the message is the list of problems
 */
export async function startWorld(options: WorldOptions): Promise<World> {
  const [port, operationsPort] = options.ports
  const running: { readonly stop: () => Promise<void> }[] = []
  const stop = async () => {
    for (const part of running.splice(0).reverse()) await part.stop()
  }
  const started = async <Part extends { readonly stop: () => Promise<void> }>(starting: Promise<Part>) => {
    const part = await starting
    running.push(part)
    return part
  }

  try {
    const journal = await started(startJournal())
    const courses = await started(startCourses(options.noticeMs === undefined ? {} : { noticeMs: options.noticeMs }))
    const intranet = await started(startIntranet())
    const portal = `http://acces.localhost:${port}`
    const clientSecret = randomBytes(32).toString('base64url')
    const provider = await started(
      startOpenidProvider({
        host: 'idp.localhost',
        accounts,
        login: options.login ?? 'form',
        clients: [
          {
            clientId: 'passerelle',
            clientSecret,
            redirectUris: [`${portal}/callback/campus`],
            postLogoutRedirectUris: [`${portal}/signed-out`],
            backchannelLogoutUri: `${portal}/backchannel/campus`,
          },
        ],
      }),
    )
    const env = {
      DEMO_PORT: String(port),
      DEMO_OPERATIONS_PORT: String(operationsPort),
      DEMO_LOG: options.log ?? 'silent',
      DEMO_SECRET: randomBytes(48).toString('base64url'),
      DEMO_ISSUER: provider.issuer,
      DEMO_CLIENT_SECRET: clientSecret,
      DEMO_JOURNAL: journal.url,
      DEMO_COURSES: courses.url,
      DEMO_INTRANET: intranet.url,
    }
    const gateway = await startGateway(env, options.surroundings ?? {})
    running.push({ stop: () => gateway.drain() })
    return {
      addresses: {
        portal: `${portal}/`,
        journal: `http://journal.localhost:${port}/`,
        courses: `http://cours.localhost:${port}/`,
        intranet: `http://apps.localhost:${port}/intranet/`,
        provider: provider.issuer,
        operations: `http://127.0.0.1:${operationsPort}`,
        direct: { journal: journal.url, courses: courses.url, intranet: intranet.url },
      },
      accounts,
      provider,
      gateway,
      stop,
    }
  } catch (error) {
    await stop()
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE' && 'port' in error)
      throw new PortBusy(Number(error.port), error)
    throw error
  }
}

async function startGateway(
  env: Readonly<Record<string, string>>,
  surroundings: Partial<Surroundings>,
): Promise<Gateway> {
  const loaded = await loadSettings(fileURLToPath(new URL('passerelle.yaml', import.meta.url)), env)
  if (!loaded.ok) throw new Error(formatProblems(loaded.problems))
  const gateway = await assemble(loaded.settings, surroundings)
  try {
    await gateway.listen()
  } catch (error) {
    await gateway.close()
    throw error
  }
  return gateway
}
