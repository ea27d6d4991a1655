/**
 * Where the gateway never connects, whatever is configured (SESSIONS B 15): networks that no site or idp lives in but
 * metadata services do, and our own listeners, which would let a request in again from inside.
 */
import { BlockList, isIP } from 'node:net'
import { networkInterfaces } from 'node:os'

/** `host` is an address, a wildcard (`0.0.0.0`, `::`), or `localhost`. */
export interface Listener {
  readonly host: string
  readonly port: number
}

const refusedV4 = [
  ['0.0.0.0', 8], // "this network": connects to ourselves on Linux
  ['169.254.0.0', 16], // link-local, where clouds keep their metadata service
  ['224.0.0.0', 4], // multicast
  ['255.255.255.255', 32],
  // Metadata services outside link-local: Alibaba, Azure, Oracle.
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
  ['192.0.0.192', 32],
] as const

const refusedV6 = [
  ['::', 128],
  ['fe80::', 10], // link-local
  ['ff00::', 8], // multicast
  ['fd00:ec2::254', 128], // metadata service of AWS
] as const

// An IPv4 address can hide inside an IPv6 one: mapped (BlockList knows that form itself), NAT64 (RFC 6052 §2.1),
// IPv4-compatible (RFC 4291 §2.5.5.1) and 6to4 (RFC 3056 §2). The bits before it, as colon groups and a length.
const embeddings = [
  { before: '64:ff9b::', bits: 96 },
  { before: '::', bits: 96 },
] as const

const refused = new BlockList()
for (const [network, prefix] of refusedV6) refused.addSubnet(network, prefix, 'ipv6')
for (const [network, prefix] of refusedV4) {
  refused.addSubnet(network, prefix, 'ipv4')
  for (const { before, bits } of embeddings) {
    // ::1 is loopback, not an embedded 0.0.0.1, so 0/8 is left out of the IPv4-compatible form.
    if (before === '::' && network === '0.0.0.0') continue
    refused.addSubnet(`${before}${network}`, bits + prefix, 'ipv6')
  }
  refused.addSubnet(`2002:${hexGroups(network)}::`, 16 + prefix, 'ipv6')
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** An address in a network that is never reached. What is no address at all is refused too. */
export function isRefusedNetwork(address: string): boolean {
  return checked(refused, address) ?? true
}

/**
 * The connection would end at one of our own listeners.
 *
 * @param address the address that was connected to, not a name
 */
export function isOwnListener(address: string, port: number, listeners: readonly Listener[]): boolean {
  return listeners.some(listener => {
    if (listener.port !== port) return false
    switch (listener.host) {
      case '0.0.0.0':
      case '::':
      case '':
        return isOurs(address)
      case 'localhost':
        return checked(loopback, address) === true
      default:
        return sameAddress(listener.host, address)
    }
  })
}

function isOurs(address: string): boolean {
  if (checked(loopback, address) === true) return true
  return Object.values(networkInterfaces()).some(list => list?.some(own => sameAddress(own.address, address)))
}

function sameAddress(a: string, b: string): boolean {
  if (isIP(a) === 0) return false
  const one = new BlockList()
  one.addAddress(withoutScope(a), isIP(a) === 6 ? 'ipv6' : 'ipv4')
  return checked(one, b) === true
}

/** Null: not an address. A scope (`fe80::1%eth0`) says nothing about the network. */
function checked(list: BlockList, address: string): boolean | null {
  const bare = withoutScope(address)
  switch (isIP(bare)) {
    case 4:
      return list.check(bare, 'ipv4')
    case 6:
      return list.check(bare, 'ipv6')
    default:
      return null
  }
}

function withoutScope(address: string): string {
  const scope = address.indexOf('%')
  return scope === -1 ? address : address.slice(0, scope)
}

function hexGroups(v4: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = v4.split('.').map(Number)
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
}
