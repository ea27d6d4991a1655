import { describe, expect, it } from 'vitest'
import { shareOf } from '../../src/limits/share.ts'

describe('the share that an address draws on', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:1:3::', '2001:db8:1:3::/64'],
    ['::1', '0:0:0:0::/64'],
    ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('of %s is that of %s', (address, share) => {
    expect(shareOf(address)).toBe(share)
  })

  it('of an IPv4 address inside an IPv6 one is that of the IPv4 address, however it is spelled', () => {
    for (const spelled of ['::ffff:192.0.2.7', '::ffff:c000:207', '0:0:0:0:0:FFFF:C000:0207'])
      expect(shareOf(spelled)).toBe('192.0.2.7')
  })

  it('of what is no address is its own', () => {
    expect(shareOf('')).toBe('')
  })
})
