/** Two hundred configurations one after the other, with people on the sites: of the old ones nothing may be left. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, it } from 'vitest'
import type { Settings } from '../../src/config/schema.ts'
import { Browser } from '../stand-in/browser-client.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { percentile, tell, timed } from '../stand-in/measure.ts'
import { echoWebSocket } from '../stand-in/origin-paths.ts'

let world: TestGateway | null = null
afterEach(() => world?.stop())

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Megabytes of what is reachable. */
async function reachable(): Promise<number> {
  // Finalizers and closed sockets take a turn or two.
  for (let turn = 0; turn < 5; turn++) {
    collect()
    await new Promise(resolve => setImmediate(resolve))
  }
  return process.memoryUsage().heapUsed / 1024 / 1024
}

const rounds = 200

describe('two hundred reloads, under open WebSockets and requests', () => {
  it('leave none of the old configurations behind, and no memory', async () => {
    const at = await startTestGateway({ origin: { upgrade: echoWebSocket(), keepBytes: 0 } })
    world = at
    const browser = await at.signIn('alice', 'staff')
    await browser.navigate(at.url('app', '/echo'))
    const socket = await browser.webSocket(at.url('staff', '/ws'))
    const visitor = await new Browser().webSocket(at.url('open', '/ws'))
    const old: WeakRef<Settings>[] = []
    const some = async (from: number, to: number) => {
      for (let round = from; round < to; round++) {
        old.push(new WeakRef(at.gateway.settings()))
        expect(await at.reload(yaml => yaml.replace(/title: Plain.*/, `title: Plain ${round}`))).toBe('adopted')
        expect((await browser.navigate(at.url('app', '/echo'))).status).toBe(200)
        at.origin.forget()
      }
    }
    await some(0, rounds / 4)
    const early = await reachable()
    await some(rounds / 4, rounds)
    const late = await reachable()
    tell('reachable after 50 and after 200 reloads', `${early.toFixed(1)} and ${late.toFixed(1)} MB`)
    const left = old.filter(one => one.deref() !== undefined).length
    tell('old configurations that are left', String(left))
    // The one of the start is whose addresses the process has, and the WebSockets were opened under it.
    expect(left).toBeLessThanOrEqual(2)
    expect(late - early).toBeLessThan(8)
    for (const one of [socket, visitor]) {
      one.send('still here')
      await one.until('still here')
      await one.close()
    }
  })
})

describe('a configuration of a thousand sites', () => {
  it('is read in pieces, between which others are served', async () => {
    const sites = (title: string) =>
      Array.from(
        { length: 1_000 },
        (_, index) => `
  - id: site-${index}
    title: ${title} ${index}
    at: "http://site-${index}.localhost:$PORT"
    origin: "$ORIGIN"
    policy: [{ affiliation: staff }, { affiliation: student, address: 192.0.2.0/24 }]
    identity: { headers: { X-Remote-User: "{subject}" } }
`,
      ).join('')
    const at = await startTestGateway({ resources: sites('Site'), origin: { keepBytes: 0 } })
    world = at
    const waits: number[] = []
    let before = performance.now()
    const turns = setInterval(() => {
      waits.push(performance.now() - before)
      before = performance.now()
    }, 1)
    const { ms, value } = await timed(() => at.reload(yaml => yaml.replaceAll('title: Site', 'title: Place')))
    clearInterval(turns)
    waits.push(performance.now() - before)
    expect(value).toBe('adopted')
    tell('a reload of a thousand sites, from asking to adopted', ms)
    tell('the longest that anybody waited for their turn', percentile(waits, 1))
    expect(percentile(waits, 1)).toBeLessThan(0.75 * ms)
  })
})
