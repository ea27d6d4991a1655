/** One connection to an origin, on real sockets: what it sends, how an answer ends, and that nobody hears more than his own. */
import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createGatheredWrites } from '../../src/outbound/gathered-writes.ts'
import { InvalidAnswer } from '../../src/proxy/answer-parser.ts'
import { OriginConnection } from '../../src/proxy/origin-connection.ts'
import { ClientLate, ConnectionLost, OriginLate } from '../../src/proxy/origin-request.ts'
import { type SettableClock, settableClock } from '../stand-in/clock.ts'
import { type Accepted, answerOf, aRequest, connectTo, Heard, type OriginSide, startOriginSide } from './origin-side.ts'

const waits = { answerMs: 5_000, idleMs: 2_000 }
let origin: OriginSide
let clock: SettableClock
let ours: OriginConnection
let theirs: Accepted
/** What was said of our connection: true, it is free; false, it is gone. */
let settled: boolean[]
let goneHere: Promise<void>
beforeEach(async () => {
  origin = await startOriginSide()
  clock = settableClock(0)
  const said: boolean[] = []
  settled = said
  const gone = Promise.withResolvers<void>()
  goneHere = gone.promise
  const tell = (_: OriginConnection, reusable: boolean) => {
    said.push(reusable)
    if (!reusable) gone.resolve()
  }
  ours = new OriginConnection(await connectTo(origin), null, waits, tell, clock.now, createGatheredWrites())
  theirs = await origin.connection(1)
})
afterEach(() => origin.stop())

function ask(request = aRequest()): Heard {
  const heard = new Heard()
  ours.ask(request, heard)
  return heard
}

/** On both sides, and said once. */
async function gone(): Promise<void> {
  await Promise.all([goneHere, theirs.closed])
  expect(settled.filter(reusable => !reusable)).toHaveLength(1)
  expect(ours.socket.destroyed).toBe(true)
}

const upload = (stream: Readable, length: number | null = null) =>
  aRequest({ method: 'POST', body: { stream, length } })
const bodyOf = (received: string) => received.slice(received.indexOf('\r\n\r\n') + 4)

describe('a request', () => {
  it('goes out as it is, and its answer comes back; then the connection is free', async () => {
    const heard = ask(aRequest({ path: '/caf\xe9' }))
    await theirs.answers(answerOf('hello', 'X: 1\r\n'))
    expect(await heard.over).toBeNull()
    expect(theirs.received).toBe('GET /caf\xe9 HTTP/1.1\r\nHost: origin\r\n\r\n')
    expect([heard.status, heard.body, heard.ends]).toEqual([200, 'hello', 1])
    expect(heard.headers).toEqual(['Content-Length', '5', 'X', '1'])
    expect(settled).toEqual([true])
  })

  it('follows another one on the same connection, and each hears its own answer', async () => {
    for (let nth = 1; nth <= 50; nth++) {
      const heard = ask(aRequest({ path: `/${nth}` }))
      await theirs.answers(answerOf(`answer ${nth}`), nth)
      await heard.over
      expect(heard.body).toBe(`answer ${nth}`)
    }
    expect(origin.connections).toHaveLength(1)
    expect(settled).toEqual(Array(50).fill(true))
  })

  it.each(['HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n', answerOf('forged')])(
    'that has not gone out yet has no answer: %j is nobody’s, and the connection is given up',
    async unasked => {
      const first = ask()
      await theirs.answers(answerOf('ok'))
      await first.over
      const heard = ask(aRequest({ path: '/second' }))
      // In the turn in which it was asked.
      ours.socket.emit('data', Buffer.from(unasked))
      expect(await heard.over).toBeInstanceOf(ConnectionLost)
      expect(heard.status).toBeNull()
      await gone()
      expect(theirs.received).not.toContain('/second')
      expect(settled).toEqual([true, false])
    },
  )

  it('that must be the last is the last, whatever the origin says', async () => {
    const heard = ask(aRequest({ last: true }))
    await theirs.answers(answerOf('ok', 'Connection: keep-alive\r\n'))
    expect(await heard.over).toBeNull()
    await gone()
  })

  it('that was answered before the origin had all of it is the last: what waits would come before the next', async () => {
    theirs.socket.pause()
    const heard = ask(aRequest({ head: `GET / HTTP/1.1\r\nX: ${'x'.repeat(16_000_000)}\r\n\r\n` }))
    theirs.socket.write(answerOf('ok'))
    expect(await heard.over).toBeNull()
    expect(settled).toEqual([])
    theirs.socket.resume()
    await gone()
  })

  it('with HEAD ends with the head, and is the last: old servers send the body all the same', async () => {
    const heard = ask(aRequest({ method: 'HEAD' }))
    await theirs.answers('HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n')
    expect(await heard.over).toBeNull()
    expect(heard.body).toBe('')
    await gone()
  })

  it('hears what comes before its answer, and then the answer', async () => {
    const heard = ask()
    await theirs.answers(`HTTP/1.1 103 H\r\n\r\nHTTP/1.1 102 P\r\n\r\n${answerOf('ok')}`)
    await heard.over
    expect([heard.interim, heard.status]).toEqual([[103, 102], 200])
  })
})

describe('an upload', () => {
  it('of known length goes out byte by byte', async () => {
    ask(upload(Readable.from([Buffer.from('abc'), Buffer.from('def')]), 6))
    await theirs.until(received => bodyOf(received) === 'abcdef')
  })

  it('of unknown length goes out in chunks (RFC 9112 §7.1)', async () => {
    ask(upload(Readable.from([Buffer.from('abc'), Buffer.alloc(300, 'x')])))
    await theirs.until(received => bodyOf(received) === `3\r\nabc\r\n12c\r\n${'x'.repeat(300)}\r\n0\r\n\r\n`)
  })

  it('has no chunk of no bytes before its end: it would be the end, and the rest another request', async () => {
    const stream = Readable.from([Buffer.from('a'), Buffer.alloc(0), Buffer.from('b')], { objectMode: true })
    ask(upload(stream))
    await theirs.until(received => bodyOf(received) === '1\r\na\r\n1\r\nb\r\n0\r\n\r\n')
  })

  it('goes no faster than the origin takes it', async () => {
    theirs.socket.pause()
    const stream = new PassThrough()
    let sent = 0
    const heard = ask(upload(stream, 6))
    const block = Buffer.alloc(65_536)
    while (sent < 1_000 && stream.write(block)) {
      sent++
      await new Promise(resolve => setImmediate(resolve))
    }
    // What the system's buffers hold, and no more: of 64 MB it has not taken half.
    expect(sent).toBeLessThan(500)
    theirs.socket.resume()
    await once(stream, 'drain')
    ours.abandon(heard)
  })

  it('that is cut ends the connection, and not the body', async () => {
    const stream = new PassThrough()
    const heard = ask(upload(stream))
    stream.write('abc')
    await theirs.until(received => bodyOf(received) === '3\r\nabc\r\n')
    stream.destroy()
    expect((await heard.over)?.message).toContain('left')
    await gone()
    expect(bodyOf(theirs.received)).toBe('3\r\nabc\r\n')
  })

  it('that is answered early is stopped; the answer is whole, and the connection not used again', async () => {
    const stream = new PassThrough()
    const heard = ask(upload(stream))
    stream.write('abc')
    await theirs.answers(answerOf('too much'))
    expect(await heard.over).toBeNull()
    expect([heard.body, stream.destroyed]).toEqual(['too much', true])
    await gone()
    expect(bodyOf(theirs.received)).not.toContain('0\r\n\r\n')
  })

  it('goes on while its answer comes, and both end well', async () => {
    const stream = new PassThrough()
    const heard = ask(upload(stream))
    stream.write('abc')
    await theirs.answers('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe')
    await heard.until(2)
    stream.end('def')
    await theirs.until(received => received.endsWith('0\r\n\r\n'))
    theirs.socket.write('llo')
    expect(await heard.over).toBeNull()
    expect([heard.body, settled]).toEqual(['hello', [true]])
  })
})

describe('a reader who is slow', () => {
  const size = 20_000_000

  it('holds the origin, hears everything in the end, and leaves a connection that can be used', async () => {
    const heard = ask()
    heard.reads = false
    await theirs.answers(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`)
    const taken = theirs.socket.write(Buffer.alloc(size, 'x'))
    await heard.until(1)
    for (let turn = 0; turn < 100; turn++) await new Promise(resolve => setImmediate(resolve))
    expect([taken, heard.body.length]).toEqual([false, expect.toSatisfy((length: number) => length <= 65_536)])
    expect(theirs.socket.writableLength).toBeGreaterThan(size / 4)
    heard.reads = true
    ours.resume(heard)
    expect(await heard.over).toBeNull()
    expect([heard.body.length, settled]).toEqual([size, [true]])
  })

  it('of the very last piece does not hold the connection from whoever comes next', async () => {
    const slow = ask()
    slow.reads = false
    await theirs.answers(answerOf('hello'))
    await slow.over
    const next = ask()
    await theirs.answers(answerOf('world'), 2)
    await next.over
    expect(next.body).toBe('world')
  })

  it('is never late himself', async () => {
    const heard = ask()
    heard.reads = false
    await theirs.answers('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello')
    await heard.until(5)
    expect(ours.isLate(1e9)).toBe(false)
    ours.resume(heard)
    expect([ours.isLate(2_000), ours.isLate(2_001)]).toEqual([false, true])
  })
})

describe('an origin that hangs up', () => {
  const moments = [
    ['before its answer', ''],
    ['before its answer, with a reset', null],
    ['in the head', 'HTTP/1.1 200'],
    ['after what comes before the answer', 'HTTP/1.1 103 H\r\n\r\n'],
    ['in the body', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe'],
    ['before the last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n'],
  ] as const

  /** The nth request on the connection meets it. */
  async function hungUp(text: string | null, nth: number): Promise<Error | null> {
    const heard = ask()
    await theirs.until(received => received.split('\r\n\r\n').length > nth)
    if (text === null) theirs.socket.resetAndDestroy()
    else theirs.socket.end(text)
    const error = await heard.over
    expect([heard.ends, error instanceof Error]).toEqual([1, true])
    await gone()
    return error
  }

  it.each(moments)('%s has seen the request, on a new connection', async (_, text) => {
    expect(await hungUp(text, 1)).not.toBeInstanceOf(ConnectionLost)
  })

  it.each(moments)('%s may not have seen it where no byte came, on a connection used before', async (_, text) => {
    const first = ask()
    await theirs.answers(answerOf('ok'))
    await first.over
    const error = await hungUp(text, 2)
    expect(error instanceof ConnectionLost).toBe(text === null || text === '')
  })

  it('at the end of an answer without a length has answered', async () => {
    const heard = ask()
    await theirs.until(received => received !== '')
    theirs.socket.end('HTTP/1.1 200 OK\r\n\r\nhello')
    expect(await heard.over).toBeNull()
    expect(heard.body).toBe('hello')
    await gone()
  })

  it('between two answers leaves before anybody is told that it is there', async () => {
    const heard = ask()
    await theirs.answers(answerOf('ok'))
    await heard.over
    theirs.socket.end()
    await gone()
    expect(heard.ends).toBe(1)
  })
})

describe('bytes that nobody asked for', () => {
  it('on a free connection end it (SM-05)', async () => {
    const heard = ask()
    await theirs.answers(answerOf('ok'))
    await heard.over
    theirs.socket.write(answerOf('planted'))
    await gone()
    expect([heard.body, heard.ends]).toEqual(['ok', 1])
  })

  it('in the packet of an answer end the connection before anybody could have it', async () => {
    const heard = ask()
    await theirs.answers(answerOf('ok') + answerOf('planted'))
    expect(await heard.over).toBeNull()
    expect(heard.body).toBe('ok')
    await gone()
    expect(settled).toEqual([false])
  })

  it('that are no HTTP are an invalid answer', async () => {
    const heard = ask()
    await theirs.answers('SSH-2.0-OpenSSH_9.2\r\n')
    expect(await heard.over).toBeInstanceOf(InvalidAnswer)
    await gone()
  })
})

describe('a change of protocols', () => {
  const switching = 'HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n'

  it('that was asked for hands over the socket, quiet, with what came behind the head, and forgets it', async () => {
    const heard = ask(aRequest({ upgrade: true }))
    await theirs.answers(`${switching}\x81\x02hi`)
    await heard.over
    const { socket, rest } = heard.upgraded ?? {}
    expect([rest, settled]).toEqual(['\x81\x02hi', [false]])
    expect(socket?.isPaused()).toBe(true)
    expect(['data', 'end'].map(name => socket?.listenerCount(name))).toEqual([0, expect.any(Number)])
    theirs.socket.write('more')
    const [more] = (await once(socket?.resume() ?? theirs.socket, 'data')) as [Buffer]
    expect(more.toString()).toBe('more')
    ours.abandon(heard)
    expect([socket?.destroyed, ours.isLate(1e9), settled]).toEqual([false, false, [false]])
    socket?.destroy()
  })

  it('that nobody asked for is an invalid answer (SM-09)', async () => {
    const heard = ask()
    await theirs.answers(`${switching}\x81\x02hi`)
    expect(await heard.over).toBeInstanceOf(InvalidAnswer)
    expect(heard.upgraded).toBeNull()
    await gone()
  })
})

describe('time', () => {
  it('for the answer begins when the request is sent', async () => {
    clock.set(100)
    const heard = ask()
    expect([ours.isLate(5_100), ours.isLate(5_101)]).toEqual([false, true])
    ours.giveUp()
    const error = await heard.over
    expect(error).toBeInstanceOf(OriginLate)
    expect(error?.message).toContain('no answer within 5000 ms')
    await gone()
  })

  it('for the answer is not prolonged by what comes before it, nor by half a head', async () => {
    ask()
    clock.set(4_000)
    await theirs.answers('HTTP/1.1 103 H\r\n\r\nHTTP/1.1 20')
    await once(ours.socket, 'data')
    expect([ours.isLate(5_000), ours.isLate(5_001)]).toEqual([false, true])
  })

  it('for the body begins again with each of its bytes', async () => {
    const heard = ask()
    clock.set(1_000)
    await theirs.answers('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nh')
    await heard.until(1)
    expect([ours.isLate(3_000), ours.isLate(3_001)]).toEqual([false, true])
    clock.set(3_000)
    theirs.socket.write('e')
    await heard.until(2)
    expect([ours.isLate(5_000), ours.isLate(5_001)]).toEqual([false, true])
    ours.giveUp()
    expect(await heard.over).toBeInstanceOf(OriginLate)
  })

  it('for an upload is the client’s, and begins again with each piece; then the answer’s begins', async () => {
    const stream = new PassThrough()
    ask(upload(stream))
    expect([ours.isLate(2_000), ours.isLate(2_001)]).toEqual([false, true])
    clock.set(2_000)
    stream.write('abc')
    await theirs.until(received => received.endsWith('abc\r\n'))
    expect([ours.isLate(4_000), ours.isLate(4_001)]).toEqual([false, true])
    clock.set(3_000)
    stream.end()
    await theirs.until(received => received.endsWith('0\r\n\r\n'))
    expect([ours.isLate(8_000), ours.isLate(8_001)]).toEqual([false, true])
  })

  it('that an upload stands still is the client’s fault where nothing comes, the origin’s where it does not read', async () => {
    const silent = ask(upload(new PassThrough()))
    ours.giveUp()
    expect(await silent.over).toBeInstanceOf(ClientLate)

    const deaf = await connectTo(origin)
    ;(await origin.connection(2)).socket.pause()
    const heard = new Heard()
    const stream = new PassThrough({ highWaterMark: 20_000_000 })
    const other = new OriginConnection(deaf, null, waits, () => {}, clock.now, createGatheredWrites())
    other.ask(upload(stream, 6), heard)
    const held = once(stream, 'pause')
    stream.write(Buffer.alloc(16_000_000))
    await held
    other.giveUp()
    expect(await heard.over).toBeInstanceOf(OriginLate)
  })

  it('does not pass for a connection that is free', async () => {
    const heard = ask()
    await theirs.answers(answerOf('ok'))
    await heard.over
    expect(ours.isLate(1e9)).toBe(false)
  })

  it('that a connection may wait is what the last answer said', async () => {
    const waitsFor = async (line: string, nth: number) => {
      const heard = ask()
      await theirs.answers(answerOf('ok', line), nth)
      await heard.over
      return ours.keepAliveMs
    }
    expect(await waitsFor('Keep-Alive: timeout=5, max=100\r\n', 1)).toBe(5_000)
    expect(await waitsFor('keep-alive: max=3, timeout=1\r\n', 2)).toBe(1_000)
    expect(await waitsFor('Keep-Alive: forever\r\n', 3)).toBeNull()
    expect(await waitsFor('', 4)).toBeNull()
  })
})

describe('whoever asked and leaves', () => {
  it.each([
    ['before the answer', ''],
    ['in the head', 'HTTP/1.1 200'],
    ['in the body', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe'],
    ['in the chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe'],
  ])('%s hears nothing more, and the origin is let go', async (_, text) => {
    const heard = ask()
    await theirs.answers(text)
    if (text !== '') await once(ours.socket, 'data')
    ours.abandon(heard)
    await gone()
    expect(heard.ends).toBe(0)
  })

  it('in the middle of an upload stops it', async () => {
    const stream = new PassThrough()
    const heard = ask(upload(stream))
    stream.write('abc')
    await theirs.until(received => received.endsWith('abc\r\n'))
    ours.abandon(heard)
    await gone()
    expect([heard.ends, stream.destroyed]).toEqual([0, true])
    expect(theirs.received).not.toContain('0\r\n\r\n')
  })

  it('after the end cannot touch the request of whoever has the connection now', async () => {
    const first = ask()
    await theirs.answers(answerOf('one'))
    await first.over
    const second = ask()
    second.reads = false
    await theirs.answers('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe', 2)
    await second.until(2)
    ours.resume(first)
    ours.abandon(first)
    expect([ours.socket.isPaused(), ours.socket.destroyed]).toEqual([true, false])
    ours.resume(second)
    theirs.socket.write('llo')
    expect(await second.over).toBeNull()
    expect(second.body).toBe('hello')
  })
})

it('a hearer that throws is told so, and costs the connection', async () => {
  const heard = new Heard()
  heard.onHead = () => {
    throw new Error('cannot be written')
  }
  ours.ask(aRequest(), heard)
  await theirs.answers(answerOf('ok'))
  expect((await heard.over)?.message).toBe('cannot be written')
  await gone()
})
