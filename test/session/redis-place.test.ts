import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { GatewayEvent } from '../../src/model/event.ts'
import { Secret } from '../../src/model/secret.ts'
import type { Store } from '../../src/model/store.ts'
import { createRedisStore } from '../../src/session/redis.ts'
import { placeOf, serverAt } from '../../src/session/redis-place.ts'
import { sessionSettings } from '../../src/session/settings.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'

const read = (url: string) => serverAt(new Secret(url))

describe('the address of a Redis', () => {
  it('is read with everything that it may hold', () => {
    expect(read('rediss://anna:p%40ss%2Fword@redis.example.org:6380/3')).toEqual({
      kind: 'server',
      servers: [{ host: 'redis.example.org', port: 6380 }],
      master: '',
      database: 3,
      tls: { ca: null, serverName: null },
      username: 'anna',
      password: 'p@ss/word',
      sentinelUsername: null,
      sentinelPassword: null,
      shown: 'rediss://redis.example.org:6380',
    })
  })

  it('is that of port 6379, database 0 and nobody where it says no more', () => {
    const plain = { database: 0, tls: null, username: null, password: null }
    expect(read('redis://10.0.0.1')).toMatchObject({
      ...plain,
      servers: [{ host: '10.0.0.1', port: 6379 }],
      shown: 'redis://10.0.0.1:6379',
    })
    expect(read('redis://10.0.0.1/')).toMatchObject(plain)
    expect(read('redis://[::1]:6379')).toMatchObject({
      ...plain,
      servers: [{ host: '::1', port: 6379 }],
      shown: 'redis://[::1]:6379',
    })
  })

  it('gives way to a user and a password that are configured beside it', () => {
    const address = serverAt(new Secret('redis://old:older@host'), 'anna', new Secret('newer'))
    expect(address).toMatchObject({ username: 'anna', password: 'newer' })
  })

  it('may hold a password with a bare percent sign', () => {
    expect(read('redis://:100%@host').password).toBe('100%')
  })

  it.each([
    '',
    'redis',
    'http://hunter2@host',
    'redis://:hunter2@',
    'redis://:hunter2@host:x',
    'redis://:hunter2@host/one',
  ])('is refused without being quoted where it is none: %s', url => {
    try {
      read(url)
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code: 'session.store-down' })
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter2')
    }
  })
})

describe('the place of a Redis', () => {
  const settings = (store: object) => {
    const { store: parsed } = sessionSettings.parse({
      store: { kind: 'redis', ...store },
      secrets: ['mB7vQ2xK9rT4wZ1nC6yL3hJ8dF5gS0pA'],
    })
    if (parsed.kind !== 'redis') throw new Error('not Redis')
    return parsed
  }

  it('may be told by sentinels, which may ask for a password of their own', () => {
    const sentinels = ['10.0.0.1:26379', '[2001:db8::1]:26379']
    const own = { sentinelUsername: 'looker', sentinelPassword: 'of the sentinels' }
    expect(placeOf(settings({ sentinels, master: 'sessions', database: 2, ...own }), 'PEM')).toEqual({
      kind: 'sentinels',
      servers: [
        { host: '10.0.0.1', port: 26379 },
        { host: '2001:db8::1', port: 26379 },
      ],
      master: 'sessions',
      database: 2,
      username: null,
      password: null,
      ...own,
      tls: null,
      shown: 'Redis "sessions" by sentinels 10.0.0.1:26379, [2001:db8::1]:26379',
    })
  })

  it('may be a cluster, with TLS, whose certificates bear one name', () => {
    const store = { cluster: ['redis.example.org:6379'], tls: 'yes', serverName: 'redis.example.org', password: 'p' }
    expect(placeOf(settings(store), 'PEM')).toMatchObject({
      kind: 'cluster',
      servers: [{ host: 'redis.example.org', port: 6379 }],
      database: 0,
      password: 'p',
      tls: { ca: 'PEM', serverName: 'redis.example.org' },
      shown: 'Redis Cluster redis.example.org:6379',
    })
  })

  it('of a URL has TLS by its scheme, and believes the same authorities', () => {
    expect(placeOf(settings({ url: 'rediss://10.0.0.1:6380' }), 'PEM').tls).toEqual({ ca: 'PEM', serverName: null })
    expect(placeOf(settings({ url: 'redis://10.0.0.1:6380' }), 'PEM').tls).toBeNull()
  })
})

describe('a Redis with a password', () => {
  const password = 'hunter2-hunter2'
  let server: RedisServer
  let store: Store | null
  let events: GatewayEvent[]

  beforeAll(async () => {
    server = await startRedis({ password })
    const commands = '+@read +@write +@scripting +time +client +quit -@dangerous +info'.split(' ')
    await server.admin.acl('SETUSER', 'passerelle', 'on', '>of-the-gateway', '~pas:*', '-@all', ...commands)
  })
  afterAll(() => server.close())
  afterEach(() => store?.close())

  async function open(username: string | null, word: string | null, url = server.url): Promise<Store> {
    events = []
    store = await createRedisStore({
      place: serverAt(new Secret(url), username, word === null ? null : new Secret(word)),
      report: event => events.push(event),
    })
    return store
  }

  it.each<[string, string | null, string | null, string]>([
    ['beside the address', null, password, '//'],
    ['in the address', null, null, `//:${password}@`],
    ['as an ACL user beside it', 'passerelle', 'of-the-gateway', '//'],
    ['as an ACL user in it', null, null, '//passerelle:of-the-gateway@'],
  ])('admits us with the right one, %s', async (_where, username, word, inUrl) => {
    const admitted = await open(username, word, server.url.replace('//', inUrl))
    expect(await admitted.reachable()).toBe(true)
  })

  it.each([
    ['the wrong one', 'wrong-wrong', 'WRONGPASS'],
    ['none', null, 'NOAUTH'],
  ])('is down for one who has %s, and no message holds it', async (_what, word, said) => {
    const refused = await open(null, word)
    expect(await refused.reachable()).toBe(false)
    expect(events).toEqual([{ name: 'store.down', detail: expect.stringContaining(said) }])
    const failure: unknown = await refused.records.read('pas:{a}:s').catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'session.store-down', message: expect.stringContaining(said) })
    expect(inspect([failure, events], { depth: 9, showHidden: true })).not.toMatch(/wrong-wrong|hunter2/)
  })

  it('needs to grant us no more than data commands on keys that begin with pas:', async () => {
    const narrow = await open('passerelle', 'of-the-gateway')
    const [record, visits, value, end] = ['pas:{a}:s', 'pas:{a}:v', Buffer.alloc(40), Date.now() + 60_000] as const
    await narrow.once.put('p', 'pas:p:a', value, 60_000)
    expect(await narrow.once.take('p', 'pas:p:a')).toEqual(value)
    expect(await narrow.records.create(record, value, 60_000)).toBe(true)
    expect(await narrow.records.replace(record, 0, value, end)).toBe('replaced')
    expect(await narrow.records.touch(record, end)).toBe(true)
    await narrow.records.visit(record, visits, 'journals', 500)
    expect(await narrow.records.take(record, visits)).toEqual({ value, visits: ['journals'] })
    expect(await narrow.records.read(record)).toBeNull()
    await narrow.directory.add('pas:d:a', 'a', end)
    expect(await narrow.directory.members('pas:d:a')).toEqual(['a'])
    await narrow.directory.remove('pas:d:a', 'a')
    await narrow.tombstones.mark('pas:x:a', '{}', 60_000)
    expect(await narrow.tombstones.marks(['pas:x:a'])).toEqual(['{}'])
    await narrow.pages.set('pas:f:a', value, 60_000, true)
    await narrow.pages.touch('pas:f:a', 60_000)
    expect(await narrow.pages.get('pas:f:a')).toEqual(value)
    await narrow.pages.drop('pas:f:a')
    await narrow.ended.append({ kind: 'session', key: 'a', reason: 'user' })
    // It may not CONFIG GET, so nothing is warned of.
    expect(events).toEqual([{ name: 'store.up' }])
  })
})
