/**
 * Failed tries at access codes (docs/sessions.md B 16, 17), counted in the store and so by all processes together. One network that
 * tries one code has a small share, so that a guest who mistypes waits and nobody else does: a school behind one address does not lock
 * its pupils out. All tries of one network, and all at one code, have larger ones; that of a network which the configuration names is as
 * large as it says. It refuses tries only: no session ends by it.
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net'
import type { Rate } from '../model/store.ts'
import type { NamedNetwork } from './settings.ts'
import { shareOf } from './share.ts'

const withinMs = 15 * 60_000
const ofNetworkAndCode = 5
const ofNetwork = 100
const ofCode = 100

export interface CodeFailuresParts {
  /** @throws GatewayError `session.store-down`: a try that cannot be counted is not heard */
  readonly meter: (name: string, rate: Rate, many: -1 | 0 | 1) => Promise<number>
  /** As they are now: a reload may change them. */
  readonly networks: () => readonly NamedNetwork[]
}

type Share = readonly [name: string, rate: Rate]

export function createCodeFailures({ meter, networks }: CodeFailuresParts) {
  let compiled: { readonly of: readonly NamedNetwork[]; readonly named: ReturnType<typeof compile> } | null = null

  return {
    /** Milliseconds until another try is heard; 0: now. */
    async wait(selector: string, address: string): Promise<number> {
      return Math.max(...(await Promise.all(shares(selector, address).map(([name, rate]) => meter(name, rate, 0)))))
    },

    /** Counts one in each share, or in none. Milliseconds until another try is heard; 0: it is counted. */
    async count(selector: string, address: string): Promise<number> {
      const counted: Share[] = []
      for (const share of shares(selector, address)) {
        const waitMs = await meter(...share, 1)
        if (waitMs > 0) {
          await Promise.all(counted.map(([name, rate]) => meter(name, rate, -1)))
          return waitMs
        }
        counted.push(share)
      }
      return 0
    },

    /** What was counted was no failure. */
    async forgive(selector: string, address: string): Promise<void> {
      await Promise.all(shares(selector, address).map(([name, rate]) => meter(name, rate, -1)))
    },
  }

  /** The one that most tries exhaust stands first. */
  function shares(selector: string, address: string): readonly Share[] {
    const network = networkOf(address)
    const named = namedAt(address)
    return [
      [`code ${network} ${selector}`, rateOf(ofNetworkAndCode)],
      named === null
        ? [`network ${network}`, rateOf(ofNetwork)]
        : [`networks ${named.address.join(' ')}`, rateOf(named.failedCodes)],
      // What is no code at all is nobody's.
      ...(selector === '' ? [] : [[`code ${selector}`, rateOf(ofCode)] as const]),
    ]
  }

  function namedAt(address: string): NamedNetwork | null {
    const all = networks()
    if (compiled?.of !== all) compiled = { of: all, named: compile(all) }
    return compiled.named(address)
  }
}

/** The first that has the address; null: none of them. */
function compile(networks: readonly NamedNetwork[]): (address: string) => NamedNetwork | null {
  const lists = networks.map(named => {
    const list = new BlockList()
    for (const network of named.address) {
      const [address = '', length] = network.split('/')
      list.addSubnet(address, Number(length), isIPv6(address) ? 'ipv6' : 'ipv4')
    }
    return { named, list }
  })
  return address => {
    const [plain = ''] = address.split('%', 1)
    const family = isIPv6(plain) ? 'ipv6' : isIPv4(plain) ? 'ipv4' : null
    if (family === null) return null
    return lists.find(({ list }) => list.check(plain, family))?.named ?? null
  }
}

function rateOf(failures: number): Rate {
  return { stepMs: Math.round(withinMs / failures), atOnce: failures }
}

/** /24 of IPv4, /64 of IPv6. */
function networkOf(address: string): string {
  const share = shareOf(address)
  return isIPv4(share) ? `${share.split('.').slice(0, 3).join('.')}.0/24` : share
}
