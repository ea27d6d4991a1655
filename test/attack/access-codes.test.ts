/** Attacks on access codes: by the time of an answer (TI-01), and by using one more often than it may be (docs/sessions.md B 16). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hashOf, matches } from '../../src/idp/code/hash.ts'
import { Browser } from '../stand-in/browser-client.ts'
import { type CodeFile, makeCodeFile } from '../stand-in/code-file.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'

describe('the time of a try (TI-01)', () => {
  it('does not tell a selector that exists from one that does not, nor how much of the code is right', async () => {
    const whole = '7K3M2VQX00001111ZZZZ'
    const hash = await hashOf(whole)
    const tries = {
      unknown: () => matches(whole, null),
      nearly: () => matches(`${whole.slice(0, -1)}0`, hash),
      wrong: () => matches('7K3MZZZZZZZZZZZZZZZZ', hash),
    }
    const times: Record<keyof typeof tries, number[]> = { unknown: [], nearly: [], wrong: [] }
    for (let round = 0; round < 12; round++) {
      for (const name of ['unknown', 'nearly', 'wrong'] as const) {
        const begun = process.hrtime.bigint()
        expect(await tries[name]()).toBe(false)
        times[name].push(Number(process.hrtime.bigint() - begun) / 1e6)
      }
    }
    // The fastest of each: what the machine does besides only ever adds.
    const [unknown, nearly, wrong] = [times.unknown, times.nearly, times.wrong].map(all => Math.min(...all))
    expect(Math.abs((nearly ?? 0) / (unknown ?? 1) - 1)).toBeLessThan(0.25)
    expect(Math.abs((wrong ?? 0) / (unknown ?? 1) - 1)).toBeLessThan(0.25)
  })
})

describe('a code that is good for three uses, at two gateways', () => {
  let redis: RedisServer
  let file: CodeFile
  let worlds: readonly TestGateway[]

  beforeAll(async () => {
    redis = await startRedis()
    file = await makeCodeFile()
    const options = {
      store: `{ kind: redis, url: "redis://127.0.0.1:${redis.port}" }`,
      idps: `
  - id: guests
    label: Code
    codes: { file: "${file.path}" }`,
      files: { [file.path]: '' },
      resources: `
  - id: app
    title: Application
    at: "http://app.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    idps: [guests]`,
    }
    const first = await startTestGateway(options)
    worlds = [first, await startTestGateway({ ...options, shared: first })]
  })
  afterAll(async () => {
    for (const world of [...worlds].reverse()) await world.stop()
    await redis.stop()
    await file.remove()
  })

  const enter = async (world: TestGateway | undefined, code: string) => {
    const browser = new Browser()
    const form = await browser.navigate(world?.url('app', '/echo') ?? '')
    return (await browser.submit(form, { code })).status
  }

  it('lets three in, whichever they come to at the same moment, and no fourth; nor after the count is looked for again', async () => {
    const code = await file.add({ uses: 3 })
    const other = await file.add({ uses: 1 })
    const all = await Promise.all(Array.from({ length: 4 }, (_, index) => enter(worlds[index % 2], code)))
    expect(all.toSorted()).toEqual([200, 200, 200, 403])
    // Another entry of the file is written: what was counted stays counted.
    await file.add()
    expect(await enter(worlds[1], code)).toBe(403)
    expect(await enter(worlds[1], other)).toBe(200)
  })
})
