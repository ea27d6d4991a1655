/** SIGHUP as an operator sends it: a process of its own reads its file anew, and everything that the file names. */
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../stand-in/measure.ts'
import { type Origin, startOrigin } from '../stand-in/origin.ts'
import { freePorts } from '../stand-in/ports.ts'
import { rawExchange } from '../stand-in/raw-client.ts'
import { rawRequest } from '../stand-in/raw-request.ts'
import { type Serving, serve } from '../stand-in/serving.ts'

const withinMs = 15_000
let origin: Origin
let folder = ''
let file = ''
let serving: Serving
beforeAll(async () => {
  origin = await startOrigin({ keepBytes: 0 })
})
afterAll(() => origin?.stop())
afterEach(async () => {
  await serving?.clear()
  rmSync(folder, { recursive: true, force: true })
})

async function start(drain = '{ wait: 0s, timeout: 30s }', more: readonly string[] = []): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'passerelle-'))
  file = join(folder, 'passerelle.yaml')
  writeFileSync(join(folder, 'secret'), 'thirty-two bytes and a few more, of no importance\n')
  writeFileSync(join(folder, 'institutes.csv'), '51;INP\n')
  const [port = 0, operationsPort = 0] = await freePorts(2)
  writeFileSync(file, written(port, operationsPort, drain))
  serving = await serve({ origin: origin.url, own: { file, port, operationsPort, more } })
}

const written = (port: number, operationsPort: number, drain: string) => `
portal: "http://acces.localhost:${port}"
listen: { address: "127.0.0.1:${port}" }
operations: { address: "127.0.0.1:${operationsPort}" }
drain: ${drain}
session: { secrets: ["\${file:secret}"] }
claims: { domain: { from: [ou], table: institutes.csv } }
idps:
  - id: campus
    label: Campus
    oidc: { issuer: "http://127.0.0.1:9", clientId: passerelle, clientSecret: "\${file:secret}" }
resources:
  - id: site
    title: Site
    at: "http://site.localhost:${port}"
    origin: "${origin.url}"
    policy: public
`

/** 0: it is not there. */
const metric = async (name: string): Promise<number> => {
  const { text } = await serving.get('/metrics')
  const line = text.split('\n').find(one => one.startsWith(`passerelle_${name} `))
  return Number(line?.split(' ')[1] ?? 0)
}
const reloads = async () => ({
  adopted: await metric('config_reloads_total{outcome="adopted"}'),
  refused: await metric('config_reloads_total{outcome="refused"}'),
})
const status = async () => {
  const bytes = rawRequest({ host: `site.localhost:${serving.port}`, target: '/status' })
  return (await rawExchange(serving.port, bytes, { responses: 1 })).responses[0]?.status
}
const edit = (change: (yaml: string) => string) => writeFileSync(file, change(readFileSync(file, 'utf8')))

/** SIGHUP, and until one more reload has come to an end of this kind. */
async function reload(outcome: 'adopted' | 'refused'): Promise<void> {
  const before = await reloads()
  serving.child.kill('SIGHUP')
  await until(
    `one more reload that is ${outcome}`,
    async () => (await reloads())[outcome] === before[outcome] + 1,
    withinMs,
  )
  const other = outcome === 'adopted' ? 'refused' : 'adopted'
  expect((await reloads())[other]).toBe(before[other])
}

describe('--watch', () => {
  it('needs no signal: a change of the file, or of one that it names, is read by itself', async () => {
    await start(undefined, ['--watch'])
    writeFileSync(`${file}.new`, readFileSync(file, 'utf8').replace('policy: public', 'policy: signed-in'))
    renameSync(`${file}.new`, file)
    await until('the new policy', async () => (await status()) === 401, withinMs)
    await until('its count', async () => (await reloads()).adopted === 1, withinMs)
    writeFileSync(join(folder, 'institutes.csv'), '51;INP\n52\n')
    await until('the refusal', async () => (await reloads()).refused === 1, withinMs)
    await serving.says(/institutes\.csv:2:\d+/)
    writeFileSync(join(folder, 'institutes.csv'), '51;INP\n52;INSU\n')
    await until('the mended table', async () => (await reloads()).adopted === 2, withinMs)
  })
})

describe('SIGHUP', () => {
  it('has the file read anew: what it says holds from the next request on, in the process that ran before', async () => {
    await start()
    expect(await status()).toBe(200)
    edit(yaml => yaml.replace('policy: public', 'policy: signed-in'))
    await reload('adopted')
    expect(await status()).toBe(401)
    edit(yaml => yaml.replace('policy: signed-in', 'policy: public'))
    await reload('adopted')
    expect(await status()).toBe(200)
    expect(serving.child.exitCode).toBeNull()
    expect(serving.err()).toBe('')
  })

  it('changes nothing where the file is gone, unreadable, half-written, or names what is', async () => {
    await start()
    const checksum = await metric('config_checksum')
    const good = readFileSync(file, 'utf8')
    const broken: readonly [string, () => void, RegExp, () => void][] = [
      [
        'gone',
        () => renameSync(file, `${file}.away`),
        /passerelle\.yaml\n {4}does not exist/,
        () => renameSync(`${file}.away`, file),
      ],
      [
        'half-written',
        () => writeFileSync(file, good.slice(0, good.indexOf('oidc:') + 12)),
        /passerelle\.yaml:\d+:\d+/,
        () => writeFileSync(file, good),
      ],
      // Root may read every file, but no folder as one.
      [
        'a folder',
        () => {
          renameSync(file, `${file}.away`)
          mkdirSync(file)
        },
        /is a directory/,
        () => {
          rmdirSync(file)
          renameSync(`${file}.away`, file)
        },
      ],
      ['empty', () => writeFileSync(file, ''), /is empty/, () => writeFileSync(file, good)],
      [
        'a short secret',
        () => writeFileSync(join(folder, 'secret'), 'short'),
        /passerelle\.yaml:6:\d+ {2}session\.secrets\[0\]\n.*is 5 bytes long/,
        () => writeFileSync(join(folder, 'secret'), 'thirty-two bytes and a few more, of no importance\n'),
      ],
      [
        'a table that is broken',
        () => writeFileSync(join(folder, 'institutes.csv'), '51;INP\n52\n'),
        /institutes\.csv:2:\d+/,
        () => writeFileSync(join(folder, 'institutes.csv'), '51;INP\n'),
      ],
    ]
    for (const [what, breaks, says, mends] of broken) {
      breaks()
      await reload('refused')
      await serving.says(says)
      expect(await metric('config_last_reload_successful'), what).toBe(0)
      expect(await metric('config_checksum'), what).toBe(checksum)
      expect(await status(), what).toBe(200)
      mends()
    }
    await reload('adopted')
    expect(await metric('config_checksum')).toBe(checksum)
    await serving.says('"msg":"configuration.refused"')
    // Now everything that was ever written is there.
    serving.child.kill('SIGTERM')
    await serving.ended
    expect(serving.out()).not.toContain('of no importance')
    expect(serving.out().match(/"msg":"configuration\.refused"/g)).toHaveLength(broken.length)
  })

  it('reads what the file names: another secret, another table', async () => {
    await start()
    const before = await metric('config_checksum')
    writeFileSync(join(folder, 'institutes.csv'), '51;INP\n52;INSU\n')
    await reload('adopted')
    const table = await metric('config_checksum')
    writeFileSync(join(folder, 'secret'), 'other thirty-two bytes and a few more, of no importance\n')
    await reload('adopted')
    expect(new Set([before, table, await metric('config_checksum')]).size).toBe(3)
  })

  it('twenty times at once is at most twenty reloads and ends with the last text; every request meanwhile is answered', async () => {
    await start()
    const answers: (number | undefined)[] = []
    let over = false
    const asking = (async () => {
      while (!over) answers.push(await status())
    })()
    for (let round = 0; round < 20; round++) {
      edit(yaml => yaml.replace(/title: .*/, `title: Round ${round}`))
      serving.child.kill('SIGHUP')
    }
    edit(yaml => yaml.replace('policy: public', 'policy: signed-in'))
    serving.child.kill('SIGHUP')
    await until('the last text', async () => (await status()) === 401, withinMs)
    over = true
    await asking
    expect(answers.filter(one => one !== 200 && one !== 401)).toEqual([])
    // A text that was read while it was being written is refused, and the next signal comes after it.
    const { adopted, refused } = await reloads()
    expect(adopted + refused).toBeLessThanOrEqual(21)
    expect(adopted).toBeGreaterThan(0)
  })

  it('does nothing to a gateway that stops, which it neither holds up nor hurries', async () => {
    await start('{ wait: 4s, timeout: 30s }')
    serving.child.kill('SIGTERM')
    await until('draining', async () => (await serving.get('/readyz')).text === 'draining\n', withinMs)
    edit(yaml => yaml.replace('policy: public', 'policy: signed-in'))
    serving.child.kill('SIGHUP')
    expect(await status()).toBe(200)
    expect(await serving.ended).toEqual({ code: 0, signal: null })
    expect(serving.out()).toContain('"msg":"gateway.stopped"')
    expect(serving.out().match(/configuration\.adopted/g)).toHaveLength(1)
  })
})
