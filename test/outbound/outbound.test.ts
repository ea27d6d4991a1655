/** name → address → connection, on real sockets (SESSIONS B 15). */
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createOutbound, type Listener, type Outbound, type OutboundSettings } from '../../src/outbound/outbound.ts'
import { selfSigned } from '../stand-in/certificate.ts'
import { promised } from '../stand-in/measure.ts'

const running: { close(): unknown }[] = []
const opened: Outbound[] = []

afterEach(async () => {
  await Promise.all(opened.splice(0).map(outbound => outbound.close()))
  for (const server of running.splice(0)) server.close()
})

function outboundWith(settings: Partial<OutboundSettings> = {}): Outbound {
  const outbound = createOutbound({ ca: null, localAddress: null, refused: [], ...settings })
  opened.push(outbound)
  return outbound
}

async function serve(server: Server, host = '127.0.0.1'): Promise<number> {
  running.push(server)
  await new Promise<void>(resolve => server.listen(0, host, resolve))
  return (server.address() as AddressInfo).port
}

const hello: RequestListener = (_request, response) => void response.end('hello')
const get = { method: 'GET', headers: {}, body: null, signal: null } as const

async function textAt(url: string, outbound = outboundWith()): Promise<string> {
  return (await outbound.fetch(new URL(url), get)).text()
}

describe('a name', () => {
  it.each(['localhost', 'LOCALHOST', 'sso.localhost', 'a.b.localhost', 'sso.localhost.'])(
    'such as %s is loopback, whatever the system’s resolver knows (RFC 6761 §6.3)',
    async name => {
      const port = await serve(createServer(hello))
      expect(await textAt(`http://${name}:${port}/`)).toBe('hello')
    },
  )

  it('under localhost reaches a server that listens on ::1 alone', async context => {
    const server = createServer(hello)
    const port = await serve(server, '::1').catch(() => null)
    if (port === null) return context.skip()
    expect(await textAt(`http://sso.localhost:${port}/`)).toBe('hello')
  })

  it('with a second address where nobody listens is reached, though this process was busy while the first one answered', async () => {
    const port = await serve(createServer(hello))
    // From here on no socket is looked at before the connection is begun.
    await new Promise(resolve => setImmediate(resolve))
    const text = textAt(`http://sso.localhost:${port}/`)
    for (let turn = 0; turn < 200; turn++) await new Promise<void>(resolve => process.nextTick(resolve))
    const until = performance.now() + 600
    while (performance.now() < until);
    expect(await text).toBe('hello')
  })

  it('is sent as Host', async () => {
    let host: string | undefined
    const port = await serve(
      createServer((request, response) => {
        host = request.headers.host
        response.end()
      }),
    )
    await textAt(`http://sso.localhost:${port}/`)
    expect(host).toBe(`sso.localhost:${port}`)
  })

  it('that does not exist is unreachable', async () => {
    await expect(textAt('http://nowhere.invalid/')).rejects.toMatchObject({ reason: 'unreachable' })
  })
})

describe('an address that is never reached', () => {
  it.each([
    'http://169.254.169.254/latest/meta-data/',
    'https://169.254.169.254/',
    'http://[fe80::1]/',
    'http://[::ffff:169.254.169.254]/',
    'http://[64:ff9b::a9fe:a9fe]/',
    'http://0.0.0.0/',
    'http://[::]/',
    'http://224.0.0.1/',
    'http://2852039166/',
    'http://0xa9.0xfe.0xa9.0xfe/',
  ])('%s is refused at once', async url => {
    const started = performance.now()
    await expect(textAt(url)).rejects.toMatchObject({ reason: 'refused-address' })
    expect(performance.now() - started).toBeLessThan(promised(1_000))
  })

  it('is what the connector says with a code of its own, which an access-plane failure needs', async () => {
    const connect = outboundWith().connector(1_000)
    const error = await new Promise<Error | null>(resolve => {
      connect({ hostname: '169.254.169.254', protocol: 'http:', port: '80' }, (...[failure]) => resolve(failure))
    })
    expect(error).toMatchObject({ code: 'origin.refused-address', status: 502 })
  })

  it('is our own listener, also where it joins the list after the start', async () => {
    const asked: IncomingMessage[] = []
    const port = await serve(createServer(request => asked.push(request)))
    const refused: Listener[] = []
    const outbound = outboundWith({ refused })
    refused.push({ host: '0.0.0.0', port })
    for (const host of ['127.0.0.1', 'portal.localhost', '[::ffff:127.0.0.1]']) {
      await expect(textAt(`http://${host}:${port}/`, outbound)).rejects.toMatchObject({ reason: 'refused-address' })
    }
    expect(asked).toHaveLength(0)
  })
})

describe('a local address', () => {
  it('is where connections come from', async () => {
    let from: string | undefined
    const port = await serve(
      createServer((request, response) => {
        from = request.socket.remoteAddress
        response.end()
      }),
    )
    await textAt(`http://127.0.0.1:${port}/`, outboundWith({ localAddress: '127.0.0.2' }))
    expect(from).toBe('127.0.0.2')
    await textAt(`http://sso.localhost:${port}/`, outboundWith({ localAddress: '127.0.0.3' }))
    expect(from).toBe('127.0.0.3')
  })
})

describe('TLS', () => {
  const serveTls = (names: string[], notAfter?: Date) => {
    const { certificate, key } = selfSigned(names, notAfter)
    return { certificate, server: createTlsServer({ cert: certificate, key }, hello) }
  }

  it('trusts a certificate of outbound.ca, and no unknown one', async () => {
    const { certificate, server } = serveTls(['sso.localhost'])
    const port = await serve(server)
    expect(await textAt(`https://sso.localhost:${port}/`, outboundWith({ ca: certificate }))).toBe('hello')
    await expect(textAt(`https://sso.localhost:${port}/`)).rejects.toMatchObject({
      reason: 'unreachable',
      message: expect.stringContaining('SELF_SIGNED'),
      hint: expect.stringContaining('outbound.ca'),
    })
  })

  it('cannot be set up with something that is no certificate, such as the path of one', () => {
    for (const ca of ['/etc/ssl/ca.pem', '', 'nonsense']) expect(() => outboundWith({ ca })).toThrow()
  })

  it('trusts it for its own names only', async () => {
    const { certificate, server } = serveTls(['sso.localhost'])
    const port = await serve(server)
    const failed = textAt(`https://other.localhost:${port}/`, outboundWith({ ca: certificate }))
    await expect(failed).rejects.toMatchObject({
      hint: expect.any(String),
      message: expect.stringContaining('ALTNAME'),
    })
  })

  it('says when a certificate has expired', async () => {
    const { certificate, server } = serveTls(['sso.localhost'], new Date(Date.now() - 60_000))
    const port = await serve(server)
    const failed = textAt(`https://sso.localhost:${port}/`, outboundWith({ ca: certificate }))
    await expect(failed).rejects.toMatchObject({ message: expect.stringContaining('CERT_HAS_EXPIRED') })
  })

  it('offers HTTP/1.1 alone', async () => {
    const { certificate, key } = selfSigned(['sso.localhost'])
    const offered: (readonly string[])[] = []
    const server = createTlsServer(
      {
        cert: certificate,
        key,
        ALPNCallback: ({ protocols }) => {
          offered.push(protocols)
          return 'http/1.1'
        },
      },
      hello,
    )
    const port = await serve(server)
    await textAt(`https://sso.localhost:${port}/`, outboundWith({ ca: certificate }))
    expect(offered).toEqual([['http/1.1']])
  })
})
