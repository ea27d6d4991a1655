/**
 * A cache in front of the gateway, for everybody, that keeps what it may (RFC 9111 §3) and, as many do, whatever looks like a
 * file. It keys on the address alone and does not read Vary: what it may keep must be good for anybody.
 */
import type { Browser } from './browser-client.ts'
import type { Reply } from './browser-reply.ts'

export interface SharedCache {
  /** From the cache if it is there, else by this browser's own request. */
  readonly ask: (browser: Browser, url: string) => Promise<Reply>
  /** Addresses that are kept. */
  readonly kept: () => readonly string[]
}

export function startSharedCache(): SharedCache {
  const kept = new Map<string, Reply>()
  return {
    kept: () => [...kept.keys()],
    async ask(browser, url) {
      const found = kept.get(url)
      if (found !== undefined) return found
      const reply = await browser.navigate(url, { follow: false })
      if (mayKeep(reply, url)) kept.set(url, reply)
      return reply
    },
  }
}

function mayKeep(reply: Reply, url: string): boolean {
  // What is written for caches in front has the first word (RFC 9213 §2.2, and those before it).
  if (['surrogate-control', 'cdn-cache-control', 'x-accel-expires'].some(name => reply.header(name) !== null))
    return true
  const directives = (reply.header('cache-control') ?? '')
    .toLowerCase()
    .split(',')
    .map(directive => directive.trim())
  if (directives.some(directive => directive === 'no-store' || directive === 'private')) return false
  const fresh = directives.some(directive => /^(public|s-maxage=|max-age=)/.test(directive))
  const byDefault = [200, 301, 308, 404, 410].includes(reply.status)
  return fresh || reply.header('expires') !== null || (byDefault && /\.(css|js|png|svg)$/.test(url))
}
