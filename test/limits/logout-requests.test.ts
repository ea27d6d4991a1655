import { expect, it } from 'vitest'
import { createLogoutRequests } from '../../src/limits/logout-requests.ts'
import { settableClock } from '../stand-in/clock.ts'

it('takes a school that is signed out at once from one address, and no flood', () => {
  const clock = settableClock()
  const admit = createLogoutRequests(clock.now)
  for (let request = 0; request < 3_000; request++) expect(admit('192.0.2.1')).toBeNull()
  expect(admit('192.0.2.1')).toMatchObject({ code: 'logout.too-many', status: 429 })
  // Another server is heard meanwhile, until all together are too many.
  for (let request = 0; request < 3_000; request++) expect(admit('192.0.2.2')).toBeNull()
  expect(admit('192.0.2.3')).toMatchObject({ code: 'logout.too-many' })
  clock.advance(60_000)
  expect(admit('192.0.2.1')).toBeNull()
})
