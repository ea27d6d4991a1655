/**
 * The frames of the last page: one for each visited host, in which the browser forgets what it holds of it (SESSIONS A8, 4a).
 */
import type { Resource } from '../model/resource.ts'

export interface Leave {
  /** What the frames show. */
  readonly addresses: readonly string[]
  /** For `frame-src`, which names these and no other. */
  readonly origins: readonly string[]
}

const mostHosts = 50
/** Bytes of their origins in the header: a proxy's buffer in front of us may hold 4 KB of headers in all. */
const longestList = 2_400

/** @param visited in the order in which they are left, should they be too many */
export function leaveOf(visited: readonly Resource[]): Leave {
  const origins: string[] = []
  let bytes = 0
  for (const { at } of visited) {
    if (origins.includes(at.origin)) continue
    bytes += at.origin.length + 1
    if (origins.length === mostHosts || bytes > longestList) break
    origins.push(at.origin)
  }
  // Without the reference of the page: whatever answers there need not know what it opens.
  return { origins, addresses: origins.map(origin => `${origin}/.passerelle/leave`) }
}
