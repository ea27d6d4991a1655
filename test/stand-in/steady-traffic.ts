/**
 * Readers who ask without pause, at two gateways in turn, while something happens to their Redis: who was served, who was not,
 * how long each waited, and from when on everybody was served again.
 */
import { Agent, request } from 'node:http'
import type { TestGateway } from './gateway.ts'
import type { MadeSession } from './made-session.ts'
import { percentile } from './measure.ts'

export interface Asked {
  /** performance.now() when it was sent, and when the answer was there. */
  readonly sentAt: number
  readonly answeredAt: number
  /** 0: no whole answer. */
  readonly status: number
  readonly location: string | null
  readonly cookiesSet: number
  readonly retryAfter: string | null
  /** The session whose cookie it bore. */
  readonly hash: string
}

export interface Traffic {
  readonly asked: readonly Asked[]
  readonly stop: () => Promise<void>
}

/** One reader for each session and gateway; each asks again as soon as the answer is there, and a little later after a failure. */
export function startTraffic(worlds: readonly TestGateway[], sessions: readonly MadeSession[]): Traffic {
  const asked: Asked[] = []
  const agent = new Agent({ keepAlive: true, maxSockets: worlds.length * sessions.length })
  let stopped = false
  const readers = worlds.flatMap(world => sessions.map(session => read(world, session)))

  return {
    asked,
    async stop() {
      stopped = true
      await Promise.all(readers)
      agent.destroy()
    },
  }

  async function read(world: TestGateway, session: MadeSession): Promise<void> {
    const headers = {
      Host: `app.localhost:${world.port}`,
      Accept: 'text/html',
      'Sec-Fetch-Mode': 'navigate',
      'Sec-Fetch-Dest': 'document',
      Cookie: session.cookieOf('app.localhost'),
    }
    while (!stopped) {
      asked.push(await ask(world.port, headers, session.hash))
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }

  function ask(port: number, headers: Record<string, string>, hash: string): Promise<Asked> {
    const sentAt = performance.now()
    return new Promise(resolve => {
      const over = (status: number, got: { location?: string; cookies?: readonly string[]; retry?: string } = {}) =>
        resolve({
          sentAt,
          answeredAt: performance.now(),
          status,
          location: got.location ?? null,
          cookiesSet: got.cookies?.length ?? 0,
          retryAfter: got.retry ?? null,
          hash,
        })
      const sent = request({ port, host: '127.0.0.1', path: `/echo?session=${hash}`, headers, agent }, answer => {
        answer.resume()
        answer.on('error', () => {})
        answer.on('close', () => {
          const { location, 'set-cookie': cookies, 'retry-after': retry } = answer.headers
          over(answer.complete ? (answer.statusCode ?? 0) : 0, {
            ...(location === undefined ? {} : { location }),
            ...(cookies === undefined ? {} : { cookies }),
            ...(retry === undefined ? {} : { retry }),
          })
        })
      })
      sent.on('error', () => over(0))
      sent.end()
    })
  }
}

/** How many of each status, as text. */
export function statusesOf(asked: readonly Asked[]): string {
  const counts = new Map<number, number>()
  for (const { status } of asked) counts.set(status, (counts.get(status) ?? 0) + 1)
  return [...counts].map(([status, count]) => `${count} × ${status}`).join(', ') || 'none'
}

export function slowest(asked: readonly Asked[]): { readonly p99: number; readonly worst: number } {
  const times = asked.map(({ sentAt, answeredAt }) => answeredAt - sentAt)
  return { p99: percentile(times, 0.99), worst: percentile(times, 1) }
}

/** Milliseconds from `from` until the last answer that was not this status had been asked for; 0: there was none. */
export function lastOther(asked: readonly Asked[], status: number, from: number): number {
  return Math.max(0, ...asked.filter(one => one.status !== status).map(({ sentAt }) => sentAt - from))
}
