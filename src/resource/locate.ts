/**
 * From a target to a Place, by tables that are built once (SESSIONS A9). A host with one verdict for all its paths gets
 * them forwarded untouched; where rules, mounted resources or a site's own logout link make several verdicts possible, a path
 * must have one reading (reading.ts), and that reading is what prefixes are compared with.
 */
import { GatewayError } from '../errors.ts'
import type { Locate, Place, ResourcePlace, Target } from '../model/place.ts'
import type { PathRule, PublicAddress, Resource } from '../model/resource.ts'
import type { Scope } from '../model/session.ts'
import { indulgentReading, onlyReading } from './reading.ts'

export interface LocateOptions {
  readonly portal: PublicAddress
  readonly resources: readonly Resource[]
}

/**
 * @throws Error two resources have one address, or one has the portal's: the configuration was checked before
 */
export function createLocate({ portal, resources }: LocateOptions): Locate {
  const sites = new Map<string, Site>()
  for (const [hostname, sharing] of Map.groupBy(resources, resource => resource.at.hostname)) {
    sites.set(hostname, siteOf(sharing))
  }
  if (sites.has(portal.hostname)) throw new Error(`a resource has the portal's host ${portal.hostname}`)

  return function locate(target, method) {
    const site = sites.get(target.hostname)
    if (site === undefined) {
      return target.hostname === portal.hostname ? { kind: 'portal' } : { kind: 'unknown', hostname: target.hostname }
    }
    if (isOurs(target.path)) {
      return { kind: 'ours', resource: site.first.resource, path: target.path, query: target.query }
    }
    if (site.strict) return judge(site, target, method)
    const { resource, scope } = site.first
    return {
      kind: 'resource',
      resource,
      access: resource.access,
      path: target.path,
      forwardPath: target.raw,
      scope: resource.access.policy.kind === 'public' ? null : scope,
    }
  }
}

/** One host name and all that is mounted on it. */
interface Site {
  /** More than one verdict is possible. */
  readonly strict: boolean
  /** Not everything belongs to one resource. */
  readonly mounted: boolean
  /** One of its origins reads paths without regard to case. */
  readonly folds: boolean
  /** Longest prefix first. */
  readonly mounts: readonly Mount[]
  readonly first: Mount
}

interface Mount {
  readonly resource: Resource
  readonly scope: Scope
  /** The public prefix: plain ASCII without escapes, so it is spelled as it reads. */
  readonly prefix: string
  readonly indulgent: string
  readonly rules: readonly CompiledRule[]
  readonly logout: readonly Prefix[]
}

/** As a path reads, and as an indulgent server may read it. */
interface Prefix {
  readonly prefix: string
  readonly indulgent: string
}

interface CompiledRule extends Prefix {
  readonly rule: PathRule
  /** Null: any. */
  readonly methods: ReadonlySet<string> | null
}

function siteOf(sharing: readonly Resource[]): Site {
  const folds = sharing.some(resource => resource.caseInsensitive)
  const mounts = sharing.map(resource => mountOf(resource, folds)).sort((a, b) => b.prefix.length - a.prefix.length)
  const first = mounts[0] as Mount
  if (new Set(mounts.map(mount => mount.prefix)).size < mounts.length) {
    throw new Error(`two resources have one address on ${first.resource.at.hostname}`)
  }
  const { at, origin, paths, logout } = first.resource
  const mounted = mounts.length > 1 || at.prefix !== '/'
  // Below a prefix of the origin's, dots would climb out of what was opened.
  const strict = mounted || paths.length > 0 || logout.intercept.length > 0 || origin.prefix !== '/'
  return { strict, mounted, folds, mounts, first }
}

function mountOf(resource: Resource, folds: boolean): Mount {
  const { hostname, prefix } = resource.at
  return {
    resource,
    scope: `host:${hostname}`,
    prefix,
    indulgent: indulgentReading(prefix, folds),
    rules: resource.paths.map(rule => compileRule(rule, resource.caseInsensitive)),
    logout: resource.logout.intercept.map(path => compileLogout(path, resource.caseInsensitive)),
  }
}

function compileRule(rule: PathRule, folds: boolean): CompiledRule {
  const { match } = rule
  const methods = rule.methods === null ? null : new Set(rule.methods)
  if (methods?.has('GET')) methods.add('HEAD')
  return { rule, prefix: folds ? match.toLowerCase() : match, indulgent: indulgentReading(match, folds), methods }
}

/** By whole segments: `/logout.php` is itself and what stands below it, as PHP reads it, and never `/logout.phpx`. */
function compileLogout(path: string, folds: boolean): Prefix {
  const folder = path.endsWith('/') ? path : `${path}/`
  return { prefix: folds ? folder.toLowerCase() : folder, indulgent: indulgentReading(folder, folds) }
}

function judge(site: Site, target: Target, method: string): Place {
  const reading = onlyReading(target)
  const mount = site.mounts.find(({ prefix }) => covers(prefix, reading))
  if (site.mounted && (site.folds || !target.plain)) {
    const indulgent = indulgentReading(reading, site.folds)
    if (site.mounts.find(other => covers(other.indulgent, indulgent)) !== mount) throw ambiguous('the same resource')
  }
  if (mount === undefined) return { kind: 'unknown', hostname: target.hostname }

  const { resource, prefix } = mount
  if (reading.length < prefix.length) {
    return { kind: 'redirect', resource, to: `${resource.at.origin}${prefix}${target.query}` }
  }
  // What is cut off must be what was compared; an escape inside the prefix is spelled otherwise.
  if (!target.path.startsWith(prefix)) throw ambiguous('a mounted prefix in its own spelling')

  const path = resource.caseInsensitive ? reading.toLowerCase() : reading
  const rule = ruleFor(mount, path, 'prefix', method)
  const isLogout = mount.logout.some(one => covers(one.prefix, path))
  if (!target.plain) {
    const indulgent = indulgentReading(reading, resource.caseInsensitive)
    if (ruleFor(mount, indulgent, 'indulgent', method) !== rule) throw ambiguous('the same rule')
    const maybeLogout = mount.logout.some(one => covers(one.indulgent, indulgent))
    if (maybeLogout !== isLogout) throw ambiguous('the site’s logout link, or anything else,')
  }
  const access = rule === null ? resource.access : rule.rule
  const place: ResourcePlace = {
    kind: 'resource',
    resource,
    access,
    path,
    forwardPath: `${resource.origin.prefix}${target.raw.slice(prefix.length)}`,
    scope: access.policy.kind === 'public' ? null : mount.scope,
  }
  return isLogout ? { kind: 'site-logout', place } : place
}

/** The first that covers the path and admits the method; they stand longest prefix first. */
function ruleFor(mount: Mount, path: string, form: 'prefix' | 'indulgent', method: string): CompiledRule | null {
  for (const rule of mount.rules) {
    if (covers(rule[form], path) && (rule.methods === null || rule.methods.has(method))) return rule
  }
  return null
}

/** Begins so; and `/admin/` also covers `/admin`, which most servers answer with what stands behind the slash. */
function covers(prefix: string, path: string): boolean {
  return path.startsWith(prefix) || (path.length === prefix.length - 1 && prefix === `${path}/`)
}

const ours = '/.passerelle/'

/**
 * @throws GatewayError `request.ambiguous` it is ours, however often decoded and in whatever case, but spelled otherwise
 */
function isOurs(path: string): boolean {
  const second = path.charCodeAt(1)
  if (second !== 0x2e && second !== 0x25) return false
  if (path.startsWith(ours) || path === '/.passerelle') return true
  // Eight decodings of thirteen characters fit into 256; nobody decodes oftener.
  let decodedSoFar = path.slice(0, 256)
  for (let round = 0; round < 8 && decodedSoFar.includes('%'); round++) {
    decodedSoFar = decodedSoFar.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
  }
  if (!`${decodedSoFar}/`.toLowerCase().startsWith(ours)) return false
  throw new GatewayError('request.ambiguous', `another spelling of ${ours}`)
}

function ambiguous(what: string): GatewayError {
  return new GatewayError('request.ambiguous', `the path does not name ${what} in every reading`)
}
