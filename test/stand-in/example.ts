/**
 * A configuration of config/examples on real sockets: the file as it stands, with the addresses of this machine in place of
 * example.org, and stand-ins for what it names: an OpenID provider that asks for name and password, and one origin.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseSettings } from '../../src/config/load.ts'
import { formatProblems } from '../../src/config/problem.ts'
import { assemble, type Gateway, type Surroundings } from '../../src/gateway.ts'
import { type CodeFile, makeCodeFile } from './code-file.ts'
import {
  type FurtherStep,
  type OpenidAccount,
  type OpenidProvider,
  type OpenidProviderOptions,
  startOpenidProvider,
} from './openid-provider.ts'
import { type Origin, type OriginOptions, startOrigin } from './origin.ts'
import { freePorts } from './ports.ts'

export interface ExampleOptions {
  /** `bibcnrs.yaml` */
  readonly name: string
  /** The id of its OpenID provider, which a stand-in plays; left out: it has none. */
  readonly idp?: string
  readonly accounts?: readonly OpenidAccount[]
  /** Stands in for all its CAS servers: what `cas.server` says here. */
  readonly cas?: string
  readonly words?: OpenidProviderOptions['words']
  readonly further?: FurtherStep
  readonly refreshTokens?: boolean
  readonly origin: OriginOptions
  /** What an operator would change in it. */
  readonly edit?: (yaml: string) => string
  readonly surroundings?: Partial<Surroundings>
}

export interface Example {
  readonly gateway: Gateway
  readonly provider: OpenidProvider
  readonly origin: Origin
  readonly codes: CodeFile
  readonly log: readonly string[]
  /** `https://biologie.example.org/x` of the file, as it is reached here. */
  readonly url: (host: string, path?: string) => string
  readonly portal: (path?: string) => string
  readonly stop: () => Promise<void>
}

const folder = join(import.meta.dirname, '../../config/examples')
const secret = 'mB7vQ2xK9rT4wZ1nC6yL3hJ8dF5gS0pA'

export async function startExample(options: ExampleOptions): Promise<Example> {
  const [port = 0, operationsPort = 0] = await freePorts(2)
  const origin = await startOrigin(options.origin)
  const codes = await makeCodeFile()
  const url = (host: string, path = '/') => `http://${host}.localhost:${port}${path}`
  const portal = (path = '') => `http://acces.localhost:${port}${path}`
  const provider = await startOpenidProvider({
    host: 'idp.localhost',
    accounts: options.accounts ?? [],
    login: 'form',
    ...(options.words === undefined ? {} : { words: options.words }),
    ...(options.further === undefined ? {} : { further: options.further }),
    refreshTokens: options.refreshTokens ?? false,
    clients: [
      {
        clientId: 'passerelle',
        clientSecret: secret,
        redirectUris: [portal(`/callback/${options.idp ?? 'none'}`)],
        postLogoutRedirectUris: [portal('/signed-out')],
        backchannelLogoutUri: portal(`/backchannel/${options.idp ?? 'none'}`),
      },
    ],
  })
  const written = await readFile(join(folder, options.name), 'utf8')
  const here = (options.edit ?? (yaml => yaml))(written)
    .replace(/issuer: https:\S+/, `issuer: "${provider.issuer}"`)
    .replace(/^( *(?:- )?(?:portal|at): )https:\/\/(\w+)\.example\.org/gm, `$1http://$2.localhost:${port}`)
    .replace(/(cas: \{ server: )"[^"]*"/g, (all, before) =>
      options.cas === undefined ? all : `${before}"${options.cas}"`,
    )
    .replace(/(origin: )http:\S+/g, `$1"${origin.url}"`)
    .replaceAll('access-codes.yaml', codes.path)
  const around = `
listen: { address: "127.0.0.1:${port}" }
operations: { address: "127.0.0.1:${operationsPort}" }
drain: { wait: 0s, timeout: 2s }
`
  const env = Object.fromEntries([...here.matchAll(/\$\{env:(\w+)\}/g)].map(([, name = '']) => [name, secret]))
  const loaded = await parseSettings(here + around, {
    file: options.name,
    env,
    readFile: path => readFile(path.startsWith('/') ? path : join(folder, path), 'utf8'),
  })
  if (!loaded.ok) throw new Error(formatProblems(loaded.problems))
  const log: string[] = []
  const gateway = await assemble(loaded.settings, { writeLog: line => log.push(line), ...options.surroundings })
  await gateway.listen()
  return {
    gateway,
    provider,
    origin,
    codes,
    log,
    url,
    portal,
    async stop() {
      await gateway.close()
      await provider.stop()
      await origin.stop()
      await codes.remove()
    },
  }
}
