/**
 * Whoever has any account can begin some hundred sign-ins a minute, and finish none of them, or all. However many sessions hang on
 * one person, looking at them costs nobody else anything (SESSIONS B 21, B 24).
 */
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { SignIn } from '../../src/model/idp.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { patiently } from '../stand-in/measure.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'

let redis: RedisServer
let world: TestGateway
beforeAll(async () => {
  redis = await startRedis()
  world = await startTestGateway({ store: `{ kind: redis, url: "${redis.url}" }` })
})
afterAll(async () => {
  world.invariants()
  await world.stop()
  await redis.close()
})

const newcomer = { device: 'own', browser: { family: 'other', network: '127.0.0.0/24' } } as const

function signInOf(subject: string): SignIn {
  const authenticatedAt = Math.floor(Date.now() / 1000)
  const strength = { acr: null, amr: [] }
  const identity = { idp: 'campus', subject, claims: {}, authenticatedAt, strength, idpSession: null }
  return { identity, keep: {}, issuedAt: authenticatedAt, notAfter: null }
}

async function begin(subject: string, count: number): Promise<void> {
  const { sessions } = world.gateway
  for (let done = 0; done < count; done += 50) {
    await Promise.all(Array.from({ length: 50 }, () => sessions.establish(signInOf(subject), newcomer)))
  }
}

it('one person’s twelve thousand sign-ins leave the store room for everybody else', async () => {
  const eve = await world.signIn('eve')
  const bob = await world.signIn('bob')
  await begin('eve', 12_000)
  let listed = false
  const listing = eve.navigate(world.portal('/sessions')).finally(() => {
    listed = true
  })
  const meanwhile: number[] = []
  while (!listed) meanwhile.push((await bob.navigate(world.portal('/sessions'))).status)
  expect((await listing).status).toBe(200)
  expect(new Set(meanwhile)).toEqual(new Set([200]))
})

it('sign-ins that nobody finishes leave a set that the next ones make smaller', async () => {
  const largest = async () => {
    const sets = await redis.admin.keys('pas:d:*')
    return Math.max(...(await Promise.all(sets.map(set => redis.admin.scard(set)))))
  }
  await redis.admin.flushall()
  await begin('mallory', 400)
  expect(await largest()).toBe(400)
  // As after the minute that each of them has.
  await redis.admin.del(...(await redis.admin.keys('pas:{*}:s')))
  await begin('mallory', 50)
  await vi.waitFor(async () => expect(await largest()).toBeLessThanOrEqual(300), patiently)
  // Who is under way is still found by what the idp may say of them.
  const alive = (await redis.admin.keys('pas:{*}:s')).length
  expect(alive).toBe(50)
  await world.gateway.sessions.endAll({
    idp: 'campus',
    subject: 'mallory',
    idpSession: null,
    issuedAt: Math.floor(Date.now() / 1000),
    message: null,
  })
  expect(await redis.admin.keys('pas:{*}:s')).toEqual([])
})
