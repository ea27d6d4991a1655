/**
 * The frames of the last page: one for each visited host, in which the browser forgets what it holds of it (SESSIONS A8, 4a).
 */
import type { PublicAddress, Resource } from '../model/resource.ts'

export interface Leave {
  /** What the frames show. */
  readonly addresses: readonly string[]
  /** For `frame-src`, which names these and no other. */
  readonly origins: readonly string[]
  /** For whose hosts there was no room. */
  readonly rest: readonly Resource[]
}

const mostHosts = 50
/** Bytes of their origins in the header: a proxy's buffer in front of us may hold 4 KB of headers in all. */
const longestList = 2_400

/**
 * @param visited  in the order in which they are left, should they be too many
 * @param tokenFor what each host is shown of the end, by its name
 */
export function leaveOf(visited: readonly Resource[], tokenFor: (hostname: string) => string): Leave {
  const hosts = new Map<string, PublicAddress>()
  const rest: Resource[] = []
  let bytes = 0
  for (const resource of visited) {
    const { at } = resource
    if (hosts.has(at.origin)) continue
    const fits = hosts.size < mostHosts && bytes + at.origin.length < longestList
    // The first that does not fit is the last that is tried: nobody could say why one is left and another is not.
    if (!fits || rest.length > 0) {
      rest.push(resource)
      continue
    }
    bytes += at.origin.length + 1
    hosts.set(at.origin, at)
  }
  const addresses = Array.from(hosts.values(), at => leaveAddress(at, tokenFor(at.hostname)))
  return { origins: [...hosts.keys()], addresses, rest }
}

/** Without the reference of the page: whatever answers there need not know what it opens. */
export function leaveAddress({ origin }: PublicAddress, token: string): string {
  return `${origin}/.passerelle/leave?t=${token}`
}
