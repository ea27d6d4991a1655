/** What a session remembers of the browser, for the person's own page: its family, its system and its network, never more. */
import type { PortalRequest } from '../model/exchange.ts'
import type { BrowserMemory } from '../session/record.ts'

const families: readonly (readonly [RegExp, string])[] = [
  [/\bEdgA?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(Chrome|CriOS|Chromium)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
]

/** In this order: an Android says Linux too, and an iPhone Mac OS X. */
const systems: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
]

export function browserOf({ userAgent, address }: Pick<PortalRequest, 'userAgent' | 'address'>): BrowserMemory {
  const told = (names: typeof families) => names.find(([pattern]) => pattern.test(userAgent))?.[1] ?? null
  const system = told(systems)
  return { family: told(families) ?? 'other', network: networkOf(address), ...(system === null ? {} : { system }) }
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
