/** Addresses: `192.0.2.0/24`, `2001:db8::/32`, one address alone; and `127.0.0.1:8080` for a socket. */
import { BlockList, isIP } from 'node:net'
import { z } from 'zod'

const expectedNetwork = 'must be an address or a network, such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32'

/** What is wrong with it, as a sentence that begins with "must" or "has"; null: nothing. */
function faultOf(network: string): string | null {
  const [address = '', length, ...rest] = network.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0 || address.includes('%')) return expectedNetwork
  if (version === 6 && /^::ffff:/i.test(address)) return 'must be written as an IPv4 network'
  if (length === undefined) return null
  const bits = version === 4 ? 32 : 128
  if (!/^\d{1,3}$/.test(length) || Number(length) > bits) return expectedNetwork
  return null
}

/** `192.0.2.0/24`, always with its length. */
export const network = z
  .string({ error: expectedNetwork })
  .superRefine((text, context) => {
    const message = faultOf(text)
    if (message !== null) context.addIssue({ code: 'custom', message })
  })
  .transform(text => (text.includes('/') ? text : `${text}/${isIP(text) === 4 ? 32 : 128}`))
  .meta({ title: 'address or network' })

/** Where a socket listens. */
export interface SocketAddress {
  /** An IP address, without brackets. */
  readonly host: string
  /** 0: any free port. */
  readonly port: number
}

const expectedSocket = 'must be an IP address and a port, such as 127.0.0.1:8080, 0.0.0.0:8080 or [::]:8080'

/** Null: this is no address with a port. */
export function socketAddressOf(text: string): SocketAddress | null {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (digits === undefined || port > 65_535) return null
  const host = plain === 'localhost' ? '127.0.0.1' : (bracketed ?? plain ?? '')
  if (isIP(host) !== (bracketed === undefined ? 4 : 6)) return null
  return { host, port }
}

export const socketAddress = z
  .string({ error: expectedSocket })
  .regex(/:\d{1,5}$/, { error: expectedSocket })
  .transform((text, context) => {
    const address = socketAddressOf(text)
    if (address !== null) return address
    context.addIssue({ code: 'custom', message: expectedSocket })
    return z.NEVER
  })
  .meta({ title: 'address:port' })

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** True for an IP address that only this machine reaches. */
export function isLoopback(address: string): boolean {
  const version = isIP(address)
  return version !== 0 && loopback.check(address, version === 4 ? 'ipv4' : 'ipv6')
}
