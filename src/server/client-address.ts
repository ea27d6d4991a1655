/**
 * Who asks: the socket's peer, or, where that is a proxy that the operator trusts, the last address in X-Forwarded-For that
 * no trusted proxy wrote. What stands before it anybody may have written.
 */
import { BlockList, isIP } from 'node:net'

export type ClientAddress = (peer: string | undefined, forwardedFor: string | undefined) => string

/** @param trusted addresses and networks */
export function createClientAddress(trusted: readonly string[]): ClientAddress {
  const networks = new BlockList()
  for (const network of trusted) {
    const [address = '', bits] = network.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) networks.addAddress(address, family)
    else networks.addSubnet(address, Number(bits), family)
  }
  const isTrusted = (address: string) =>
    isIP(address) !== 0 && networks.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

  return function clientAddress(peer, forwardedFor) {
    let client = plain(peer ?? '')
    if (trusted.length === 0 || forwardedFor === undefined) return client
    for (const said of forwardedFor.split(',').toReversed()) {
      if (!isTrusted(client)) return client
      const address = plain(said.trim())
      if (isIP(address) === 0) return client
      client = address
    }
    return client
  }
}

/** An IPv4 peer on a dual-stack socket. */
function plain(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}
