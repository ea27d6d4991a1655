/** The connections to one origin, on real sockets and with a clock of our own: which are used again, when they go, what is left. */
import { once } from 'node:events'
import { connect as netConnect, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { createServer } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { OriginAddress } from '../../src/model/resource.ts'
import { createConnectors } from '../../src/outbound/connector.ts'
import { createGatheredWrites } from '../../src/outbound/gathered-writes.ts'
import { type Connect, OriginPool, type Reuse, reuse } from '../../src/proxy/origin-pool.ts'
import { ConnectionLost, OriginLate } from '../../src/proxy/origin-request.ts'
import { selfSigned } from '../stand-in/certificate.ts'
import { type SettableClock, settableClock } from '../stand-in/clock.ts'
import { tell, until } from '../stand-in/measure.ts'
import { type Accepted, answerOf, aRequest, Heard, type OriginSide, startOriginSide } from './origin-side.ts'

/** Short ones make the pool look around every ten milliseconds; the clock stands still until a test moves it. */
const waits = { answerMs: 40, idleMs: 40 }
let origin: OriginSide
let clock: SettableClock
let pool: OriginPool
let silent = false
beforeEach(async () => {
  origin = await startOriginSide()
  clock = settableClock(1_000_000)
  pool = poolTo(origin.port)
})
afterEach(async () => {
  await pool.close()
  await until('every connection of the pool gone', () => pool.size.open === 0, 2_000, 1)
  await origin.stop()
})

function addressOf(port: number, protocol: 'http:' | 'https:' = 'http:', hostname = '127.0.0.1'): OriginAddress {
  const host = `${hostname}:${port}`
  return { protocol, hostname, port, host, origin: `${protocol}//${host}`, prefix: '/' }
}

function poolTo(port: number, connect: Connect = connectPlainly): OriginPool {
  return new OriginPool(addressOf(port), connect, waits, clock.now, createGatheredWrites())
}

const connectPlainly: Connect = ({ hostname, port }, done) => {
  const socket: Socket = netConnect(Number(port), hostname)
  const failed = (error: Error) => done(error, null)
  socket.once('error', failed)
  socket.once('connect', () => {
    socket.off('error', failed)
    done(null, socket)
  })
}

function ask(idleMs: Reuse = reuse.repeatable, request = aRequest()) {
  const heard = new Heard()
  const asked = pool.ask(request, idleMs, null, heard)
  return { heard, asked }
}

/** Every head is answered at once, until the origin falls silent. */
function answersAll(text = answerOf('ok')): void {
  silent = false
  origin.each = ({ socket }) => {
    socket.on('data', bytes => {
      if (!silent) for (const _ of bytes.toString('latin1').matchAll(/\r\n\r\n/g)) socket.write(text, 'latin1')
    })
  }
}

async function answered(idleMs: Reuse = reuse.repeatable, text = answerOf('ok')): Promise<void> {
  answersAll(text)
  const { heard } = ask(idleMs)
  expect(await heard.over).toBeNull()
}

/** So many connections, all of them free. */
async function free(count: number): Promise<void> {
  answersAll()
  const asked = Array.from({ length: count }, () => ask(reuse.never).heard.over)
  expect(await Promise.all(asked)).toEqual(Array(count).fill(null))
  expect(pool.size).toEqual({ open: count, free: count })
}

describe('a free connection', () => {
  it.each([
    ['what can be sent twice, for fifteen seconds', reuse.repeatable, '', 14_999, 15_000],
    ['what cannot, for one second', reuse.once, '', 999, 1_000],
    ['what can be sent twice, until a second before its origin closes it', reuse.repeatable, 'timeout=5', 3_999, 4_000],
    [
      'what can be sent twice, no longer where its origin would wait longer',
      reuse.repeatable,
      'timeout=60',
      14_999,
      15_000,
    ],
    ['what cannot, no longer where its origin waits long', reuse.once, 'timeout=60', 999, 1_000],
  ] as const)('is used again for %s', async (_, idleMs, hint, still, noMore) => {
    const text = answerOf('ok', hint === '' ? '' : `Keep-Alive: ${hint}\r\n`)
    await answered(idleMs, text)
    clock.advance(still)
    await answered(idleMs, text)
    expect(origin.connections).toHaveLength(1)
    clock.advance(noMore)
    await answered(idleMs, text)
    expect(origin.connections).toHaveLength(2)
  })

  it('is not used at all where its origin waits a second or less', async () => {
    await answered(reuse.repeatable, answerOf('ok', 'Keep-Alive: timeout=1\r\n'))
    await answered(reuse.repeatable)
    expect(origin.connections).toHaveLength(2)
  })

  it('is never used for a second try', async () => {
    await answered()
    await answered(reuse.never)
    expect(origin.connections).toHaveLength(2)
  })

  it('is the one that was used last: the others grow old and go', async () => {
    await free(3)
    for (let n = 0; n < 5; n++) await answered()
    const used = origin.connections.filter(({ received }) => received.split('\r\n\r\n').length > 2)
    expect(used).toHaveLength(1)
    clock.advance(14_000)
    await answered()
    clock.advance(1_000)
    await until('the old ones gone', () => pool.size.open === 1, 2_000, 1)
    expect([pool.size.free, used[0]?.isOpen]).toEqual([1, true])
  })

  it('is closed when its time is over, though nobody asks', async () => {
    await free(5)
    clock.advance(15_000)
    await Promise.all(origin.connections.map(({ closed }) => closed))
    await until('the pool empty', () => pool.size.open === 0, 2_000, 1)
    expect(pool.size).toEqual({ open: 0, free: 0 })
  })

  it('is not used for a request that came while it was busy: that has one of its own', async () => {
    const first = ask()
    const second = ask()
    for (const nth of [1, 2]) await (await origin.connection(nth)).answers(answerOf('ok'))
    expect(await Promise.all([first.heard.over, second.heard.over])).toEqual([null, null])
    expect(pool.size).toEqual({ open: 2, free: 2 })
  })

  it('is used again over TLS too, with the name that was asked for', async () => {
    const { certificate, key } = selfSigned(['tls.localhost'])
    const names: unknown[] = []
    const server = createServer({ cert: certificate, key }, socket => {
      names.push(socket.servername)
      socket.on('data', () => socket.write(answerOf('ok')))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = addressOf((server.address() as { port: number }).port, 'https:', 'tls.localhost')
    const connectors = createConnectors({ ca: certificate, localAddress: null, refused: [] })
    const secure = new OriginPool(address, connectors(2_000), waits, clock.now, createGatheredWrites())
    for (let n = 0; n < 5; n++) {
      const heard = new Heard()
      secure.ask(aRequest(), reuse.repeatable, 'tls.localhost', heard)
      expect(await heard.over).toBeNull()
    }
    expect(names).toEqual(['tls.localhost'])
    await secure.close()
    server.close()
  })
})

describe('a connection that died while it was free', () => {
  it('is not used again', async () => {
    await answered()
    const [first] = origin.connections as [Accepted]
    first.socket.end()
    await until('it is gone', () => pool.size.open === 0, 2_000, 1)
    await answered()
    expect(origin.connections).toHaveLength(2)
  })

  it('together with a thousand others costs nobody anything', async () => {
    await free(1_000)
    for (const { socket } of origin.connections) socket.resetAndDestroy()
    await until('all gone', () => pool.size.open === 0, 5_000, 1)
    await answered()
    expect(origin.connections).toHaveLength(1_001)
  })

  it('as the request went out is lost, and a second try takes a new one, however many are free', async () => {
    await free(3)
    silent = true
    for (const { socket } of origin.connections) socket.on('data', () => socket.resetAndDestroy())
    const { heard } = ask()
    expect(await heard.over).toBeInstanceOf(ConnectionLost)
    await answered(reuse.never)
    expect(origin.connections).toHaveLength(4)
  })
})

describe('an origin', () => {
  it('that does not answer is given up when its time is over, and let go', async () => {
    const { heard } = ask()
    const theirs = await origin.connection(1)
    await theirs.until(received => received !== '')
    clock.advance(41)
    expect(await heard.over).toBeInstanceOf(OriginLate)
    await theirs.closed
  })

  it('that has answered is not late because we stood still: what has come is read first', async () => {
    origin.each = ({ socket }) => {
      socket.once('data', () => {
        socket.write(answerOf('ok'))
        clock.advance(10_000)
        // Longer than the pool waits to look around.
        const end = performance.now() + 50
        while (performance.now() < end);
      })
    }
    const { heard } = ask()
    expect(await heard.over).toBeNull()
    expect(heard.body).toBe('ok')
  })

  it('that does not go on is given up when its time is over; the others are not', async () => {
    const late = ask()
    await (await origin.connection(1)).answers('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nh')
    await late.heard.until(1)
    clock.advance(30)
    const other = ask()
    await (await origin.connection(2)).answers('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nh')
    await other.heard.until(1)
    clock.advance(30)
    expect(await late.heard.over).toBeInstanceOf(OriginLate)
    origin.connections[1]?.socket.write('ello')
    expect(await other.heard.over).toBeNull()
  })

  it('that answers too late answers nobody', async () => {
    const { heard } = ask()
    const theirs = await origin.connection(1)
    await theirs.until(received => received !== '')
    clock.advance(41)
    await heard.over
    theirs.socket.write(answerOf('late'))
    await theirs.closed
    const next = ask()
    await (await origin.connection(2)).answers(answerOf('new'))
    await next.heard.over
    expect([heard.ends, heard.status, next.heard.body]).toEqual([1, null, 'new'])
  })

  it('that refuses connections is an error of the request, each time', async () => {
    const nobody = await startOriginSide()
    await nobody.stop()
    await pool.close()
    pool = poolTo(nobody.port)
    for (let n = 0; n < 3; n++) {
      const error = await ask().heard.over
      expect(error).toMatchObject({ code: 'ECONNREFUSED' })
      expect(error).not.toBeInstanceOf(ConnectionLost)
    }
    expect(pool.size).toEqual({ open: 0, free: 0 })
  })

  it('whose address is refused before anything is tried is the same error', async () => {
    await pool.close()
    pool = poolTo(origin.port, (_to, done) => done(new Error('never there'), null))
    const { heard, asked } = ask()
    expect((await heard.over)?.message).toBe('never there')
    asked.abandon(heard)
    asked.resume(heard)
    expect(heard.ends).toBe(1)
  })
})

describe('whoever leaves', () => {
  it('before there is a connection costs the origin a connection, and no request', async () => {
    const { heard, asked } = ask()
    asked.abandon(heard)
    const theirs = await origin.connection(1)
    await theirs.closed
    expect([theirs.received, heard.ends, pool.size]).toEqual(['', 0, { open: 0, free: 0 }])
  })

  it('before the connection failed hears nothing of it', async () => {
    const outcome = Promise.withResolvers<void>()
    await pool.close()
    pool = poolTo(origin.port, (_to, done) => void outcome.promise.then(() => done(new Error('too late'), null)))
    const { heard, asked } = ask()
    asked.abandon(heard)
    outcome.resolve()
    await outcome.promise
    expect(heard.ends).toBe(0)
  })

  it.each([
    ['before the answer', ''],
    ['in the head', 'HTTP/1.1 2'],
    ['in the body', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe'],
  ])('%s closes the connection', async (_, text) => {
    const { heard, asked } = ask()
    const theirs = await origin.connection(1)
    await theirs.answers(text)
    asked.abandon(heard)
    await theirs.closed
    await until('the pool empty', () => pool.size.open === 0, 2_000, 1)
    expect(heard.ends).toBe(0)
  })

  it('after the end does not touch who came next, on a connection that is new or used', async () => {
    answersAll()
    const first = ask()
    await first.heard.over
    const second = ask()
    await second.heard.over
    silent = true
    const third = ask()
    for (const { asked, heard } of [first, second]) {
      asked.resume(heard)
      asked.abandon(heard)
    }
    origin.connections[0]?.socket.write(answerOf('third'))
    expect(await third.heard.over).toBeNull()
    expect([third.heard.body, origin.connections.length]).toEqual(['third', 1])
  })
})

describe('closing', () => {
  it('ends what is under way, what is being connected and what is free, and nothing begins', async () => {
    await free(2)
    silent = true
    const stream = new PassThrough()
    const busy = ask(reuse.repeatable, aRequest({ method: 'POST', body: { stream, length: null } }))
    await until(
      'the request there',
      () => origin.connections.some(({ received }) => received.includes('POST')),
      2_000,
      1,
    )
    const connecting = ask(reuse.never)
    await pool.close()
    const after = ask()
    const errors = await Promise.all([busy, connecting, after].map(({ heard }) => heard.over))
    expect(errors.map(error => error?.message)).toEqual(Array(3).fill('the gateway is stopping'))
    await until('every connection gone', () => origin.open() === 0 && pool.size.open === 0, 2_000, 1)
    expect(stream.destroyed).toBe(true)
  })

  it('is the end: nobody is connected to any more', async () => {
    let tried = 0
    pool = poolTo(origin.port, (to, done) => {
      tried++
      connectPlainly(to, done)
    })
    await pool.close()
    const { heard, asked } = ask()
    expect((await heard.over)?.message).toBe('the gateway is stopping')
    asked.abandon(heard)
    expect([tried, heard.ends]).toEqual([0, 1])
  })
})

describe('a thousand connections', () => {
  const sockets = () => process.getActiveResourcesInfo().filter(name => name === 'TCPSocketWrap').length

  it('come and go, and leave nothing', async () => {
    const before = sockets()
    await free(1_000)
    expect(origin.open()).toBe(1_000)
    clock.advance(15_000)
    await until('the pool empty', () => pool.size.open === 0, 5_000, 1)
    await until('no connection at the origin', () => origin.open() === 0, 5_000, 1)
    expect(pool.size).toEqual({ open: 0, free: 0 })
    expect(sockets()).toBeLessThanOrEqual(before)
  })

  it('with every way to leave them leave nothing either', async () => {
    const before = sockets()
    origin.each = accepted => {
      const nth = origin.connections.length
      accepted.socket.once('data', () => {
        const { socket } = accepted
        if (nth % 5 === 0) socket.end()
        else if (nth % 5 === 1) socket.resetAndDestroy()
        else if (nth % 5 === 2) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhe')
        else if (nth % 5 === 3) socket.write('nonsense')
        else socket.write(answerOf('ok') + answerOf('planted'))
      })
    }
    const asked = Array.from({ length: 1_000 }, (_, nth) => {
      const one = ask(nth % 2 === 0 ? reuse.never : reuse.repeatable)
      if (nth % 10 === 0) one.asked.abandon(one.heard)
      return one
    })
    await until('every request there', () => origin.connections.length === 1_000, 10_000, 1)
    await until('only halves left', () => pool.size.open <= 200, 10_000, 1)
    clock.advance(41)
    await until('the pool empty', () => pool.size.open === 0, 5_000, 1)
    await until('no connection at the origin', () => origin.open() === 0, 5_000, 1)
    expect(asked.filter(({ heard }) => heard.ends !== 1)).toHaveLength(100)
    expect(sockets()).toBeLessThanOrEqual(before)
  })

  it('beside it cost a request nothing', async () => {
    const count = 1_500
    /** Of this process, µs for each request: what others do meanwhile is not counted. */
    const cpuTime = async () => {
      const before = process.cpuUsage()
      for (let n = 0; n < count; n++) await ask().heard.over
      const { user, system } = process.cpuUsage(before)
      return (user + system) / count
    }
    await free(1)
    await cpuTime()
    const alone = await cpuTime()
    await pool.close()
    pool = poolTo(origin.port)
    await free(1_000)
    const beside = await cpuTime()
    tell('a request on a used connection', `${alone.toFixed(0)} µs of the processor`)
    tell('the same with a thousand free connections beside it', `${beside.toFixed(0)} µs`)
    expect(pool.size).toEqual({ open: 1_000, free: 1_000 })
    expect(beside).toBeLessThan(5 * alone + 100)
  })
})

describe('a pool that is retired', () => {
  it('gives up what is free, finishes what is under way, serves whoever still asks, and keeps nothing', async () => {
    await free(2)
    silent = true
    const busy = ask()
    pool.retire()
    // At both ends: each hears of it in its own time.
    await until('the free one gone', () => pool.size.open === 1 && origin.open() === 1, 2_000, 1)
    const [used] = origin.connections.filter(({ isOpen }) => isOpen)
    await used?.answers(answerOf('ok'), 2)
    expect(await busy.heard.over).toBeNull()
    await until('the one that was busy gone', () => pool.size.open === 0, 2_000, 1)
    await answered()
    expect(origin.connections).toHaveLength(3)
    await until('the late one gone', () => pool.size.open === 0, 2_000, 1)
  })

  it('looks after nothing any more once it is empty, and after what comes late until that is over', async () => {
    const counting = () => {
      let looks = 0
      const made = new OriginPool(
        addressOf(origin.port),
        connectPlainly,
        waits,
        () => {
          looks++
          return clock.now()
        },
        createGatheredWrites(),
      )
      return { made, looks: () => looks }
    }
    const [retired, other] = [counting(), counting()]
    retired.made.retire()
    const before = retired.looks()
    const turns = (more: number) => {
      const from = other.looks()
      return until('the other pool to look', () => other.looks() >= from + more, 5_000, 1)
    }
    await turns(5)
    expect(retired.looks()).toBe(before)
    // The clock of the origin's answer runs for whoever asks late.
    answersAll()
    silent = true
    const heard = new Heard()
    retired.made.ask(aRequest(), reuse.repeatable, null, heard)
    await (await origin.connection(1)).until(received => received.includes('\r\n\r\n'))
    clock.advance(waits.answerMs + 1)
    expect(await heard.over).toBeInstanceOf(OriginLate)
    await until('its connection gone', () => retired.made.size.open === 0, 2_000, 1)
    const after = retired.looks()
    await turns(5)
    expect(retired.looks()).toBe(after)
    await other.made.close()
  })
})
