/**
 * One canonical form for every way to write a host (RFC 9110 §4.2.3, §7.2): case, one trailing dot and the port do not
 * matter. `GW.Example.edu`, `gw.example.edu.` and `gw.example.edu:443` are one host.
 */
import { GatewayError } from '../errors.ts'
import { detached } from '../model/detached.ts'

export interface Host {
  /** Lower case, no trailing dot, no port 80 or 443. */
  readonly host: string
  /** The same without any port; IPv6 in brackets, in its shortest form. */
  readonly hostname: string
}

/**
 * @throws GatewayError `request.malformed` empty, a list, with user information, or of characters that no host has
 */
export function readHost(text: string): Host {
  const known = hosts.get(text)
  if (known !== undefined) return known
  const host = parse(text)
  if (host === null) throw new GatewayError('request.malformed', 'a Host header that names no host')
  // A browser's few hosts stay here; somebody who sends a new name each time only empties it.
  if (hosts.size >= 1000) hosts.clear()
  hosts.set(detached(text), host)
  return host
}

const hosts = new Map<string, Host>()

const shape = /^(?:([a-z0-9_-]+(?:\.[a-z0-9_-]+)*)\.?|(\[[0-9a-f:.]+\]))(?::([0-9]{1,5})?)?$/i

function parse(text: string): Host | null {
  // A DNS name has at most 253 characters; nothing longer needs to be looked at.
  if (text.length > 262) return null
  const [, name, literal, port] = shape.exec(text) ?? []
  const hostname = name === undefined ? shortest(literal) : name.toLowerCase()
  if (hostname === null) return null
  const number = port === undefined ? 443 : Number(port)
  if (number > 65_535) return null
  return { host: number === 80 || number === 443 ? hostname : `${hostname}:${number}`, hostname }
}

function shortest(literal: string | undefined): string | null {
  const url = literal === undefined ? null : URL.parse(`http://${literal}/`)
  return url === null ? null : url.hostname
}
