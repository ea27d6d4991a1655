import { expect, it } from 'vitest'
import { createLogoutRequests } from '../../src/limits/logout-requests.ts'
import { settableClock } from '../stand-in/clock.ts'

it('takes a school that is signed out at once from one address, and no flood', () => {
  const clock = settableClock()
  const admit = createLogoutRequests(clock.now)
  for (let request = 0; request < 3_000; request++) expect(admit('192.0.2.1')).toEqual({ marks: true })
  expect(() => admit('192.0.2.1')).toThrow(expect.objectContaining({ code: 'logout.too-many', status: 429 }))
  // Another server is heard meanwhile; once all together are too many, without a mark.
  for (let request = 0; request < 3_000; request++) expect(admit('192.0.2.2')).toEqual({ marks: true })
  expect(admit('192.0.2.3')).toEqual({ marks: false })
  clock.advance(60_000)
  expect(admit('192.0.2.1')).toEqual({ marks: true })
})
