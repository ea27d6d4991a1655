/**
 * Failed tries at access codes (docs/sessions.md B 16, 17). One network that tries one code has a small share, so that a guest who
 * mistypes waits and nobody else does: a school behind one address does not lock its pupils out. All tries of one network, and
 * all at one code, have larger ones. It refuses tries only: no session ends by it.
 */
import { isIPv4 } from 'node:net'
import { Meter } from './meter.ts'
import { shareOf } from './share.ts'

const perMinutes = 15
const ofNetworkAndCode = 5
const ofNetwork = 100
const ofCode = 100
const mostKeys = 20_000

/** @param now milliseconds, never stepping back */
export function createCodeFailures(now: () => number) {
  const both = meter(ofNetworkAndCode)
  const networks = meter(ofNetwork)
  const codes = meter(ofCode)

  return {
    /** Milliseconds until another try is heard; 0: now. */
    wait(selector: string, address: string): number {
      const at = now()
      const network = networkOf(address)
      return Math.max(
        both.wait(`${network} ${selector}`, at),
        networks.wait(network, at),
        selector === '' ? 0 : codes.wait(selector, at),
      )
    },

    count(selector: string, address: string): void {
      const at = now()
      const network = networkOf(address)
      both.count(`${network} ${selector}`, at)
      networks.count(network, at)
      // What is no code at all is nobody's.
      if (selector !== '') codes.count(selector, at)
    },

    /** What was counted was no failure. */
    forgive(selector: string, address: string): void {
      const network = networkOf(address)
      both.takeBack(`${network} ${selector}`)
      networks.takeBack(network)
      if (selector !== '') codes.takeBack(selector)
    },
  }
}

function meter(failures: number): Meter {
  return new Meter({ perMinute: failures / perMinutes, atOnce: failures, mostKeys })
}

/** /24 of IPv4, /64 of IPv6. */
function networkOf(address: string): string {
  const share = shareOf(address)
  return isIPv4(share) ? `${share.split('.').slice(0, 3).join('.')}.0/24` : share
}
