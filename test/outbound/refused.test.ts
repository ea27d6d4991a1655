/** Addresses that are never reached, in every spelling (SESSIONS B 15). */
import { networkInterfaces } from 'node:os'
import { describe, expect, it } from 'vitest'
import { isOwnListener, isRefusedNetwork } from '../../src/outbound/refused.ts'

const bare = {
  'a metadata service on link-local': '169.254.169.254',
  'the end of link-local': '169.254.255.255',
  'this network': '0.0.0.0',
  'the end of this network': '0.255.255.255',
  multicast: '224.0.0.1',
  'the end of multicast': '239.255.255.255',
  broadcast: '255.255.255.255',
  'a metadata service of Alibaba': '100.100.100.200',
  'a metadata service of Azure': '168.63.129.16',
  'a metadata service of Oracle': '192.0.0.192',
}

const hex = (v4: string) => {
  const [a = 0, b = 0, c = 0, d = 0] = v4.split('.').map(Number)
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
}

describe('an address', () => {
  it.each(Object.entries(bare))('of %s is refused: %s, bare, mapped, by NAT64 and by 6to4', (_what, address) => {
    expect(isRefusedNetwork(address)).toBe(true)
    expect(isRefusedNetwork(`::ffff:${address}`)).toBe(true)
    expect(isRefusedNetwork(`::ffff:${hex(address)}`)).toBe(true)
    expect(isRefusedNetwork(`64:ff9b::${address}`)).toBe(true)
    expect(isRefusedNetwork(`64:ff9b::${hex(address)}`)).toBe(true)
    expect(isRefusedNetwork(`2002:${hex(address)}::1`)).toBe(true)
  })

  it.each(['::', 'fe80::1', 'fe80::1%eth0', 'febf:ffff::1', 'ff02::1', 'fd00:ec2::254', '::169.254.169.254'])(
    '%s is refused',
    address => {
      expect(isRefusedNetwork(address)).toBe(true)
    },
  )

  it.each([
    '127.0.0.1',
    '::1',
    '::ffff:127.0.0.1',
    '10.0.3.4',
    '192.168.1.1',
    '172.16.0.1',
    '169.253.255.255',
    '169.255.0.1',
    '1.0.0.1',
    '223.255.255.255',
    '93.184.216.34',
    'fec0::1',
    'fd00::1',
    '2001:db8::1',
    '64:ff9b::93.184.216.34',
    '64:ff9b::10.0.3.4',
    '2002:5db8:d822::1',
  ])('%s is not: an explicit origin is the operator’s consent', address => {
    expect(isRefusedNetwork(address)).toBe(false)
  })

  it.each(['', 'localhost', '169.254.169', '0x7f.1', '2852039166'])('that is none (%j) is refused', text => {
    expect(isRefusedNetwork(text)).toBe(true)
  })
})

describe('a listener of our own', () => {
  it('is its very address and port', () => {
    const listeners = [{ host: '127.0.0.1', port: 8080 }]
    expect(isOwnListener('127.0.0.1', 8080, listeners)).toBe(true)
    expect(isOwnListener('::ffff:127.0.0.1', 8080, listeners)).toBe(true)
    expect(isOwnListener('127.0.0.1', 8081, listeners)).toBe(false)
    expect(isOwnListener('127.0.0.2', 8080, listeners)).toBe(false)
    expect(isOwnListener('10.0.0.1', 8080, listeners)).toBe(false)
  })

  it.each(['0.0.0.0', '::', ''])('on every address (%j) is any address of this machine', host => {
    const listeners = [{ host, port: 8080 }]
    const own = Object.values(networkInterfaces()).flatMap(list => list ?? [])
    for (const { address } of own) expect(isOwnListener(address, 8080, listeners)).toBe(true)
    expect(isOwnListener('127.0.0.1', 8080, listeners)).toBe(true)
    expect(isOwnListener('127.9.9.9', 8080, listeners)).toBe(true)
    expect(isOwnListener('::1', 8080, listeners)).toBe(true)
    expect(isOwnListener('192.0.2.1', 8080, listeners)).toBe(false)
  })

  it('on localhost is loopback', () => {
    const listeners = [{ host: 'localhost', port: 9090 }]
    expect(isOwnListener('127.0.0.1', 9090, listeners)).toBe(true)
    expect(isOwnListener('::1', 9090, listeners)).toBe(true)
    expect(isOwnListener('10.0.0.1', 9090, listeners)).toBe(false)
  })
})
