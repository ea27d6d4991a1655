/**
 * A gateway that stands still for longer than Redis may take (garbage, a large configuration, a busy machine): the requests of that
 * moment are answered, not failed, since Redis had answered them; and nothing is served that was true before only.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hashOf } from '../../src/session/record.ts'
import type { Browser } from '../stand-in/browser-client.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { tell } from '../stand-in/measure.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'
import { type RedisElsewhere, redisElsewhere, standStill, standStillUntilAnswered } from '../stand-in/standstill.ts'
import { timesOf, type Visit, visit } from '../stand-in/visits.ts'

let offsetMs = 0
const now = () => performance.timeOrigin + performance.now() + offsetMs

let redis: RedisServer
let elsewhere: RedisElsewhere
let world: TestGateway
let readers: readonly Browser[]

beforeAll(async () => {
  redis = await startRedis()
  elsewhere = await redisElsewhere(redis.port)
  world = await startTestGateway({ store: `{ kind: redis, url: "${redis.url}" }`, surroundings: { now } })
  readers = await Promise.all([world.signIn('alice'), world.signIn('bob'), world.signIn('eve')])
})
afterAll(async () => {
  world?.invariants()
  await world?.stop()
  await elsewhere?.stop()
  await redis?.close()
})

/** As soon as a record has been asked for, within the same turn of the loop. */
function standStillWhenAsked(act: () => void): () => boolean {
  const channel = 'tracing:ioredis:command:start'
  let stood = false
  subscribe(channel, hear)
  return () => stood

  function hear(message: unknown): void {
    if ((message as { readonly command: string }).command !== 'evalsha') return
    unsubscribe(channel, hear)
    stood = true
    act()
  }
}

const asking = (reader: Browser): Promise<readonly Visit[]> =>
  visit(
    { port: world.port, host: `app.localhost:${world.port}`, path: '/echo', cookie: world.cookieOf(reader) },
    10,
    10,
  )

const told = () => world.events.filter(({ name }) => name === 'store.down' || name === 'store.log-lost')

describe('a gateway that stands still while it waits for Redis', () => {
  it.each([700, 1_500, 2_500])('for %d ms answers every request as ever', async ms => {
    // Nothing that is remembered is believed any more: each asks the store.
    offsetMs += 31_000
    const stood = standStillWhenAsked(() => standStillUntilAnswered(ms, [elsewhere]))
    const visits = (await Promise.all(readers.map(asking))).flat()
    expect(stood()).toBe(true)
    tell(`p99 of ${visits.length} requests around a standstill of ${ms} ms`, timesOf(visits).p99)
    expect(visits.map(({ status }) => status)).toEqual(visits.map(() => 200))
    expect(told()).toEqual([])
  })

  it('serves nobody by an answer from before, where the session ended meanwhile', async () => {
    const [, bob] = readers as [Browser, Browser, Browser]
    offsetMs += 31_000
    const stood = standStillWhenAsked(() => {
      end(bob)
      standStill(1_500, elsewhere)
    })
    const visits = await asking(bob)
    expect(stood()).toBe(true)
    expect(visits.map(({ status }) => status)).toEqual(visits.map(() => 401))
  })

  it('serves nobody by its memory either', async () => {
    const [, , eve] = readers as [Browser, Browser, Browser]
    expect((await asking(eve)).map(({ status }) => status)).toContain(200)
    end(eve)
    standStill(1_500, elsewhere)
    const visits = await asking(eve)
    expect(visits.map(({ status }) => status)).toEqual(visits.map(() => 401))
    expect(told()).toEqual([])
  })
})

/** By another process, half a second from now: its record goes, and the log says so. */
function end(reader: Browser): void {
  const [, , id = ''] = world.cookieOf(reader).split('=')[1]?.split('.') ?? []
  const hash = hashOf(id)
  elsewhere.send(
    500,
    ['DEL', `pas:{${hash}}:s`],
    ['XADD', 'pas:ended', '*', 'kind', 'session', 'key', hash, 'reason', 'user'],
  )
}
