/** The program as its supervisor sees it: how it refuses to start, how it stops, and what it does when nothing can be right any more. */
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import { promised, tell, timed, until } from '../stand-in/measure.ts'
import { type Origin, startOrigin } from '../stand-in/origin.ts'
import { freePorts } from '../stand-in/ports.ts'
import { RawConnection } from '../stand-in/raw-client.ts'
import { rawRequest } from '../stand-in/raw-request.ts'
import { configuration, type Program, runProgram, type Serving, secret, serve } from '../stand-in/serving.ts'
import { timesOf, type Visit, visit } from '../stand-in/visits.ts'

let origin: Origin
const running: Program[] = []

beforeAll(async () => {
  origin = await startOrigin({ keepBytes: 0 })
})
afterAll(async () => {
  await Promise.all(running.map(program => program.clear()))
  await origin?.stop()
})

function run(yaml: string | null): Program {
  const program = runProgram(['serve', '$FILE'], yaml, { env: secret })
  running.push(program)
  return program
}

async function start(options: Omit<Parameters<typeof serve>[0], 'origin'> = {}): Promise<Serving> {
  const serving = await serve({ origin: origin.url, ...options, env: { ...secret, ...options.env } })
  running.push(serving)
  return serving
}

const linesOf = (program: Program) =>
  program
    .out()
    .trim()
    .split('\n')
    .filter(line => line !== '')

describe.concurrent('a start that cannot succeed', () => {
  it('exits 1 and says which line of the configuration is wrong', async () => {
    const program = run(
      configuration({ port: 99_999, operationsPort: 1, origin: 'ftp://127.0.0.1', drain: '{ wiat: 1s }' }),
    )
    const { ms, value } = await timed(() => program.ended)
    tell('until it has refused a broken configuration', ms)
    expect(value).toEqual({ code: 1, signal: null })
    expect(program.out()).toMatch(/^\/passerelle\.yaml:3:\d+ {2}listen\.address$/m)
    expect(program.out()).toMatch(/^\/passerelle\.yaml:5:\d+ {2}drain\.wiat$/m)
    expect(program.out()).toMatch(/^\/passerelle\.yaml:15:\d+ {2}resources\[0\]\.origin$/m)
    expect(program.err()).toBe('')
  })

  it('exits 1 for a file that is not there', async () => {
    const program = run(null)
    expect(await program.ended).toEqual({ code: 1, signal: null })
    expect(program.out()).toContain('/passerelle.yaml')
    expect(program.err()).toBe('')
  })

  it.each(['listen', 'operations'])('exits 1 with one sentence where the port of %s is taken', async which => {
    const squatter = createServer()
    await new Promise<void>(resolve => squatter.listen(0, '127.0.0.1', resolve))
    const { port: taken } = squatter.address() as { port: number }
    const [free = 0] = await freePorts(1)
    const ports = which === 'listen' ? { port: taken, operationsPort: free } : { port: free, operationsPort: taken }
    const program = run(configuration({ ...ports, origin: origin.url, drain: '{}' }))
    const ended = await program.ended
    squatter.close()
    expect(ended).toEqual({ code: 1, signal: null })
    // Behind the warnings about plain http.
    const said = linesOf(program)
    expect(said.findIndex(line => line.startsWith('cannot listen'))).toBe(said.length - 1)
    expect(said.at(-1)).toMatch(new RegExp(`^cannot listen: .*127\\.0\\.0\\.1:${taken}$`))
    expect(program.err()).toBe('')
  })
})

describe('SIGTERM', () => {
  beforeEach(() => origin.forget())

  const host = (serving: Serving) => `site.localhost:${serving.port}`

  async function ask(serving: Serving, target: string): Promise<RawConnection> {
    const client = await RawConnection.open(serving.port)
    await client.write(rawRequest({ host: host(serving), target }))
    return client
  }

  const refuses = (port: number) =>
    new Promise<boolean>(resolve => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy()
        resolve(false)
      })
      socket.once('error', () => resolve(true))
    })

  it('is told at /readyz first; what runs is finished, WebSockets are told to go, and it exits 0', async () => {
    const serving = await start({ drain: '{ wait: 4s, timeout: 60s }' })
    const waiting = await Promise.all(Array.from({ length: 100 }, () => ask(serving, '/slow?ms=8000')))
    const downloads = await Promise.all(Array.from({ length: 20 }, () => ask(serving, '/stream?pieces=100&ms=80')))
    const uploads = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const client = await RawConnection.open(serving.port)
        const head = { method: 'POST', host: host(serving), target: '/echo?raw', lines: ['Content-Length: 4'] }
        await client.write(rawRequest({ ...head, body: 'ab' }))
        return client
      }),
    )
    const idle = await ask(serving, '/status')
    await idle.until(() => idle.responses.length === 1, 5_000)
    const page = new Browser()
    const sockets = await Promise.all(Array.from({ length: 10 }, () => page.webSocket(`http://${host(serving)}/ws`)))
    await origin.until(() => origin.requests.length === 151, 'everything at the origin', 10_000)

    serving.child.kill('SIGTERM')
    const told = await until('/readyz to say so', async () => (await serving.get('/readyz')).status === 503, 500, 5)
    tell('from SIGTERM until /readyz says so', told)
    expect(await serving.get('/readyz')).toMatchObject({ text: expect.stringContaining('draining') })
    expect((await serving.get('/livez')).status).toBe(200)
    // The balancer has not looked yet: who comes now is served.
    const late = await visit({ port: serving.port, host: host(serving), path: '/status' }, 20, 5)
    expect(new Set(late.map(({ status }) => status))).toEqual(new Set([200]))

    const closes = await Promise.all(sockets.map(socket => socket.closed))
    expect(new Set(closes.map(({ code }) => code))).toEqual(new Set([1001]))
    tell('WebSockets closed with 1001', `${closes.length} of ${sockets.length}`)
    await until('new connections refused', () => refuses(serving.port), 2_000)
    expect(await idle.until(() => idle.closed, 2_000)).toBe(false)
    for (const client of uploads) await client.write('cd')

    const all = [...waiting, ...downloads, ...uploads]
    await Promise.all(all.map(client => client.until(() => client.responses.length === 1, 30_000)))
    const whole = all.filter(({ responses: [answer] }) => answer?.status === 200 && answer.complete).length
    tell('requests in flight at SIGTERM', `${all.length}, of which ${all.length - whole} lost`)
    expect(whole).toBe(all.length)
    expect(uploads.map(({ responses }) => responses[0]?.text)).toEqual(Array(20).fill('abcd'))

    const { ms, value } = await timed(() => serving.ended)
    tell('from the last answer until it is gone', ms)
    expect(value).toEqual({ code: 0, signal: null })
    expect(ms).toBeLessThan(promised(1_500))
    expect(serving.err()).toBe('')
    const messages = linesOf(serving)
      .filter(line => line.startsWith('{'))
      .map(line => JSON.parse(line).msg as string)
    expect(messages.filter(message => message.startsWith('gateway.'))).toEqual([
      'gateway.started',
      'gateway.draining',
      'gateway.stopped',
    ])
    // Not one line of what was in flight is missing from the log.
    expect(messages.filter(message => message === 'request').length).toBeGreaterThanOrEqual(all.length + 20)
    for (const client of all) client.destroy()
  })

  it('cuts what is not finished at the limit, and exits 0', async () => {
    const serving = await start({ drain: '{ wait: 0s, timeout: 1s }' })
    const waiting = await ask(serving, '/slow')
    await origin.until(() => origin.requests.length === 1)
    const { ms, value } = await timed(() => {
      serving.child.kill('SIGTERM')
      return serving.ended
    })
    tell('with a request that never ends, of a limit of 1 s', ms)
    expect(value).toEqual({ code: 0, signal: null })
    expect(ms).toBeGreaterThan(900)
    expect(ms).toBeLessThan(promised(2_500))
    expect(waiting.closed || !(await waiting.until(() => waiting.closed, 1_000))).toBe(true)
    await origin.until(() => origin.requests[0]?.over === true, 'the end at the origin')
  })

  it.each<[string, string]>([
    ['while it waits for the balancer', '{ wait: 60s, timeout: 60s }'],
    ['while it waits for a request', '{ wait: 0s, timeout: 60s }'],
  ])('a second time stops it at once: %s', async (_when, drain) => {
    const serving = await start({ drain })
    const waiting = await ask(serving, '/slow')
    await origin.until(() => origin.requests.length === 1)
    serving.child.kill('SIGTERM')
    await until('/readyz to say so', async () => (await serving.get('/readyz')).status === 503, 1_000, 5)
    serving.child.kill('SIGTERM')
    const { ms, value } = await timed(() => serving.ended)
    tell('from the second SIGTERM until it is gone', ms)
    expect(value).toEqual({ code: 0, signal: null })
    expect(ms).toBeLessThan(promised(1_500))
    waiting.destroy()
  })
})

describe('SIGHUP', () => {
  beforeEach(() => origin.forget())

  it('stops nobody: what runs is finished, who comes is served, and the configuration has been read anew', async () => {
    const serving = await start()
    const visitors = { port: serving.port, host: `site.localhost:${serving.port}`, path: '/slow?ms=300' }
    const visits = visit(visitors, 60, 20)
    await origin.until(() => origin.requests.length >= 20)
    serving.child.kill('SIGHUP')
    expect(new Set((await visits).map(({ status }) => status))).toEqual(new Set([200]))
    const adopted = () => serving.out().match(/"msg":"configuration\.adopted"/g)?.length
    await until('the word', () => adopted() === 2, 5_000)
    expect((await serving.get('/readyz')).status).toBe(200)
    serving.child.kill('SIGTERM')
    expect(await serving.ended).toEqual({ code: 0, signal: null })
  })

  it('of a terminal that is closed is a stop like any other: what runs is finished first', async () => {
    const atTerminal = `--import=data:text/javascript,${encodeURIComponent('process.stdout.isTTY = true')}`
    const serving = await start({ env: { NODE_OPTIONS: atTerminal } })
    const visits = visit({ port: serving.port, host: `site.localhost:${serving.port}`, path: '/slow?ms=300' }, 20, 20)
    await origin.until(() => origin.requests.length === 20)
    serving.child.kill('SIGHUP')
    expect(new Set((await visits).map(({ status }) => status))).toEqual(new Set([200]))
    expect(await serving.ended).toEqual({ code: 0, signal: null })
  })
})

/** Thrown from outside: nothing of the sources knows of it. */
const atSignal = (what: string) =>
  `--import=data:text/javascript,${encodeURIComponent(`process.on('SIGUSR2',()=>{${what}})`)}`

describe('a state that nobody foresaw', () => {
  it.each([
    [
      'an exception that nobody catches',
      'setImmediate(()=>{throw new Error("nobody foresaw this")})',
      'uncaughtException',
    ],
    ['a rejection that nobody handles', 'Promise.reject(new Error("nobody foresaw this"))', 'unhandledRejection'],
  ])('ends the process: %s', async (_what, thrown, name) => {
    const serving = await start({ env: { NODE_OPTIONS: atSignal(thrown) } })
    const before = await visit({ port: serving.port, host: `site.localhost:${serving.port}`, path: '/status' }, 50, 5)
    expect(before.every(({ status }) => status === 200)).toBe(true)
    serving.child.kill('SIGUSR2')
    const { ms, value } = await timed(() => serving.ended)
    tell(`from ${name} until it is gone`, ms)
    expect(value).toEqual({ code: 70, signal: null })
    expect(serving.out()).toContain(name)
    expect(serving.out()).toContain('nobody foresaw this')
    // What was logged before is not lost with it.
    expect(linesOf(serving).filter(line => line.includes('"msg":"request"'))).toHaveLength(50)
    expect(ms).toBeLessThan(promised(2_000))
  })
})

describe('a log that nobody reads any more', () => {
  it('does not stop requests, and does not stop the stop', async () => {
    const serving = await start({ read: false })
    const visitors = { port: serving.port, host: `site.localhost:${serving.port}`, path: '/status' }
    await visit(visitors, 100, 8)
    // The pipe takes 64 KB, some three hundred lines.
    const first = await visit(visitors, 150, 8)
    const many: Visit[] = []
    const begun = performance.now()
    while (performance.now() - begun < 4_000) many.push(...(await visit(visitors, 200, 8)))
    expect(new Set(many.map(({ status }) => status))).toEqual(new Set([200]))
    tell('p99 while the pipe still takes what is logged', timesOf(first).p99)
    tell(`p99 of ${many.length} requests beyond that`, timesOf(many).p99)
    expect((await serving.get('/readyz')).status).toBe(200)
    expect(serving.err()).toBe('')
    serving.child.kill('SIGTERM')
    const { ms, value } = await timed(() => Promise.race([serving.ended, until('its end', () => false)]))
    tell('from SIGTERM until it is gone, with the log stuck', ms)
    expect(value).toEqual({ code: 0, signal: null })
    expect(ms).toBeLessThan(promised(3_000))
  })

  it('does not hold up a process that must end', async () => {
    const thrown = atSignal('setImmediate(()=>{throw new Error("nobody foresaw this")})')
    const serving = await start({ read: false, env: { NODE_OPTIONS: thrown } })
    const visitors = { port: serving.port, host: `site.localhost:${serving.port}`, path: '/status' }
    await visit(visitors, 2_000, 8)
    serving.child.kill('SIGUSR2')
    const { ms, value } = await timed(() => Promise.race([serving.ended, until('its end', () => false)]))
    tell('from an exception until it is gone, with the log stuck', ms)
    expect(value).toEqual({ code: 70, signal: null })
  })
})
