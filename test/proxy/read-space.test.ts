/** A connection that reads into the same memory again: nobody's bytes change under his hands, and nothing is left of long answers. */
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createConnectors } from '../../src/outbound/connector.ts'
import { createGatheredWrites } from '../../src/outbound/gathered-writes.ts'
import { OriginConnection } from '../../src/proxy/origin-connection.ts'
import { ReadSpace } from '../../src/proxy/read-space.ts'
import { until } from '../stand-in/measure.ts'
import { type Accepted, aRequest, Heard, type OriginSide, startOriginSide } from './origin-side.ts'

const noise = randomBytes(3_000_000)

/** Keeps the pieces as they were handed to it, and what was in them then. */
class Keeping extends Heard {
  readonly kept: { readonly piece: Buffer; readonly was: Buffer }[] = []

  override onBody(piece: Buffer): boolean {
    this.kept.push({ piece, was: Buffer.from(piece) })
    return super.onBody(piece)
  }

  get whole(): Buffer {
    return Buffer.concat(this.kept.map(({ was }) => was))
  }
}

let origin: OriginSide
let ours: OriginConnection
let theirs: Accepted
beforeEach(async () => {
  origin = await startOriginSide()
  const space = new ReadSpace()
  const connect = createConnectors({ ca: null, localAddress: null, refused: [] })(5_000)
  const to = { hostname: '127.0.0.1', protocol: 'http:', port: String(origin.port), readInto: space }
  const socket = await new Promise<OriginConnection['socket']>((resolve, reject) => {
    connect(to, (error, socket) => (socket === null ? reject(error) : resolve(socket)))
  })
  const waits = { answerMs: 5_000, idleMs: 5_000 }
  ours = new OriginConnection(
    socket,
    space,
    waits,
    () => {},
    () => performance.now(),
    createGatheredWrites(),
  )
  theirs = await origin.connection(1)
})
afterEach(() => origin.stop())

function ask(hearer: Keeping): Keeping {
  ours.ask(aRequest(), hearer)
  return hearer
}

async function answer(body: Buffer, nth = 1): Promise<void> {
  await theirs.answers(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`, nth)
  theirs.socket.write(body)
}

/** Whatever could be read by then is. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
}

describe('a hearer who takes his time', () => {
  it('has each piece as it came until he reads on, however much there is behind it', async () => {
    const heard = new Keeping()
    heard.reads = false
    ask(heard)
    await answer(noise)
    let seen = 0
    let over = false
    heard.over.then(() => {
      over = true
    })
    while (!over) {
      await until('a piece', () => over || heard.kept.length > seen, 5_000, 1)
      await turns()
      expect(heard.kept.length - seen).toBeLessThanOrEqual(1)
      seen = heard.kept.length
      const last = heard.kept.at(-1)
      expect(last?.piece.equals(last.was)).toBe(true)
      ours.resume(heard)
    }
    expect(seen).toBeGreaterThan(10)
    expect(heard.whole.equals(noise)).toBe(true)
  })

  it('has the last one even when the connection is another’s already', async () => {
    const slow = new Keeping()
    slow.reads = false
    ask(slow)
    await answer(noise.subarray(0, 5_000))
    await slow.over
    const next = ask(new Keeping())
    await answer(noise.subarray(5_000, 15_000), 2)
    await next.over
    expect(next.whole.equals(noise.subarray(5_000, 15_000))).toBe(true)
    expect(slow.kept.map(({ piece, was }) => piece.equals(was))).toEqual([true])
  })
})

describe('a head in pieces', () => {
  it('is the head that was sent, though every piece is read into the same place', async () => {
    const heard = ask(new Keeping())
    const bytes = 'HTTP/1.1 200 OK\r\nX-Name: of some length\r\nContent-Length: 3\r\n\r\nabc'
    await theirs.until(received => received.endsWith('\r\n\r\n'))
    for (let at = 0; at < bytes.length; at += 7) {
      theirs.socket.write(bytes.slice(at, at + 7), 'latin1')
      await until('the piece', () => ours.socket.bytesRead >= Math.min(bytes.length, at + 7), 2_000, 1)
    }
    expect(await heard.over).toBeNull()
    expect([heard.headers, heard.body]).toEqual([['X-Name', 'of some length', 'Content-Length', '3'], 'abc'])
  })
})

describe('memory', () => {
  it('is made a few times for a long answer, not for each read', async () => {
    const heard = ask(new Keeping())
    await answer(noise)
    expect(await heard.over).toBeNull()
    expect(heard.whole.equals(noise)).toBe(true)
    const places = new Set(heard.kept.map(({ piece }) => piece.buffer))
    expect(heard.kept.length).toBeGreaterThan(40)
    expect(places.size).toBeLessThanOrEqual(2)
  })
})
