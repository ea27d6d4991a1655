/**
 * `passerelle explain URL --claims FILE`: what the gateway would decide for a person with these claims, and why; without
 * URL, what the claims become. The same settings, tables and rules as a gateway has; nothing is asked of any server.
 */
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { parseArgs } from 'node:util'
import { createUnderstanding } from '../claims/map.ts'
import { type Loaded, loadSettings } from '../config/load.ts'
import { formatProblems } from '../config/problem.ts'
import type { Settings } from '../config/schema.ts'
import { GatewayError } from '../errors.ts'
import { namedIdps } from '../idp/build.ts'
import { claimsOf } from '../idp/oidc/claims.ts'
import type { Claims, Understood } from '../model/identity.ts'
import type { Place, ResourcePlace } from '../model/place.ts'
import type { Access, Resource } from '../model/resource.ts'
import type { Session } from '../model/session.ts'
import { createAccessOf } from '../policy/access.ts'
import { explain as explainPolicy, type Positions, printable } from '../policy/explain.ts'
import { compileIdentityHeaders } from '../proxy/identity-headers.ts'
import { buildResources, publicAddressOf } from '../resource/build.ts'
import { createLocate } from '../resource/locate.ts'
import { targetOf } from '../resource/target.ts'
import type { Output } from './check.ts'

const usage = `usage: passerelle explain [URL] [--claims FILE] [--config FILE] [--idp ID] [--subject TEXT] [--method METHOD] [--address IP]

  URL        as a browser shows it. Absent, with --claims: only what the claims become.
  --claims   JSON with what the identity provider says: { "email": "anna@example.org", "affiliation": ["staff"] }.
             Absent: nobody is signed in.
  --config   config/passerelle.yaml where it is absent
  --idp      who says so; absent: the first identity provider of the configuration
  --subject  absent: the claim "sub"
  --method   absent: GET
  --address  the person's network address, for rules that ask for it
`

type Valid = Extract<Loaded, { ok: true }>

/**
 * @param args  the arguments after `explain`
 * @returns     the exit code. 0: the request would pass. 1: it would not. 2: the command was not understood, or the
 *              configuration or the claims cannot be read
 */
export async function explain(
  args: readonly string[],
  out: Output,
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  try {
    const asked = readArguments(args)
    const loaded = await loadSettings(asked.config, env)
    if (!loaded.ok) {
      out.write(formatProblems(loaded.problems))
      return 2
    }
    const raw = asked.claims === null ? null : claimsOf(await readClaims(asked.claims), null)
    const { permitted, lines } = decisionOf(asked, raw, loaded)
    out.write(`${lines.join('\n')}\n`)
    return permitted ? 0 : 1
  } catch (error) {
    if (!(error instanceof NotUnderstood)) throw error
    out.write(error.message)
    return 2
  }
}

/** The message is for the terminal, with its line break. */
class NotUnderstood extends Error {}

interface AskedUrl {
  readonly host: string
  /** As a browser sends it: raw path and query, what is not ASCII escaped. */
  readonly target: string
}

interface Asked {
  /** Null: only what the claims become is asked. */
  readonly url: AskedUrl | null
  readonly config: string
  readonly claims: string | null
  readonly idp: string | null
  readonly subject: string | null
  readonly method: string
  /** Empty: unknown. */
  readonly address: string
}

function readArguments(args: readonly string[]): Asked {
  const { values, positionals } = parsedArguments(args)
  if (values.help === true) throw new NotUnderstood(usage)
  const { address, claims } = values
  if (positionals.length > 1 || (positionals.length === 0 && claims === undefined)) throw new NotUnderstood(usage)
  if (address !== undefined && isIP(address) === 0) throw new NotUnderstood(`--address ${address} is no IP address\n`)
  return {
    url: positionals[0] === undefined ? null : readUrl(positionals[0]),
    config: values.config ?? 'config/passerelle.yaml',
    claims: claims ?? null,
    idp: values.idp ?? null,
    subject: values.subject ?? null,
    method: values.method ?? 'GET',
    address: address ?? '',
  }
}

/** Not by a URL parser, which would resolve dots and turn backslashes: the path is judged as it is written. */
function readUrl(url: string): AskedUrl {
  const [, host, rest] = /^https?:\/\/([^/?#]+)([^#]*)/i.exec(url) ?? []
  if (host === undefined || rest === undefined) {
    throw new NotUnderstood(`"${url}" is no address such as https://courses.example.org/page\n\n${usage}`)
  }
  const target = rest.startsWith('/') ? rest : `/${rest}`
  return { host, target: target.replace(/[^\0-\x7f]+/g, text => encodeURIComponent(text.toWellFormed())) }
}

function parsedArguments(args: readonly string[]) {
  const text = { type: 'string' } as const
  const options = { claims: text, config: text, idp: text, subject: text, method: text, address: text }
  const help = { type: 'boolean', short: 'h' } as const
  try {
    return parseArgs({ args: [...args], options: { ...options, help }, allowPositionals: true })
  } catch (error) {
    throw new NotUnderstood(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
  }
}

async function readClaims(file: string): Promise<Readonly<Record<string, unknown>>> {
  let claims: unknown
  try {
    claims = JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new NotUnderstood(
      `${file} cannot be read as JSON: ${error instanceof Error ? error.message : String(error)}\n`,
    )
  }
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) {
    throw new NotUnderstood(
      `${file} must be a JSON object: { "email": "anna@example.org", "affiliation": ["staff"] }\n`,
    )
  }
  return { ...claims }
}

function decisionOf(asked: Asked, raw: Claims | null, loaded: Valid) {
  const { settings } = loaded
  const idp = idpOf(asked, settings)
  const dropped = new Map<string | null, number>()
  const understanding = createUnderstanding({
    claims: settings.claims,
    named: namedIdps(settings.idps),
    asserts: new Map(settings.idps.map(({ id, asserts }) => [id, asserts])),
    report: event => {
      if (event.name === 'claim.disbelieved') dropped.set(event.claim, event.values)
    },
  })
  const made = raw === null ? null : understanding.understood(raw, idp)
  const session = raw === null || made === null ? null : sessionOf(asked, raw, made.claims, idp)
  const told = raw === null || made === null ? [] : claimLines({ raw, ...made, idp, dropped }, settings)
  if (asked.url === null) return { permitted: true, lines: told }
  const judged = placeOf(asked.url, asked.method, settings)
  if (typeof judged === 'string') return { permitted: false, lines: [...told, judged] }
  const place = judged.kind === 'resource' ? judged : judged.place
  const context = { method: asked.method, address: asked.address }
  const positions = positionsOf(place, loaded)
  const { decision, lines } = explainPolicy({ ...place, context }, session, positions)
  const logout = judged.kind === 'site-logout' ? [logoutLine(place)] : []
  return { permitted: decision.effect === 'permit', lines: [...told, ...lines, ...logout] }
}

/** Beside the decision, which holds for those who are not signed in, and for whether the site hears of it. */
function logoutLine({ resource }: ResourcePlace): string {
  const { means } = resource.logout
  return `logout     ${means.padEnd(19)}(pressed on a page of the site, this link ${meanings[means]})`
}

const meanings = {
  global: 'signs out of everything',
  local: 'closes this site only',
  ask: 'asks what to close',
} as const

function idpOf(asked: Asked, { idps }: Settings): string {
  const idp = asked.idp ?? idps[0]?.id ?? ''
  if (!idps.some(({ id }) => id === idp)) {
    throw new NotUnderstood(`--idp ${idp} is none of the identity providers: ${idps.map(({ id }) => id).join(', ')}\n`)
  }
  return idp
}

function sessionOf(asked: Asked, raw: Claims, claims: Claims, idp: string): Session {
  const strength = { acr: null, amr: [] }
  const subject = asked.subject ?? (Object.hasOwn(raw, 'sub') ? raw.sub?.[0] : null) ?? ''
  return {
    id: '',
    identity: { idp, subject, claims, authenticatedAt: 0, strength, idpSession: null },
    generation: 0,
    strength,
    device: 'own',
    createdAt: 0,
    absoluteEnd: Number.POSITIVE_INFINITY,
    left: [],
  }
}

type Judged = Extract<Place, { kind: 'resource' | 'site-logout' }>

/** A sentence where there is nothing to judge. */
function placeOf({ host, target }: AskedUrl, method: string, settings: Settings): Judged | string {
  const locate = createLocate({ portal: publicAddressOf(settings.portal), resources: resourcesOf(settings) })
  try {
    const place = locate(targetOf(host, target), method)
    switch (place.kind) {
      case 'resource':
      case 'site-logout':
        return place
      case 'redirect':
        return `redirect   to ${place.to}, where ${place.resource.id} is mounted`
      case 'ours':
        return 'ours       below /.passerelle/ the gateway answers itself; no policy applies'
      case 'portal':
        return 'ours       this is the portal; no policy applies'
      case 'unknown':
        return `unknown    no resource of the configuration is at ${place.hostname} with this path`
    }
  } catch (error) {
    if (error instanceof GatewayError) return `refused    ${error.status} ${error.code}: ${error.message}`
    throw error
  }
}

function resourcesOf({ resources, policies }: Settings): readonly Resource[] {
  return buildResources(resources, {
    accessOf: createAccessOf(policies),
    identityHeadersOf: ({ identity }) => compileIdentityHeaders(identity),
  })
}

function positionsOf({ resource, access }: ResourcePlace, { settings, position }: Valid): Positions {
  const index = settings.resources.findIndex(({ id }) => id === resource.id)
  const at = ['resources', index]
  const path = pathOf(access, settings.resources[index]?.paths ?? [])
  const named = Object.hasOwn(settings.policies, access.policy.name)
  const key = path === null ? [...at, 'policy'] : [...at, 'paths', path, 'policy']
  return {
    resource: position(at),
    path: path === null ? null : position([...at, 'paths', path, 'match']),
    policy: position(named ? ['policies', access.policy.name] : key),
  }
}

/** Settings say that no two rules have one prefix and one method in common. */
function pathOf(access: Access, paths: Settings['resources'][number]['paths']): number | null {
  const methods = 'methods' in access ? access.methods : null
  const index = paths.findIndex(path => path.match === access.match && path.methods === methods)
  return index < 0 ? null : index
}

interface Told extends Understood {
  readonly raw: Claims
  readonly idp: string
  /** How many values the idp may not assert, by claim. */
  readonly dropped: ReadonlyMap<string | null, number>
}

/** What the identity provider says, then what `claims:` and `asserts:` made of it. */
function claimLines({ raw, claims: mapped, candidates, idp, dropped }: Told, { claims }: Settings): readonly string[] {
  const said = Object.entries(raw).map(([name, values]) => `raw        ${printable(name)} = ${list(values)}`)
  const made = Object.entries(claims).map(([name, { from }]) => {
    const sources = from.filter(source => Object.hasOwn(raw, source))
    const origin = sources.length === 0 ? `none of ${from.join(', ')}` : `from ${sources.join(', ')}`
    const more = dropped.has(name) ? `; not believed of ${idp}: ${dropped.get(name)}` : ''
    const among = candidates?.[name]
    const choice = among === undefined ? '' : `; until the person chooses, the first of ${list(among)}`
    return `claim      ${`${name} = ${list(mapped[name] ?? [])} `.padEnd(35)}(${origin}${more}${choice})`
  })
  // What `claims` reads is told there.
  const read = new Set(Object.entries(claims).flatMap(([name, { from }]) => [name, ...from]))
  const kept = (name: string) => (Object.hasOwn(mapped, name) ? (mapped[name]?.length ?? 0) : 0)
  const gone = Object.keys(raw).filter(name => !read.has(name) && kept(name) < (raw[name]?.length ?? 0))
  const notBelieved = gone.length === 0 ? [] : [`dropped    ${gone.map(printable).join(', ')} (not believed of ${idp})`]
  return [...said, ...made, ...notBelieved]
}

const mostShown = 20

function list(values: readonly string[]): string {
  const shown = values.slice(0, mostShown).map(printable)
  const more = values.length > mostShown ? `, … ${values.length - mostShown} more` : ''
  return `[${shown.join(', ')}${more}]`
}
