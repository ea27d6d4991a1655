/** What is read as plain is read as node's own parser reads it, or not at all. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mayBecomePlain, readPlainHead } from '../../src/server/plain-head.ts'
import { seeded } from '../stand-in/seeded.ts'

const read = (text: string) => readPlainHead(Buffer.from(text, 'latin1'))
const lines = (...headers: string[]) =>
  `GET /a?b=c HTTP/1.1\r\nHost: x.example\r\n${headers.map(h => `${h}\r\n`).join('')}\r\n`

describe('a plain request', () => {
  it('is a GET or HEAD with its headers as they came', () => {
    expect(read(lines('Accept:  text/html \t', 'cookie: a=1; b=2', 'X-\xc9: no', 'Connection: Keep-Alive'))).toBeNull()
    expect(
      read(lines('Accept:  text/html \t', 'cookie: a=1; b=2', 'X-Name: \xe9', 'Empty:', 'Connection: Keep-Alive')),
    ).toEqual({
      method: 'GET',
      url: '/a?b=c',
      rawHeaders: [
        'Host',
        'x.example',
        'Accept',
        'text/html',
        'cookie',
        'a=1; b=2',
        'X-Name',
        '\xe9',
        'Empty',
        '',
        'Connection',
        'Keep-Alive',
      ],
      cookies: 'a=1; b=2',
    })
    expect(read('HEAD / HTTP/1.1\r\nhost: x.example\r\n\r\n')).toMatchObject({
      method: 'HEAD',
      url: '/',
      cookies: null,
    })
  })

  it.each([
    ['a body', 'Content-Length: 0'],
    ['chunks', 'Transfer-Encoding: chunked'],
    ['another protocol', 'Upgrade: websocket'],
    ['an HTTP/2 preface', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'],
    ['an expectation', 'Expect: 100-continue'],
    ['the end of the connection', 'Connection: close'],
    ['a nominated header', 'Connection: keep-alive, X-Remote-User'],
    ['trailers', 'TE: trailers'],
    ['a WebSocket’s key', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='],
    ['a second Host', 'HOST: y.example'],
    ['a space before the colon', 'X-Name : a'],
    ['a folded line', 'X-Name: a\r\n b'],
    ['a line that begins with a space', ' X-Name: a'],
    ['a line without a colon', 'X-Name'],
    ['a nameless line', ': a'],
    ['a bare LF', 'X-Name: a\nX-Other: b'],
    ['a bare CR', 'X-Name: a\rX-Other: b'],
    ['a NUL', 'X-Name: a\0b'],
    ['a control character', 'X-Name: a\x07b'],
    ['DEL', 'X-Name: a\x7fb'],
  ])('has not %s', (_, header) => {
    expect(read(lines(header))).toBeNull()
  })

  it('has not two lines of cookies, nor more than a hundred lines, nor more than 16 KiB', () => {
    expect(read(lines('Cookie: a=1', 'Cookie: b=2'))).toBeNull()
    expect(read(lines(...Array(99).fill('X-Name: a')))).not.toBeNull()
    expect(read(lines(...Array(100).fill('X-Name: a')))).toBeNull()
    expect(read(lines(`X-Name: ${'a'.repeat(16_000)}`))).not.toBeNull()
    expect(read(lines(`X-Name: ${'a'.repeat(16_384)}`))).toBeNull()
  })

  it.each([
    ['without Host', 'GET / HTTP/1.1\r\nX-Name: a-value-of-some-length\r\n\r\n'],
    ['of HTTP/1.0', 'GET / HTTP/1.0\r\nHost: x.example\r\n\r\n'],
    ['of HTTP/1.10', 'GET / HTTP/1.10\r\nHost: x.example\r\n\r\n'],
    ['with another method', 'POST / HTTP/1.1\r\nHost: x.example\r\n\r\n'],
    ['with a method in lower case', 'get / HTTP/1.1\r\nHost: x.example\r\n\r\n'],
    ['in absolute form', 'GET http://x.example/ HTTP/1.1\r\nHost: x.example\r\n\r\n'],
    ['with a space in its target', 'GET /a b HTTP/1.1\r\nHost: x.example\r\n\r\n'],
    ['with two spaces', 'GET  / HTTP/1.1\r\nHost: x.example\r\n\r\n'],
    ['with a raw byte in its target', 'GET /\xe9 HTTP/1.1\r\nHost: x.example\r\n\r\n'],
    ['behind an empty line', '\r\nGET / HTTP/1.1\r\nHost: x.example\r\n\r\n'],
    ['with lines that end in LF', 'GET / HTTP/1.1\nHost: x.example\n\n'],
    ['with a last line that ends in LF', 'GET / HTTP/1.1\r\nHost: x.example\r\n\n'],
    ['that is not whole', 'GET / HTTP/1.1\r\nHost: x.example\r\nAccept: */*\r\n'],
    ['with another behind it', 'GET / HTTP/1.1\r\nHost: x.example\r\n\r\nGET / HTTP/1.1\r\nHost: x.example\r\n\r\n'],
    ['with a byte behind it', 'GET / HTTP/1.1\r\nHost: x.example\r\n\r\nG'],
    ['with the end of another behind it', 'GET / HTTP/1.1\r\nHost: x.example\r\n\r\nX: y\r\n\r\n'],
  ])('is none %s', (_, text) => {
    expect(read(text)).toBeNull()
  })
})

describe('what may become plain', () => {
  const whole = lines('Accept: text/html', 'Cookie: a=1')

  it('is any beginning of it from the sixth byte on, and never the whole', () => {
    for (let end = 6; end < whole.length; end++) expect(mayBecomePlain(Buffer.from(whole.slice(0, end)))).toBe(true)
    expect(mayBecomePlain(Buffer.from(whole))).toBe(false)
  })

  it.each([
    ['another method', 'POST / HT'],
    ['an end of its own', 'GET / HTTP/1.1\r\n\r\nGET'],
    ['a bare LF', 'GET / HTTP/1.1\nHost'],
    ['a bare CR', 'GET / HTTP/1.1\rHost'],
    ['an empty line before it', '\r\nGET / HT'],
    ['more than 16 KiB', `GET /${'a'.repeat(16_384)}`],
  ])('has not %s', (_, text) => {
    expect(mayBecomePlain(Buffer.from(text))).toBe(false)
  })
})

describe('of a thousand requests that differ in a few bytes', () => {
  let server: Server
  let heard: { readonly method: string; readonly url: string; readonly rawHeaders: readonly string[]; more: boolean }[]
  beforeAll(async () => {
    const hear = (request: IncomingMessage) => {
      const { method = '', url = '', rawHeaders } = request
      const seen = { method, url, rawHeaders, more: false }
      heard.push(seen)
      request.on('data', () => {
        seen.more = true
      })
    }
    server = createServer({ requireHostHeader: false }, (request, response) => {
      hear(request)
      response.end()
    })
    server.on('clientError', (_, socket) => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  /** What node makes of it, with another request behind it: what is read into the first is missing from the second. */
  async function asNode(text: string) {
    heard = []
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    const behind = 'GET /behind HTTP/1.1\r\nHost: behind.example\r\nConnection: close\r\n\r\n'
    socket.end(Buffer.from(text + behind, 'latin1'))
    await new Promise(resolve => socket.resume().once('close', resolve))
    return heard
  }

  const seed = 20_261_120
  const pieces = [
    '\r\n',
    '\n',
    '\r',
    ' ',
    '\t',
    ':',
    ',',
    '\0',
    '\x7f',
    '\xe9',
    'Host: y',
    'Content-Length: 5',
    'Transfer-Encoding: chunked',
    '/',
    '%',
    '?',
    'HTTP/1.1',
    ';',
    '_',
    '"',
    'GET ',
    'Connection: close',
    'Cookie: c=3',
  ]

  it('each that is plain is the same to node, and ends where it does', async () => {
    const random = seeded(seed)
    let plain = 0
    for (let round = 0; round < 4_000; round++) {
      let text = lines(
        'Accept: text/html',
        'Cookie: a=1; b=2',
        'Referer: https://x.example/a',
        'Sec-Fetch-Mode: navigate',
      )
      for (let change = random(3) + 1; change > 0; change--) {
        const at = random(text.length)
        const piece = random(3) === 0 ? String.fromCharCode(random(256)) : (pieces[random(pieces.length)] as string)
        text = text.slice(0, at) + piece + text.slice(at + (random(2) === 0 ? 0 : random(4)))
      }
      const head = read(text)
      if (head === null) continue
      plain++
      const [first, second, ...rest] = await asNode(text)
      const { method, url, rawHeaders } = head
      expect({ round, text, heard: first }).toEqual({ round, text, heard: { method, url, rawHeaders, more: false } })
      expect({ round, text, url: second?.url, rest }).toEqual({ round, text, url: '/behind', rest: [] })
    }
    // Most changes leave a request plain: else nothing was compared.
    expect(plain).toBeGreaterThan(1_000)
  })
})
