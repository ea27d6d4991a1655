/** Networks of rules: `192.0.2.0/24`, `2001:db8::/32`, `192.0.2.7`. An IPv4 address in IPv6 clothes is the same address. */
import { BlockList, isIP } from 'node:net'

/**
 * @returns true and false for addresses inside and outside; null for what is no address, which must satisfy no condition
 * @throws Error one of the networks is none: the configuration was checked before
 */
export function compileNetworks(networks: readonly string[]): (address: string) => boolean | null {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', length] = network.split('/')
    const family = familyOf(address)
    if (family === null) throw new Error(`not a network: ${network}`)
    if (length === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(length), family)
  }
  return function contains(address) {
    const family = familyOf(address)
    return family === null ? null : list.check(address, family)
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' | null {
  const version = isIP(address)
  if (version === 4) return 'ipv4'
  return version === 6 ? 'ipv6' : null
}
