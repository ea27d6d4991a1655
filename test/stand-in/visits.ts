/** Visitors who open the same page again and again over kept connections, and what each of them waited for it. */
import { Agent, request } from 'node:http'
import { percentile } from './measure.ts'

export interface Visit {
  /** 0: no answer, or not a whole one. */
  readonly status: number
  /** Milliseconds to the last byte. */
  readonly ms: number
}

export interface Visitors {
  readonly port: number
  /** `app.localhost:8080` */
  readonly host: string
  readonly path?: string
  /** Of the Cookie line; empty: none. */
  readonly cookie?: string
}

/** @param atOnce so many of them at any time */
export async function visit(visitors: Visitors, count: number, atOnce: number): Promise<Visit[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce })
  const visits: Visit[] = []
  let begun = 0
  const one = async () => {
    while (begun++ < count) visits.push(await open(visitors, agent))
  }
  await Promise.all(Array.from({ length: atOnce }, one))
  agent.destroy()
  return visits
}

export function timesOf(visits: readonly Visit[]): { readonly p50: number; readonly p99: number } {
  const times = visits.map(({ ms }) => ms)
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) }
}

function open({ port, host, path = '/', cookie = '' }: Visitors, agent: Agent): Promise<Visit> {
  const begun = performance.now()
  const headers = { Host: host, Accept: '*/*', ...(cookie === '' ? {} : { Cookie: cookie }) }
  return new Promise(resolve => {
    const over = (status: number) => resolve({ status, ms: performance.now() - begun })
    const asked = request({ port, host: '127.0.0.1', path, headers, agent }, answer => {
      answer.resume()
      answer.on('error', () => {})
      answer.on('close', () => over(answer.complete ? (answer.statusCode ?? 0) : 0))
    })
    asked.on('error', () => over(0))
    asked.end()
  })
}
