/** From the settings of resources to resources: everything that a request needs, made at start. */
import type { Access, IdentityHeaders, OriginAddress, PathRule, PublicAddress, Resource } from '../model/resource.ts'
import type { ResourceSettings } from './settings.ts'

/** What this file reads of a resource's settings; policy/ and proxy/ declare the rest of it, and build it themselves. */
export interface BuildableSettings extends ResourceSettings {
  readonly cookies: { readonly domain: Resource['cookieDomain'] }
  readonly host: Resource['hostHeader']
  /** Milliseconds. */
  readonly timeouts: { readonly connect: number; readonly answer: number; readonly idle: number }
}

export interface BuiltAccess {
  readonly access: Access
  readonly paths: readonly PathRule[]
}

export interface ResourceParts<Settings> {
  /** `index`: the resource's place in the configuration, for the names of policies that have none. */
  readonly accessOf: (settings: Settings, index: number) => BuiltAccess
  readonly identityHeadersOf: (settings: Settings) => IdentityHeaders
}

export function buildResources<Settings extends BuildableSettings>(
  all: readonly Settings[],
  { accessOf, identityHeadersOf }: ResourceParts<Settings>,
): readonly Resource[] {
  return all.map((settings, index): Resource => {
    const { access, paths } = accessOf(settings, index)
    const at = publicAddressOf(settings.at)
    return {
      id: settings.id,
      title: settings.title,
      at,
      origin: originAddressOf(settings.origin),
      access,
      paths: longestFirst(paths),
      idps: settings.idps,
      defaultIdp: settings.defaultIdp,
      caseInsensitive: settings.caseInsensitive,
      serviceWorkers: settings.serviceWorkers,
      preflight: settings.preflight,
      allowOrigins: settings.allowOrigins.map(url => url.origin),
      cookieDomain: settings.cookies.domain,
      hostHeader: settings.host,
      identityHeaders: identityHeadersOf(settings),
      logout: settings.logout,
      timeouts: {
        connectMs: settings.timeouts.connect,
        answerMs: settings.timeouts.answer,
        idleMs: settings.timeouts.idle,
      },
    }
  })
}

/** For `at` and for `portal`. */
export function publicAddressOf(url: URL): PublicAddress {
  return {
    scheme: url.protocol === 'https:' ? 'https' : 'http',
    hostname: url.hostname,
    port: portOf(url),
    host: url.host,
    origin: url.origin,
    prefix: url.pathname,
  }
}

function originAddressOf(url: URL): OriginAddress {
  return {
    protocol: url.protocol === 'https:' ? 'https:' : 'http:',
    hostname: url.hostname,
    port: portOf(url),
    host: url.host,
    origin: url.origin,
    prefix: url.pathname,
  }
}

function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port)
  return url.protocol === 'https:' ? 443 : 80
}

/** Of two rules for one prefix, the one for certain methods stands first: else it would never be reached. */
function longestFirst(rules: readonly PathRule[]): readonly PathRule[] {
  return rules.toSorted(
    (a, b) => b.match.length - a.match.length || Number(a.methods === null) - Number(b.methods === null),
  )
}
