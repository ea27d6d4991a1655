/** An origin that fails before it answers, or answers nonsense: a page that says so, at the time that was promised, and nothing worse. */
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { brokenAnswers, goodAnswer, neverAnswer, slowBody, slowHead } from '../stand-in/broken-answers.ts'
import { Browser } from '../stand-in/browser-client.ts'
import { selfSigned } from '../stand-in/certificate.ts'
import { startDeafListener } from '../stand-in/deaf-listener.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { promised, tell, timed, until } from '../stand-in/measure.ts'
import { type Origin, type RawAnswer, startOrigin } from '../stand-in/origin.ts'
import { freePorts } from '../stand-in/ports.ts'
import { RawConnection, rawExchange } from '../stand-in/raw-client.ts'
import { rawRequest } from '../stand-in/raw-request.ts'

/** Longer than a machine with other things to do lets anybody wait. */
const connectMs = 2_000
const answerMs = 3_000
const idleMs = 3_000
/** On top of a limit. */
const spareMs = promised(1_000)

const site = (id: string, origin: string, idle = idleMs) => `
  - id: ${id}
    title: { fr: Site ${id}, en: The ${id} site }
    at: "http://${id}.localhost:$PORT"
    origin: "${origin}"
    policy: public
    timeouts: { connect: ${connectMs}ms, answer: ${answerMs}ms, idle: ${idle}ms }`

/** Answers by the request's path. */
const answers: Readonly<Record<string, RawAnswer>> = {
  good: goodAnswer,
  never: neverAnswer,
  'slow head': slowHead(8),
  'slow body': slowBody(10, 60),
  'a byte every ten seconds': slowBody(10_000, 10),
  'a head every ten seconds': slowHead(10_000),
  ...brokenAnswers,
}

let world: TestGateway
let raw: Origin
const cleanups: (() => unknown)[] = []

beforeAll(async () => {
  raw = await startOrigin({
    answers(socket, bytes, nth) {
      const wanted = decodeURIComponent(/^\S+ \/(\S*)/.exec(bytes.toString('latin1'))?.[1] ?? '')
      answers[wanted]?.(socket, bytes, nth)
    },
  })
  const plain = await startOrigin()
  const deaf = await startDeafListener()
  const [closed] = await freePorts(1)
  const { certificate, key } = selfSigned(['tls.localhost'])
  const secure = createServer({ cert: certificate, key }, (_, response) => response.end('secret'))
  await new Promise<void>(resolve => secure.listen(0, '127.0.0.1', resolve))
  const { port: tlsPort } = secure.address() as AddressInfo
  cleanups.push(raw.stop, plain.stop, deaf.close, () => secure.close())
  world = await startTestGateway({
    resources: [
      site('raw', raw.url),
      site('refused', `http://127.0.0.1:${closed}`),
      site('nameless', 'http://no-such-origin.invalid'),
      site('deaf', `http://127.0.0.1:${deaf.port}`),
      site('selfsigned', `https://tls.localhost:${tlsPort}`),
      site('plain', `https://127.0.0.1:${plain.port}`),
      site('mute', `https://127.0.0.1:${raw.port}`),
      site('good', '$ORIGIN'),
      site('patient', '$ORIGIN', 10_000),
    ].join(''),
  })
})
afterAll(async () => {
  await world?.stop()
  for (const cleanup of cleanups) await cleanup()
})

const inEnglish = new Browser({ language: 'en' })

const lineWith = (reference: string) => world.log.find(line => line.includes(`"ref":"${reference}"`)) ?? ''

const get = (host: string, path: string, method = 'GET') =>
  rawExchange(world.port, rawRequest({ method, host: `${host}.localhost:${world.port}`, target: path }), {
    responses: 1,
    methods: [method],
  })

describe.concurrent.each([
  {
    id: 'refused',
    what: 'refuses connections',
    status: 502,
    code: 'origin.unreachable',
    log: 'ECONNREFUSED',
    waitMs: 0,
  },
  {
    id: 'nameless',
    what: 'has a name that nobody knows',
    status: 502,
    code: 'origin.unreachable',
    log: 'ENOTFOUND',
    waitMs: 0,
  },
  {
    id: 'deaf',
    what: 'lets nobody connect',
    status: 504,
    code: 'origin.timeout',
    log: 'UND_ERR_CONNECT_TIMEOUT',
    waitMs: connectMs,
  },
  {
    id: 'selfsigned',
    what: 'has a certificate of its own making',
    status: 502,
    code: 'origin.unreachable',
    log: 'self-signed certificate',
    waitMs: 0,
  },
  { id: 'plain', what: 'speaks no TLS', status: 502, code: 'origin.unreachable', log: 'ERR_SSL_', waitMs: 0 },
  {
    id: 'mute',
    what: 'never answers the TLS handshake',
    status: 504,
    code: 'origin.timeout',
    log: 'UND_ERR_CONNECT_TIMEOUT',
    waitMs: connectMs,
  },
  {
    id: 'raw',
    what: 'never answers',
    status: 504,
    code: 'origin.timeout',
    log: `no answer within ${answerMs} ms`,
    waitMs: answerMs,
  },
])('an origin that $what', ({ id, what, status, code, log, waitMs }) => {
  const path = '/never'

  it('is a page with a reference, which the log has with the cause', async () => {
    const { ms, value: page } = await timed(() => inEnglish.navigate(world.url(id, path)))
    tell(`an origin that ${what}: until the page, of a limit of ${waitMs} ms`, ms)
    expect(page.status, page.visibleText).toBe(status)
    expect(ms).toBeGreaterThanOrEqual(waitMs * 0.9)
    expect(ms).toBeLessThan(waitMs + spareMs)
    expect(page.header('cache-control')).toBe('no-store')
    expect(page.visibleText).toContain(`The ${id} site`)
    expect(page.links.map(({ text, href }) => [text, href])).toContainEqual(['Try again', path])
    const line = lineWith(/<b>([0-9A-HJKMNP-TV-Z]{6})<\/b>/.exec(page.text)?.[1] ?? '?')
    expect(line).toContain(`"code":"${code}"`)
    expect(line).toContain(log)
    expect(page.text).not.toContain(log)
  })

  it('is JSON with a reference for a script', async () => {
    const answer = await inEnglish.fetch(world.url(id, path))
    expect([answer.status, answer.header('content-type')]).toEqual([status, 'application/json; charset=utf-8'])
    const told = answer.json() as { error: string; reference: string }
    expect(told.error).toBe(code)
    expect(lineWith(told.reference)).toContain(log)
  })

  it('has a form sent to it once at most, and the person is told to check', async () => {
    const page = await inEnglish.navigate(world.url(id, path), { form: { order: '1' }, from: world.url(id, '/') })
    expect(page.status).toBe(status)
    expect(page.visibleText).toContain('You were sending a form.')
    expect(page.links.map(({ text }) => text)).not.toContain('Try again')
    expect(raw.requests.filter(({ method }) => method === 'POST').length).toBeLessThanOrEqual(1)
  })
})

describe('a slow origin', () => {
  it.each(['slow head', 'slow body'])('is waited for within its limits: %s', async name => {
    const { ms, value } = await timed(() => get('raw', `/${encodeURIComponent(name)}`))
    const [answer] = value.responses
    tell(name, ms)
    expect([answer?.status, answer?.complete]).toEqual([200, true])
    expect(answer?.text).toMatch(/^(ok|x{60})$/)
  })

  it('that stops in its head is cut off after the answer limit', async () => {
    const { ms, value } = await timed(() => get('raw', `/${encodeURIComponent('a head every ten seconds')}`))
    tell(`a head that stops, of a limit of ${answerMs} ms`, ms)
    expect(value.responses.map(({ status }) => status)).toEqual([504])
    expect(ms).toBeLessThan(answerMs + spareMs)
  })

  it('that stops in its body is cut off after the idle limit, and the answer does not look whole', async () => {
    const { ms, value } = await timed(() => get('raw', `/${encodeURIComponent('a byte every ten seconds')}`))
    tell(`a body that stops, of a limit of ${idleMs} ms`, ms)
    expect([value.closed, value.responses[0]?.complete]).toEqual([true, false])
    expect(ms).toBeLessThan(idleMs + spareMs)
    await until('the log line', () => world.log.some(line => line.includes('stopped in the middle of its answer')))
  })

  it('has its connection freed', async () => {
    await raw.until(
      () => raw.connections.every(({ open, bytes }) => !open || !bytes.includes('never')),
      'the end of those',
    )
  })
})

describe('a client that takes its time with what it sends', () => {
  it('is not taken for an origin that does not answer', async () => {
    const client = await RawConnection.open(world.port)
    const lines = ['Content-Length: 4', 'Content-Type: text/plain']
    const head = { method: 'POST', host: `patient.localhost:${world.port}`, target: '/echo?raw', lines }
    await client.write(rawRequest({ ...head, body: 'ab' }))
    // Longer than the origin may take for its answer, which is waited for from the last byte sent.
    await new Promise(resolve => setTimeout(resolve, answerMs + 700))
    await client.write('cd')
    await client.until(() => client.responses.length === 1, 3_000)
    client.destroy()
    expect(client.responses.map(({ status, text }) => [status, text])).toEqual([[200, 'abcd']])
  })
})

describe('nonsense from an origin', () => {
  /** What may be served all the same, because it means one thing only; everything else is a 502. */
  const harmless = new Map([
    ['a control character in the status text', 'ok'],
    ['extra bytes after the body', 'ok'],
    ['a body on 204', ''],
    ['a body on 304', ''],
    ['a thousand interim answers first', 'ok'],
  ])

  describe.each(Object.keys(brokenAnswers))('%s', name => {
    it.each(['GET', 'HEAD', 'POST'])('does not pass for a whole answer, and harms nobody else: %s', async method => {
      const exchange = await get('raw', `/${encodeURIComponent(name)}`, method)
      expect(exchange.timedOut).toBe(false)
      const [answer] = exchange.responses
      const seen = answer === undefined ? 'cut' : `${answer.status} ${answer.complete ? 'whole' : 'cut'} ${answer.text}`
      if (answer?.status === 502) expect(answer.complete).toBe(true)
      else if (answer?.complete === true && method !== 'HEAD')
        expect([name, answer.text]).toEqual([name, harmless.get(name)])
      expect(seen).not.toMatch(/planted|hi$|SSH|old/)
      expect(answer?.reason ?? '').toMatch(/^[\x20-\x7e]*$/)
      const next = await get('raw', '/good')
      expect(next.responses.map(({ status, text }) => [status, text])).toEqual([[200, 'ok']])
    })
  })

  it('of every kind at once, fifty times over, leaves the gateway as it was', async () => {
    const names = Object.keys(brokenAnswers)
    const { ms, value } = await timed(() =>
      Promise.all(
        Array.from({ length: 50 * names.length }, (_, nth) =>
          get('raw', `/${encodeURIComponent(names[nth % names.length] ?? '')}`),
        ),
      ),
    )
    expect(value.filter(({ timedOut }) => timedOut)).toHaveLength(0)
    tell(`${value.length} broken answers at once`, ms)
    const after = await timed(() => inEnglish.navigate(world.url('good', '/page')))
    expect(after.value.status).toBe(200)
    tell('the next visitor of another site', after.ms)
  })
})
