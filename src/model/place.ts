/** Where a request wants to go: what it named (Target), and what that is in our configuration (Place). SESSIONS A9. */
import type { Access, Resource } from './resource.ts'
import type { Scope } from './session.ts'

/** What a request names, read once: the Host header and the request target, both free of anything that is never accepted. */
export interface Target {
  /** Host as it came, in lower case, without a trailing dot and without the ports 80 and 443. For logs; nothing is decided on it. */
  readonly host: string
  /** Host without its port: what decides. An IPv6 address stands in brackets, in its shortest form. */
  readonly hostname: string
  /** The raw path up to `?`; begins with `/`. */
  readonly path: string
  /** Empty, or from `?` on, raw. */
  readonly query: string
  /** Path and query as they came: what is forwarded where nothing is mounted. */
  readonly raw: string
  /** The path has one reading as it stands: no `%`, no `;`, no `//`, and no segment that begins or ends with a dot. */
  readonly plain: boolean
}

export interface ResourcePlace {
  readonly kind: 'resource'
  readonly resource: Resource
  readonly access: Access
  /** The path as rules read it: decoded, and folded where the resource says so; raw on a host with one verdict. */
  readonly path: string
  /** What the origin is asked for, query included: the raw path with the origin's prefix in place of the public one. */
  readonly forwardPath: string
  /** Whose cookie opens this; null on a public path, where no cookie is read. */
  readonly scope: Scope | null
}

export type Place =
  | ResourcePlace
  /** The site's own logout link (`logout.intercept`). Where nobody is signed in it is `place`, like any other path. */
  | { readonly kind: 'site-logout'; readonly place: ResourcePlace }
  /** Below `/.passerelle/`: ours on every host, never forwarded. `resource` is any of that host. */
  | { readonly kind: 'ours'; readonly resource: Resource; readonly path: string; readonly query: string }
  /** `/intranet`, where `/intranet/` is mounted: `to` is the whole address with the slash. For 308, as any method may come. */
  | { readonly kind: 'redirect'; readonly resource: Resource; readonly to: string }
  | { readonly kind: 'portal' }
  /** No resource of ours has this host, or none on this host has this path. */
  | { readonly kind: 'unknown'; readonly hostname: string }

/**
 * @throws GatewayError `request.ambiguous` the path has several readings, and the host more than one verdict
 */
export type Locate = (target: Target, method: string) => Place

/** Bytes of an address that a person may be led to; a longer one is dropped for the site's front page (SESSIONS A2). */
export const longestTarget = 2048

/** A target that somebody asked to be led to, after sign-in. */
export interface LocatedUrl {
  readonly resource: Resource
  /** Rebuilt from the configuration's scheme and host; the only form that may stand in a Location. */
  readonly href: string
}

/** Null for every address that does not belong to a resource of ours, whatever is wrong with it; never throws. */
export type LocateUrl = (url: string) => LocatedUrl | null

/** Of path and query, the address of this resource's own logout link; null: they are none. Never throws. */
export type LocateLogout = (resource: Resource, raw: string) => string | null
