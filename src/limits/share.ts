/** Whose share an address draws on: an IPv4 address its own, an IPv6 one that of its /64, which one household or device has. */
import { isIPv6 } from 'node:net'

/** One spelling for all that are counted together. */
export function shareOf(address: string): string {
  const [plain = ''] = address.split('%', 1)
  if (!isIPv6(plain)) return address
  const groups = groupsOf(plain)
  const [sixth = 0, high = 0, low = 0] = groups.slice(5)
  const mapped = sixth === 0xffff && groups.slice(0, 5).every(group => group === 0)
  if (mapped) return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.')
  return `${groups
    .slice(0, 4)
    .map(group => group.toString(16))
    .join(':')}::/64`
}

/** The eight numbers of an IPv6 address, however it is spelled. */
function groupsOf(address: string): readonly number[] {
  // The URL parser writes every spelling of an address in one way (RFC 5952).
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const numbers = (part: string) => (part === '' ? [] : part.split(':').map(group => Number.parseInt(group, 16)))
  const [before, after] = [numbers(head), numbers(tail ?? '')]
  return tail === undefined ? before : [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
}
