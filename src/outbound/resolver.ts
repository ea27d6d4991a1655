/**
 * From a name to addresses. `localhost` and everything under it is loopback (RFC 6761 §6.3), which the C library of
 * some systems does not know, Debian's among them.
 */
import { lookup as systemLookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { GatewayError } from '../errors.ts'
import { isRefusedNetwork } from './refused.ts'

const loopbackAddresses = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
] as const

function isLoopbackName(hostname: string): boolean {
  const name = hostname.toLowerCase().replace(/\.$/, '')
  return name === 'localhost' || name.endsWith('.localhost')
}

/**
 * A `lookup` for node's sockets. Addresses that are never reached are left out, so that not even a first packet goes
 * there; the connector looks again at what the socket really reached, since literal addresses never come here.
 */
export const lookup: LookupFunction = (hostname, options, callback) => {
  const { all: wantsAll, ...rest } = options
  const answer = (found: readonly { readonly address: string; readonly family: number }[]): void => {
    const reachable = found.filter(({ address }) => !isRefusedNetwork(address))
    const [first] = reachable
    if (first === undefined) {
      const detail = `${hostname} leads to ${found.map(({ address }) => address).join(', ') || 'no address'}`
      callback(new GatewayError('origin.refused-address', detail), [])
    } else if (wantsAll) {
      callback(null, [...reachable])
    } else {
      callback(null, first.address, first.family)
    }
  }

  if (isLoopbackName(hostname)) {
    const family = familyOf(rest.family)
    const fitting = loopbackAddresses.filter(entry => family === 0 || entry.family === family)
    // As the system's resolver would: never in the same turn as the call.
    process.nextTick(answer, fitting)
    return
  }
  systemLookup(hostname, { ...rest, all: true }, (error, addresses) => {
    if (error) callback(error, [])
    else answer(addresses)
  })
}

function familyOf(family: number | 'IPv4' | 'IPv6' | undefined): 0 | 4 | 6 {
  if (family === 4 || family === 'IPv4') return 4
  if (family === 6 || family === 'IPv6') return 6
  return 0
}
