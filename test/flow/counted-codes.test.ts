/** Codes that are good for so many sign-ins, at a gateway that keeps its sessions in memory and counts in a file (docs/sessions.md B 16). */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { aSite } from '../stand-in/a-site.ts'
import { type CodeFile, makeCodeFile } from '../stand-in/code-file.ts'
import { aCodeIdp, enterCode } from '../stand-in/code-idp.ts'
import { startTestGateway, type TestGateway, type TestGatewayOptions } from '../stand-in/gateway.ts'

let file: CodeFile
let state: string
let options: TestGatewayOptions
const worlds: TestGateway[] = []

beforeAll(async () => {
  file = await makeCodeFile()
  state = join(file.path, '../uses')
  await writeFile(state, '')
  options = {
    idps: aCodeIdp(file, 'guests', { state }),
    files: { [file.path]: '', [state]: '' },
    resources: aSite('guest', ['idps: [guests]']),
  }
})
afterEach(async () => {
  for (const world of worlds.splice(0).reverse()) await world.stop()
})
afterAll(() => file.remove())

async function start(): Promise<TestGateway> {
  const world = await startTestGateway({ ...options, ...(worlds[0] === undefined ? {} : { shared: worlds[0] }) })
  worlds.push(world)
  return world
}

const enter = (world: TestGateway, code: string) => enterCode(code, world.url('guest', '/echo'))
const tries = (world: TestGateway) =>
  world.events.flatMap(event => (event.name === 'code.tried' ? [`${event.outcome} ${event.selector}`] : []))

it('a use stays used when the gateway starts anew', async () => {
  const code = await file.add({ uses: 2 })
  const first = await start()
  expect((await enter(first, code)).status).toBe(200)
  await worlds.pop()?.stop()
  const second = await start()
  expect((await enter(second, code)).status).toBe(200)
  await worlds.pop()?.stop()
  const third = await start()
  const refused = await enter(third, code)
  expect([refused.status, refused.visibleText.includes('used as often as it may be')]).toEqual([403, true])
  expect(tries(third)).toEqual([`used-up ${code.slice(0, 4)}`])
})

it('two gateways on one file, such as during an upgrade, give no more than there are', async () => {
  const code = await file.add({ uses: 3 })
  const both = [await start(), await start()]
  const all = await Promise.all(Array.from({ length: 5 }, (_, index) => enter(both[index % 2] as TestGateway, code)))
  expect(all.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 403, 403])
})

it('where the count cannot be read the code is refused with a page that says so, others go on, and nothing is given back', async () => {
  const [counted, free] = [await file.add({ uses: 2 }), await file.add()]
  const world = await start()
  expect((await enter(world, counted)).status).toBe(200)
  const good = await readFile(state, 'utf8')
  const damaged = good.slice(0, -3)
  await writeFile(state, damaged)
  const refused = await enter(world, counted)
  expect(refused.status).toBe(503)
  expect(refused.visibleText).toContain('Your access code could not be used')
  const [, reference = 'none'] = /reference ([0-9A-Z]{6})/.exec(refused.visibleText) ?? []
  const line = world.log.find(one => one.includes(reference)) ?? ''
  expect(line).toContain('"code":"code.not-counted"')
  expect(line).toContain('is damaged')
  expect(line).toContain('Put it back from a copy')
  expect(tries(world).at(-1)).toBe(`uncounted ${counted.slice(0, 4)}`)
  expect(await readFile(state, 'utf8')).toBe(damaged)
  expect((await enter(world, free)).status).toBe(200)
  await writeFile(state, good)
  expect((await enter(world, counted)).status).toBe(200)
  expect((await enter(world, counted)).status).toBe(403)
})
