/** The log of ends in Redis, as processes follow it: what happens to the connection, and what happens to the log (SESSIONS A4, S7). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { GatewayEvent } from '../../src/model/event.ts'
import { Secret } from '../../src/model/secret.ts'
import type { EndEntry, Follower, Store } from '../../src/model/store.ts'
import { createRedisStore } from '../../src/session/redis.ts'
import { serverAt } from '../../src/session/redis-place.ts'
import { type CuttingProxy, startCuttingProxy } from '../stand-in/cutting-proxy.ts'
import { patiently } from '../stand-in/measure.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'

let server: RedisServer
let between: CuttingProxy
let cleanups: (() => unknown)[]

beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.close())
beforeEach(async () => {
  cleanups = []
  await server.admin.flushall()
  between = await startCuttingProxy(server.port)
})
afterEach(async () => {
  server.thaw()
  await server.start()
  for (const cleanup of cleanups.toReversed()) await cleanup()
  between.close()
})

interface Process {
  readonly store: Store
  readonly follower: Follower
  readonly heard: EndEntry[]
  readonly events: GatewayEvent[]
}

/** @param commandTimeoutMs long enough for any machine, unless that Redis is silent is the fact */
async function open(port = server.port, credentials = '', commandTimeoutMs = 15_000): Promise<Process> {
  const events: GatewayEvent[] = []
  const store = await createRedisStore({
    place: serverAt(new Secret(`redis://${credentials}127.0.0.1:${port}`)),
    report: event => events.push(event),
    commandTimeoutMs,
  })
  cleanups.push(store.close)
  const heard: EndEntry[] = []
  return { store, heard, events, follower: store.ended.follow(entry => heard.push(entry)) }
}

const end = (key: string): EndEntry => ({ kind: 'session', key, reason: 'user' })
const keysOf = (heard: readonly EndEntry[]) => heard.filter(({ kind }) => kind === 'session').map(({ key }) => key)
const kindsOf = (heard: readonly EndEntry[]) => heard.map(({ kind }) => kind)
/** What has to come, however busy the machine is. */
const comes = (assertion: () => unknown) => vi.waitFor(assertion, patiently)
const hears = (one: Process, key: string) => comes(() => expect(keysOf(one.heard)).toContain(key))
const isFresh = (one: Process) => comes(() => expect(one.follower.fresh()).toBe(true))

describe('the log of ends in Redis', () => {
  it('holds every end', async () => {
    const { store } = await open()
    await store.ended.append(end('hash'))
    await store.ended.append({ kind: 'idp', key: '1.pas:x:campus', reason: 'idp' })
    expect((await server.admin.xrange('pas:ended', '-', '+')).map(([, fields]) => fields)).toEqual([
      ['kind', 'session', 'key', 'hash', 'reason', 'user'],
      ['kind', 'idp', 'key', '1.pas:x:campus', 'reason', 'idp'],
    ])
  })

  it('that cannot be written has told this process all the same, and fails', async () => {
    const { store, heard } = await open(server.port, '', 500)
    server.freeze()
    const appended = store.ended.append(end('hash'))
    expect(heard).toEqual([end('hash')])
    await expect(appended).rejects.toMatchObject({ code: 'session.store-down' })
  })

  it('is not heard again from the beginning by a process that starts later', async () => {
    const one = await open()
    await one.store.ended.append(end('before'))
    const other = await open()
    expect(other.follower.fresh()).toBe(true)
    await one.store.ended.append(end('after'))
    await hears(other, 'after')
    expect(keysOf(other.heard)).toEqual(['after'])
  })

  it('has a line of a kind that this version does not know mean that everything is read anew', async () => {
    const one = await open()
    await server.admin.xadd('pas:ended', '*', 'kind', 'tenant', 'key', 'x', 'reason', 'y')
    await server.admin.xadd('pas:ended', '*', 'nothing', 'known')
    await comes(() => expect(kindsOf(one.heard)).toEqual(['unknown', 'unknown']))
  })
})

describe('a process whose connection to the log', () => {
  it('breaks hears what it missed', async () => {
    const [writer, reader] = [await open(), await open(between.port)]
    for (let nth = 0; nth < 20; nth++) {
      between.cutAtNextAnswer('xread')
      await writer.store.ended.append(end(`${nth}`))
    }
    await hears(reader, '19')
    expect(keysOf(reader.heard)).toEqual(Array.from({ length: 20 }, (_, nth) => `${nth}`))
    expect(kindsOf(reader.heard)).not.toContain('lost')
    await isFresh(reader)
  })

  it('swallows everything is not fresh within a second, and hears what it missed on the next one', async () => {
    const [writer, reader] = [await open(), await open(between.port)]
    between.swallow('xread')
    const from = performance.now()
    await writer.store.ended.append(end('missed'))
    let freshAt = from
    for (let now = from; reader.follower.fresh(); now = performance.now()) {
      freshAt = now
      await new Promise(resolve => setTimeout(resolve, 1))
    }
    expect(freshAt - from).toBeLessThan(1_000)
    // The store itself answers: what is not remembered can be asked.
    expect(await reader.store.reachable()).toBe(true)
    expect(keysOf(reader.heard)).toEqual([])
    between.swallow(null)
    await hears(reader, 'missed')
    await isFresh(reader)
  })

  it('must not be read for want of a permission asks the store each time, and says why once', async () => {
    const commands = '+@read +@write +@scripting +ping +info -xread'.split(' ')
    await server.admin.acl('SETUSER', 'narrow', 'on', '>narrow-narrow', '~pas:*', '-@all', ...commands)
    const one = await open(server.port, 'narrow:narrow-narrow@')
    await comes(() => expect(one.events.map(({ name }) => name)).toEqual(['store.up', 'store.warned']))
    expect(one.events[1]).toMatchObject({ detail: expect.stringContaining('the log of ends cannot be read') })
    await comes(() => expect(one.follower.fresh()).toBe(false))
    expect(one.events).toHaveLength(2)
  })
})

describe('a log that', () => {
  it('was emptied with everything else has all be read anew, by the read that follows the one under way at the latest', async () => {
    const one = await open(between.port)
    between.count('xread')
    await one.store.ended.append(end('a'))
    await comes(() => expect(keysOf(one.heard)).toHaveLength(2))
    /** Of the log, when the loss was heard. */
    let reads = 0
    const other = one.store.ended.follow(({ kind }) => {
      if (kind === 'lost') reads = between.count('xread')
    })
    cleanups.push(other.stop)
    await server.admin.flushall()
    const atMost = between.count('xread') + 1
    await comes(() => expect(kindsOf(one.heard)).toContain('lost'))
    // Each waits for 400 ms at most: within a second.
    expect(reads).toBeLessThanOrEqual(atMost)
    await one.store.ended.append(end('b'))
    await comes(() => expect(keysOf(one.heard).filter(key => key === 'b')).toHaveLength(2))
    expect(one.events.filter(({ name }) => name === 'store.log-lost')).toHaveLength(1)
    await isFresh(one)
  })

  it('came back without the newest lines, as after a failover, has all be read anew', async () => {
    const [writer, reader] = [await open(), await open(between.port)]
    await writer.store.ended.append(end('a'))
    await hears(reader, 'a')
    const [line] = await server.admin.xrevrange('pas:ended', '+', '-', 'COUNT', 1)
    between.cutAtNextAnswer('xread')
    // Another process has written since, so that the newest line is newer than ours.
    await server.admin
      .multi()
      .xdel('pas:ended', line?.[0] ?? '')
      .xadd('pas:ended', '*', 'kind', 'changed')
      .exec()
    await comes(() => expect(kindsOf(reader.heard)).toContain('lost'))
    await isFresh(reader)
  })

  it('lost an end of this process that it had not read back yet has all be read anew', async () => {
    const one = await open(between.port)
    between.swallow('xread')
    await one.store.ended.append(end('own'))
    await server.admin.del('pas:ended')
    between.swallow(null)
    await comes(() => expect(kindsOf(one.heard)).toContain('lost'))
  })

  it('lost what was heard last has all be read anew, though this process has written since', async () => {
    const one = await open(between.port)
    await one.store.ended.append(end('a'))
    await comes(() => expect(keysOf(one.heard)).toHaveLength(2))
    between.swallow('xread')
    await server.admin.del('pas:ended')
    await one.store.ended.append(end('own'))
    between.swallow(null)
    await comes(() => expect(kindsOf(one.heard)).toContain('lost'))
  })

  it('was trimmed past the line heard last has all be read anew', async () => {
    const [writer, reader] = [await open(), await open(between.port)]
    await writer.store.ended.append(end('a'))
    await hears(reader, 'a')
    between.swallow('xread')
    for (const key of ['b', 'c', 'd']) await writer.store.ended.append(end(key))
    await server.admin.xtrim('pas:ended', 'MAXLEN', 1)
    between.swallow(null)
    await comes(() => expect(kindsOf(reader.heard)).toContain('lost'))
    await isFresh(reader)
  })

  it('is gone with a Redis that restarted empty has all be read anew, and is followed from its beginning', async () => {
    const [one, other] = [await open(), await open()]
    await one.store.ended.append(end('a'))
    await hears(other, 'a')
    await server.stop()
    await server.start()
    await comes(() => expect(kindsOf(other.heard)).toContain('lost'))
    await comes(() => one.store.ended.append(end('b')))
    await hears(other, 'b')
  })

  it('holds ten thousand lines that were missed is read to its end before anything is believed', async () => {
    const reader = await open(between.port)
    between.swallow('xread')
    await comes(() => expect(reader.follower.fresh()).toBe(false))
    const many = server.admin.pipeline()
    for (let nth = 0; nth < 10_000; nth++)
      many.xadd('pas:ended', '*', 'kind', 'session', 'key', `${nth}`, 'reason', 'user')
    await many.exec()
    between.swallow(null)
    await isFresh(reader)
    expect(keysOf(reader.heard)).toHaveLength(10_000)
  })
})
