/** What a session remembers of the browser, for the person's own page: its family and its network, never more. */
import type { PortalRequest } from '../model/exchange.ts'

const families: readonly (readonly [RegExp, string])[] = [
  [/\bEdgA?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(Chrome|CriOS|Chromium)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
]

export function browserOf({ userAgent, address }: Pick<PortalRequest, 'userAgent' | 'address'>): {
  family: string
  network: string
} {
  const family = families.find(([pattern]) => pattern.test(userAgent))?.[1] ?? 'other'
  return { family, network: networkOf(address) }
}

/** /24 of an IPv4 address, /48 of an IPv6 one. */
function networkOf(address: string): string {
  if (!address.includes(':')) return `${address.split('.').slice(0, 3).join('.')}.0/24`
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  // The first three groups are the network; a `::` before them stands for zeros.
  const filled = tail === undefined ? groups : [...groups, ...Array<string>(8 - groups.length).fill('0')]
  return `${filled.slice(0, 3).join(':')}::/48`
}
