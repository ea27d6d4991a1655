/** The log of ends in Redis, as processes follow it: what happens to the connection, and what happens to the log (SESSIONS A4, S7). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { GatewayEvent } from '../../src/model/event.ts'
import { Secret } from '../../src/model/secret.ts'
import type { EndEntry, Follower, Store } from '../../src/model/store.ts'
import { createRedisStore } from '../../src/session/redis.ts'
import { serverAt } from '../../src/session/redis-place.ts'
import { type CuttingProxy, startCuttingProxy } from '../stand-in/cutting-proxy.ts'
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

async function open(port = server.port, credentials = ''): Promise<Process> {
  const events: GatewayEvent[] = []
  const store = await createRedisStore({
    place: serverAt(new Secret(`redis://${credentials}127.0.0.1:${port}`)),
    report: event => events.push(event),
  })
  cleanups.push(store.close)
  const heard: EndEntry[] = []
  return { store, heard, events, follower: store.ended.follow(entry => heard.push(entry)) }
}

const end = (key: string): EndEntry => ({ kind: 'session', key, reason: 'user' })
const keysOf = (heard: readonly EndEntry[]) => heard.filter(({ kind }) => kind === 'session').map(({ key }) => key)
const kindsOf = (heard: readonly EndEntry[]) => heard.map(({ kind }) => kind)
const hears = (one: Process, key: string) =>
  vi.waitFor(() => expect(keysOf(one.heard)).toContain(key), { timeout: 2_000, interval: 2 })
const isFresh = (one: Process) =>
  vi.waitFor(() => expect(one.follower.fresh()).toBe(true), { timeout: 2_000, interval: 2 })

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
    const { store, heard } = await open()
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
    await vi.waitFor(() => expect(kindsOf(one.heard)).toEqual(['unknown', 'unknown']))
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
    await vi.waitFor(() => expect(one.events.map(({ name }) => name)).toEqual(['store.up', 'store.warned']))
    expect(one.events[1]).toMatchObject({ detail: expect.stringContaining('the log of ends cannot be read') })
    await vi.waitFor(() => expect(one.follower.fresh()).toBe(false), { timeout: 1_500 })
    expect(one.events).toHaveLength(2)
  })
})

describe('a log that', () => {
  it('was emptied with everything else has all be read anew, within a second', async () => {
    const one = await open()
    await one.store.ended.append(end('a'))
    await vi.waitFor(() => expect(keysOf(one.heard)).toHaveLength(2))
    await server.admin.flushall()
    await vi.waitFor(() => expect(kindsOf(one.heard)).toContain('lost'), { timeout: 1_000 })
    await one.store.ended.append(end('b'))
    await vi.waitFor(() => expect(keysOf(one.heard).filter(key => key === 'b')).toHaveLength(2))
    expect(one.events.filter(({ name }) => name === 'store.log-lost')).toHaveLength(1)
    expect(one.follower.fresh()).toBe(true)
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
    await vi.waitFor(() => expect(kindsOf(reader.heard)).toContain('lost'), { timeout: 2_000 })
    await isFresh(reader)
  })

  it('lost an end of this process that it had not read back yet has all be read anew', async () => {
    const one = await open(between.port)
    between.swallow('xread')
    await one.store.ended.append(end('own'))
    await server.admin.del('pas:ended')
    between.swallow(null)
    await vi.waitFor(() => expect(kindsOf(one.heard)).toContain('lost'), { timeout: 2_000 })
  })

  it('was trimmed past the line heard last has all be read anew', async () => {
    const [writer, reader] = [await open(), await open(between.port)]
    await writer.store.ended.append(end('a'))
    await hears(reader, 'a')
    between.swallow('xread')
    for (const key of ['b', 'c', 'd']) await writer.store.ended.append(end(key))
    await server.admin.xtrim('pas:ended', 'MAXLEN', 1)
    between.swallow(null)
    await vi.waitFor(() => expect(kindsOf(reader.heard)).toContain('lost'), { timeout: 3_000 })
    await isFresh(reader)
  })

  it('is gone with a Redis that restarted empty has all be read anew, and is followed from its beginning', async () => {
    const [one, other] = [await open(), await open()]
    await one.store.ended.append(end('a'))
    await hears(other, 'a')
    await server.stop()
    await server.start()
    await vi.waitFor(() => expect(kindsOf(other.heard)).toContain('lost'), { timeout: 2_000 })
    await vi.waitFor(() => one.store.ended.append(end('b')), { timeout: 2_000 })
    await hears(other, 'b')
  })

  it('holds ten thousand lines that were missed is read to its end before anything is believed', async () => {
    const reader = await open(between.port)
    between.swallow('xread')
    await vi.waitFor(() => expect(reader.follower.fresh()).toBe(false), { timeout: 1_500 })
    const many = server.admin.pipeline()
    for (let nth = 0; nth < 10_000; nth++)
      many.xadd('pas:ended', '*', 'kind', 'session', 'key', `${nth}`, 'reason', 'user')
    await many.exec()
    between.swallow(null)
    await isFresh(reader)
    expect(keysOf(reader.heard)).toHaveLength(10_000)
  })
})
