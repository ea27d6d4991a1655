/** What an operator reads of the uses that are left of codes, wherever they are counted (docs/sessions.md B 16). */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { codes } from '../../src/command/codes.ts'
import { aSite } from '../stand-in/a-site.ts'
import { type CodeFile, makeCodeFile } from '../stand-in/code-file.ts'
import { aCodeIdp, type CodeIdpOptions, enterCode } from '../stand-in/code-idp.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { operations, operatorSecret } from '../stand-in/operator.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'

let redis: RedisServer
let file: CodeFile
let state: string
let world: TestGateway

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.close())
beforeEach(async () => {
  file = await makeCodeFile()
  state = join(file.path, '../uses')
  await writeFile(state, '')
})
afterEach(async () => {
  await world.stop()
  await file.remove()
})

/** Where uses are counted: what the configuration says of it. */
interface Counted {
  readonly store: string
  readonly counts: CodeIdpOptions
}
const inRedis = (): Counted => ({ store: `{ kind: redis, url: "${redis.url}" }`, counts: {} })
const inFile = (): Counted => ({ store: '{ kind: memory }', counts: { state } })

async function start({ store, counts }: Counted): Promise<void> {
  world = await startTestGateway({
    store,
    operations,
    idps: aCodeIdp(file, 'guests', counts) + aCodeIdp(file, 'others', counts),
    files: { [file.path]: '', [state]: '' },
    resources: aSite('guest', ['idps: [guests]']),
  })
}

const use = async (code: string) => (await enterCode(code, world.url('guest', '/echo'))).status

/** The configuration as the operator's command reads it: the gateway's own, where the gateway reads another in a test. */
async function list(
  { store, counts }: Counted,
  { secret = operatorSecret, ids = ['guests'], more = [] as string[], port = world.operationsPort } = {},
) {
  const config = join(file.path, '../passerelle.yaml')
  await writeFile(
    config,
    `
portal: http://acces.localhost:8080
operations: { address: "127.0.0.1:${port}"${secret === '' ? '' : `, secret: "\${env:OPERATIONS}"`} }
session: { secrets: ["\${env:SECRET}"], store: ${store} }
idps: ${ids.map(id => aCodeIdp(file, id, counts)).join('')}
`,
  )
  const [out, err]: [string[], string[]] = [[], []]
  const env = { SECRET: 'a long text for the sake of this file, never used', OPERATIONS: secret }
  const args = ['list', '--config', config, ...more]
  const code = await codes(args, { write: text => out.push(text) }, { write: text => err.push(text) }, env)
  return { code, out: out.join(''), err: err.join('') }
}
/** By selector. */
const leftIn = (out: string) => new Map(out.split('\n').map(line => [line.slice(0, 4), /^\S+ +(.*)$/.exec(line)?.[1]]))

describe.each([
  ['in Redis', inRedis],
  ['in a file', inFile],
])('uses that are counted %s', (_, where) => {
  it('are listed with how many are left, as the gateway has counted them', async () => {
    await start(where())
    const [some, none, free, fresh] = [
      await file.add({ uses: 3 }),
      await file.add({ uses: 1 }),
      await file.add(),
      await file.add({ uses: 12 }),
    ]
    expect([await use(some), await use(none), await use(free)]).toEqual([200, 200, 200])
    expect(await use(none)).toBe(403)
    const { code, out, err } = await list(where())
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(/^CODE {2}FROM \(UTC\) {8}UNTIL \(UTC\) {7}USES {2}LEFT {2}CLAIMS/)
    expect(leftIn(out).get(some.slice(0, 4))).toBe('3     2')
    expect(leftIn(out).get(none.slice(0, 4))).toBe('1     0')
    expect(leftIn(out).get(fresh.slice(0, 4))).toBe('12    12')
    expect(leftIn(out).get(free.slice(0, 4))).toBeUndefined()
    const json = await list(where(), { more: ['--json'] })
    const lines = json.out
      .trim()
      .split('\n')
      .map(text => JSON.parse(text))
    expect(lines.map(({ idp, uses, left }) => [idp, uses, left])).toEqual([
      ['guests', 3, 2],
      ['guests', 1, 0],
      ['guests', null, null],
      ['guests', 12, 12],
    ])
  })

  it('are those of each identity provider apart, on the same file', async () => {
    await start(where())
    const code = await file.add({ uses: 2 })
    expect(await use(code)).toBe(200)
    const { out } = await list(where(), { ids: ['guests', 'others'] })
    expect(out).toMatch(/^IDP {11}CODE/)
    expect(out).toMatch(new RegExp(`^guests +${code.slice(0, 4)} +2 +1$`, 'm'))
    expect(out).toMatch(new RegExp(`^others +${code.slice(0, 4)} +2 +2$`, 'm'))
  })

  it('of a code that was issued anew under the same selector begin at none', async () => {
    await start(where())
    const code = await file.add({ uses: 2 })
    expect(await use(code)).toBe(200)
    const other = await makeCodeFile()
    await other.add({ uses: 2 })
    const hash = /hash: (\S+)/.exec(await other.text())?.[1] ?? ''
    await file.write((await file.text()).replace(/hash: \S+/, `hash: ${hash}`))
    await other.remove()
    expect(leftIn((await list(where())).out).get(code.slice(0, 4))).toBe('2     2')
  })
})

describe('uses that are counted in Redis', () => {
  it('of many codes are all asked for', async () => {
    await start(inRedis())
    const first = await file.add({ uses: 2 })
    const entry = await file.text()
    // As of others: the same text under other selectors.
    const letters = [...'ABCDEFGHJKMNPQRSTVWXYZ23456789']
    const selectors = letters.flatMap(one => ['A', 'B', 'C', 'D'].map(two => `Z${one}Z${two}`))
    await file.write(entry + selectors.map(name => entry.replace(first.slice(0, 4), name)).join(''))
    expect(await use(first)).toBe(200)
    const { code, out } = await list(inRedis(), { more: ['--json'] })
    const lines = out
      .trim()
      .split('\n')
      .map(text => JSON.parse(text))
    expect(code).toBe(0)
    expect(lines.map(({ left }) => left)).toEqual([1, ...selectors.map(() => 2)])
  })

  it.each([
    ['no secret to ask with', { secret: '' }, 'Redis counts them, and only the running gateway reads it'],
    [
      'another secret',
      { secret: 'another-secret-that-is-long-enough-to-be-one' },
      'operations.secret must come as a bearer',
    ],
    ['nobody at that address', { port: 9 }, 'does not answer'],
  ])('are said to be unknown where there is %s, and the rest of the list is there', async (_, how, sentence) => {
    await start(inRedis())
    const code = await file.add({ uses: 2, note: 'for the fair' })
    const { code: exit, out, err } = await list(inRedis(), how)
    expect(exit).toBe(1)
    expect(err).toContain('how many uses are left of the codes of "guests" is not known: ')
    expect(err).toContain(sentence)
    expect(leftIn(out).get(code.slice(0, 4))).toMatch(/^2 +\? +for the fair$/)
    // Where none is limited nobody needs to be asked.
    await file.write('')
    await file.add({ note: 'for the fair' })
    expect(await list(inRedis(), how)).toMatchObject({ code: 0, err: '' })
  })

  it('are not told to whom the secret is unknown, nor to a question that is none', async () => {
    await start(inRedis())
    const ask = (body: unknown, secret = operatorSecret) =>
      fetch(`http://127.0.0.1:${world.operationsPort}/codes/uses`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${secret}`, 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      })
    expect((await ask({ names: ['x'] }, 'wrong')).status).toBe(401)
    expect(await (await ask({ names: ['x'] })).text()).toBe('{"name":"x","used":0}\n{"done":true}\n')
    expect(await (await ask({ names: [] })).text()).toBe('{"done":true}\n')
    for (const wrong of [{}, { names: 'x' }, { names: [''] }, { names: [1] }, { names: ['x'], more: 1 }, { all: true }])
      expect((await ask(wrong)).status, JSON.stringify(wrong)).toBe(400)
    expect((await ask({ names: Array.from({ length: 101 }, () => 'x') })).status).toBe(400)
    expect((await ask({ names: ['x'.repeat(201)] })).status).toBe(400)
  })

  it('are said to be unknown while Redis is away', async () => {
    await start(inRedis())
    await file.add({ uses: 2 })
    redis.freeze()
    try {
      const { code, err } = await list(inRedis())
      expect([code, err]).toEqual([1, expect.stringContaining('session.store-down')])
    } finally {
      redis.thaw()
    }
  })
})
