/** HO: the Host header. It decides where a request belongs, so it has one value and one reading, and is repeated to nobody. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { sandbox } from '../../src/access/answer.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { rawExchange } from '../stand-in/raw-client.ts'
import { rawRequest } from '../stand-in/raw-request.ts'

let world: TestGateway
let alice: string
beforeAll(async () => {
  world = await startTestGateway()
  alice = world.cookieOf(await world.signIn('alice'))
})
beforeEach(() => world.origin.forget())
afterEach(() => world.invariants())
afterAll(() => world.stop())

const navigation = ['Accept: text/html', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document']

describe('HO-01', () => {
  it.each([
    ['no Host', []],
    ['an empty Host', ['Host: ']],
    ['the same Host twice', ['Host: app.localhost', 'Host: app.localhost']],
    ['two Hosts, ours first', ['Host: app.localhost', 'Host: evil.test']],
    ['two Hosts, ours last', ['host: evil.test', 'HOST: app.localhost']],
    ['a list', ['Host: app.localhost, evil.test']],
    ['a list without a space', ['Host: app.localhost,open.localhost']],
    ['a space before the colon', ['Host : app.localhost']],
    ['user information', ['Host: app.localhost@evil.test']],
    ['user information of ours', ['Host: evil.test@app.localhost']],
    ['a path', ['Host: app.localhost/adm/']],
    ['a query', ['Host: app.localhost?x']],
    ['a fragment', ['Host: app.localhost#x']],
    ['a backslash', ['Host: app.localhost\\evil.test']],
    ['a space inside', ['Host: app.localhost evil.test']],
    ['an escape', ['Host: app%2elocalhost']],
    ['two dots', ['Host: app..localhost']],
    ['a dot first', ['Host: .app.localhost']],
    ['two dots last', ['Host: app.localhost..']],
    ['a port that is no port', ['Host: app.localhost:99999']],
    ['a port that is no number', ['Host: app.localhost:8o']],
    ['two ports', ['Host: app.localhost:80:80']],
    ['a control character', ['Host: app.localhost\x01']],
    ['a NUL', ['Host: app.localhost\0.evil.test']],
    ['a letter beyond ASCII', ['Host: \xe4pp.localhost']],
    ['a name of 300 characters', [`Host: ${'a'.repeat(300)}.localhost`]],
    ['an address that is none', ['Host: [::1']],
  ])('%s is 400, and the end of the connection', async (_, lines) => {
    const text = rawRequest({ target: '/pub/', host: null, cookie: alice, lines })
    const { responses, closed } = await rawExchange(world.port, text)
    expect(responses.map(({ status }) => status)).toEqual([400])
    expect(closed).toBe(true)
    expect(world.origin.requests).toHaveLength(0)
  })

  it.each([
    ['another host', 'http://evil.test/pub/'],
    ['another of ours', 'http://open.localhost/pub/'],
    ['user information', 'http://app.localhost@evil.test/pub/'],
    ['another scheme', 'ftp://app.localhost/pub/'],
    ['no host', 'http:///pub/'],
  ])('a target that names %s than the Host header is 400', async (_, target) => {
    const text = rawRequest({ target, host: 'app.localhost', cookie: alice })
    const { responses, closed } = await rawExchange(world.port, text)
    expect(responses.map(({ status }) => status)).toEqual([400])
    expect(closed).toBe(true)
    expect(world.origin.requests).toHaveLength(0)
  })

  it('a target that names the same host is the path that it names (RFC 9112 §3.2.2)', async () => {
    const text = rawRequest({ target: 'http://APP.localhost/pub/x?y', host: 'app.localhost' })
    const { responses } = await rawExchange(world.port, text, { responses: 1 })
    expect(responses[0]?.status).toBe(200)
    expect(world.origin.requests.map(({ url }) => url)).toEqual(['/pub/x?y'])
  })
})

describe('HO-03 a Host that somebody made up', () => {
  const elsewhere = /(?:href|src|action|content|formaction|data)\s*=\s*["']?[^"'>]*evil\.test/i

  it('gets a page that leads nowhere but to us, sandboxed, and no cookie', async () => {
    const text = rawRequest({ target: '/adm/', host: 'evil.test', cookie: alice, lines: navigation })
    const { responses } = await rawExchange(world.port, text, { responses: 1 })
    const [response] = responses
    expect(response?.status).toBe(404)
    expect(response?.text).not.toMatch(elsewhere)
    expect(response?.rawHeaders.join('\n')).not.toContain('evil.test')
    expect(response?.headers('content-security-policy')).toEqual([sandbox])
    expect(response?.headers('set-cookie')).toEqual([])
    expect(world.origin.requests).toHaveLength(0)
  })

  it.each([
    ['the sign-in page', '/login'],
    ['the way in', '/enter?to=x&n=y&a=1'],
    ['the signed-out page', '/signed-out'],
    ['an address of ours that does not exist', '/nothing'],
    ['a callback', '/callback/campus?state=x&code=y'],
  ])('said beside the real one is not repeated: %s', async (_, target) => {
    const lines = [
      ...navigation,
      'X-Forwarded-Host: evil.test',
      'X-Forwarded-Proto: javascript',
      'X-Forwarded-Prefix: //evil.test',
      'X-Original-Host: evil.test',
      'X-Host: evil.test',
      'Forwarded: host=evil.test;proto=https',
    ]
    const text = rawRequest({ target, host: `acces.localhost:${world.port}`, lines })
    const { responses } = await rawExchange(world.port, text, { responses: 1 })
    expect(responses[0]?.status).toBeGreaterThan(0)
    expect(responses[0]?.bytes.toString('latin1')).not.toContain('evil.test')
  })

  it.each(['app.localhost', 'APP.LOCALHOST.', 'app.localhost:1'])(
    'in another spelling is not where the sign-in leads back to: %s',
    async host => {
      const text = rawRequest({ target: '/adm/?x', host, lines: navigation })
      const { responses } = await rawExchange(world.port, text, { responses: 1 })
      expect(responses[0]?.status).toBe(303)
      const to = new URL(responses[0]?.header('location') ?? '')
      expect(to.origin).toBe(new URL(world.portal()).origin)
      expect(to.searchParams.get('to')).toBe(world.url('app', '/adm/?x'))
    },
  )

  it('does not reach the page of a failure on a site', async () => {
    const lines = [...navigation, 'X-Forwarded-Host: evil.test', 'Referer: http://evil.test/']
    const text = rawRequest({ target: '/adm/../pub', host: `app.localhost:${world.port}`, lines })
    const { responses } = await rawExchange(world.port, text, { responses: 1 })
    expect(responses[0]?.status).toBe(400)
    expect(responses[0]?.bytes.toString('latin1')).not.toContain('evil.test')
    expect(responses[0]?.headers('content-security-policy')).toEqual([sandbox])
  })
})
