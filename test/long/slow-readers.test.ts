/** A thousand readers of one site who do not read on, and those who do: nobody is starved, and the memory stays small. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tell, until } from '../stand-in/measure.ts'
import { type Origin, startOrigin } from '../stand-in/origin.ts'
import { RawConnection } from '../stand-in/raw-client.ts'
import { rawRequest } from '../stand-in/raw-request.ts'
import { type Serving, secret, serve } from '../stand-in/serving.ts'
import { crowdOf } from '../stand-in/slow-readers.ts'
import { timesOf, visit } from '../stand-in/visits.ts'

let origin: Origin
let serving: Serving

beforeAll(async () => {
  origin = await startOrigin({ keepBytes: 0 })
  serving = await serve({ origin: origin.url, env: secret })
})
afterAll(async () => {
  await serving?.clear()
  await origin?.stop()
})

const status = () => readFileSync(`/proc/${serving.child.pid}/status`, 'utf8')
const megabytes = () => Number(/^VmRSS:\s+(\d+) kB/m.exec(status())?.[1]) / 1024

describe('a thousand slow readers of one site', () => {
  it('starve nobody who reads fast, and cost a bounded memory', async () => {
    const host = `site.localhost:${serving.port}`
    const visitors = { port: serving.port, host, path: '/status' }
    await visit(visitors, 1_000, 8)
    const calm = timesOf(await visit(visitors, 2_000, 8))
    const before = megabytes()

    const crowd = await crowdOf(1_000, async () => {
      const reader = await RawConnection.open(serving.port)
      await reader.write(rawRequest({ host, target: '/large?mb=20' }))
      return reader
    })
    const visits = await visit(visitors, 2_000, 8)
    const grown = megabytes() - before
    const { p50, p99 } = timesOf(visits)
    tell('fast readers, calm', `p50 ${calm.p50.toFixed(1)} ms, p99 ${calm.p99.toFixed(1)} ms`)
    tell('fast readers beside a thousand slow ones', `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`)
    tell('memory for a thousand slow readers', `${grown.toFixed(0)} MB`)
    expect(new Set(visits.map(each => each.status))).toEqual(new Set([200]))
    expect(p99).toBeLessThan(2 * calm.p99 + 50)
    // Two buffers of 64 KB on each way through, and what the sockets themselves are.
    expect(grown).toBeLessThan(400)

    crowd.leave()
    const gone = await until('the end of every download', () => origin.requests.every(({ over }) => over), 10_000)
    tell('from their leaving until the origin is let go', gone)
    const after = timesOf(await visit(visitors, 1_000, 8))
    expect(after.p99).toBeLessThan(2 * calm.p99 + 50)
  })
})
