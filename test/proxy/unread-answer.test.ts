/** An answer that is nobody's page: how much of it is taken in, and for how long. */
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { OriginPool } from '../../src/proxy/origin-pool.ts'
import type { OriginHearer, OriginRequest } from '../../src/proxy/origin-request.ts'
import { hearOut } from '../../src/proxy/unread-answer.ts'

const patience = { deadlineMs: 3_000, bodyLimit: 1_000 }

/** Asks, and gives the test the origin's side of it. */
function asked(body: OriginRequest['body'] = null) {
  const abandon = vi.fn()
  const heard: OriginHearer[] = []
  const pool = {
    ask: (_request: OriginRequest, _idle: number, _name: string | null, hearer: OriginHearer) => {
      heard.push(hearer)
      return { resume() {}, abandon }
    },
  } as unknown as OriginPool
  const request = { head: 'GET /logout.php HTTP/1.1\r\n\r\n', method: 'GET', upgrade: false, body, last: true }
  const outcome = hearOut(pool, null, request, patience, () => performance.now())
  return { outcome, abandon, origin: heard[0] as OriginHearer }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('an answer that nobody reads', () => {
  it('is read to its end, and only its cookies are kept', async () => {
    const { outcome, abandon, origin } = asked()
    origin.onHead(200, 'OK', ['Set-Cookie', 'a=1', 'X-Other', 'Set-Cookie', 'set-cookie', 'b=2'])
    expect(origin.onBody(Buffer.alloc(900))).toBe(true)
    origin.onEnd()
    expect(await outcome).toMatchObject({ raw: ['Set-Cookie', 'a=1', 'set-cookie', 'b=2'], failure: null })
    expect(abandon).not.toHaveBeenCalled()
  })

  it('is broken off where it is too long; what it said by then counts', async () => {
    const { outcome, abandon, origin } = asked()
    origin.onHead(200, 'OK', ['Set-Cookie', 'a=1'])
    origin.onBody(Buffer.alloc(600))
    expect(abandon).not.toHaveBeenCalled()
    origin.onBody(Buffer.alloc(600))
    expect(abandon).toHaveBeenCalledOnce()
    expect(await outcome).toMatchObject({ raw: ['Set-Cookie', 'a=1'], failure: null })
  })

  it('is waited for until the deadline, and the request’s body goes with it', async () => {
    const stream = new PassThrough()
    const { outcome, abandon } = asked({ stream, length: 6 })
    await vi.advanceTimersByTimeAsync(2_999)
    expect(abandon).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    expect(abandon).toHaveBeenCalledOnce()
    expect(await outcome).toEqual({ raw: [], failure: 'no whole answer within 3000 ms', headMs: null })
    expect(stream.destroyed).toBe(true)
  })

  it('that stops in the middle, or never comes, is told with what is known of it', async () => {
    const cut = asked()
    cut.origin.onHead(200, 'OK', ['Set-Cookie', 'a=1'])
    cut.origin.onError(new Error('cut'))
    expect(await cut.outcome).toMatchObject({ raw: ['Set-Cookie', 'a=1'], failure: null })
    const dead = asked()
    dead.origin.onError(new Error('refused'))
    expect(await dead.outcome).toEqual({ raw: [], failure: 'refused', headMs: null })
  })

  it('is not a tunnel', async () => {
    const { outcome, origin } = asked()
    const socket = new PassThrough()
    origin.onUpgrade([], socket as never, Buffer.alloc(0))
    expect((await outcome).failure).toBe('changed to another protocol')
    expect(socket.destroyed).toBe(true)
  })
})
