/**
 * What people who are not signed in yet make us store: sign-ins that begin, and the page state of a browser that we have
 * not seen (SESSIONS B 8). Each is small and short-lived, but a thousand a second would be gigabytes: so each address has
 * its share, and all of them together no more than the store can bear.
 */
import { GatewayError } from '../errors.ts'
import { isLoopback } from '../setting/network.ts'
import { Meter } from './meter.ts'
import { shareOf } from './share.ts'

export type AnonymousWrite = 'sign-in' | 'page-state'

/** A school, whose people all come from one address, stays below this. */
const perAddress = 600
/** A hundred a second, and what half a minute of them would be at once: the first hour of a term, a power cut that is over. */
const ofAll = { perMinute: 6_000, atOnce: 3_000 }
/** About 2 MB. Whoever has more addresses than this meets the limit of all. */
const mostAddresses = 20_000
/** Seconds: one would be taken by the next who asks at that moment. */
const shortestWait = 5

/**
 * Counts one, unless that is one too many.
 *
 * @param address the client's
 * @returns null: it may be written. `login.too-many`: this address had its share; `login.busy`: all together had theirs.
 *          Either with the time to wait, and nothing is counted
 */
export type AdmitWrite = (write: AnonymousWrite, address: string) => GatewayError | null

/** @param now milliseconds, never stepping back */
export function createAnonymousWrites(now: () => number): AdmitWrite {
  const byAddress: Record<AnonymousWrite, Meter> = {
    'sign-in': new Meter({ perMinute: perAddress, mostKeys: mostAddresses }),
    'page-state': new Meter({ perMinute: perAddress, mostKeys: mostAddresses }),
  }
  const all = new Meter({ ...ofAll, mostKeys: 1 })

  return function admitWrite(write, address) {
    const at = now()
    const share = shareOf(address)
    // This machine's own address is nobody's: behind a proxy here that is not trusted it would be everybody's.
    const counted = isLoopback(address) ? null : byAddress[write]
    const wait = counted?.wait(share, at) ?? 0
    if (wait > 0) {
      return new GatewayError('login.too-many', `more than ${perAddress} a minute from ${share} (${write})`, {
        hint: 'If many readers share this address, a proxy in front of the gateway may be missing in listen.trustedProxies.',
        retryAfterS: seconds(wait),
      })
    }
    const waitOfAll = all.wait('', at)
    if (waitOfAll > 0) {
      return new GatewayError('login.busy', `more than ${ofAll.perMinute} a minute from all addresses (${write})`, {
        hint: 'A flood of requests, or more people than one process should take: keep a flood out in front of the gateway, or add a replica.',
        retryAfterS: seconds(waitOfAll),
      })
    }
    counted?.count(share, at)
    all.count('', at)
    return null
  }
}

function seconds(ms: number): number {
  return Math.max(shortestWait, Math.ceil(ms / 1000))
}
