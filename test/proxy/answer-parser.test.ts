/**
 * SM-05 to SM-09 where they are decided: what is an answer, where it ends, and whether its connection may carry another one. The
 * judge beside the facts is node's own client: whatever both take for an answer must be the same answer to both.
 */
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Question } from '../../src/proxy/answer-parser.ts'
import { createResponseHeaders } from '../../src/proxy/response-headers.ts'
import { aResource } from '../resource/a-resource.ts'
import { tell } from '../stand-in/measure.ts'
import { seeded } from '../stand-in/seeded.ts'
import { badAnswers, goodAnswers, spoiled, upgraded } from './answer-corpus.ts'
import { type NodeReader, ourReading, type Reading, startNodeReader } from './reading.ts'

const get: Question = { head: false, upgrade: false }
const head: Question = { head: true, upgrade: false }
const upgrade: Question = { head: false, upgrade: true }
const ok = 'HTTP/1.1 200 OK\r\n'

const forBrowser = createResponseHeaders(aResource({}))

/** As the gateway would write it. @throws what would end the process */
function written({ status, statusText, headers }: Reading): ServerResponse {
  const response = new ServerResponse(new IncomingMessage(new Socket()))
  return response.writeHead(status ?? 0, statusText, forBrowser(headers, true))
}

const read = (text: string, question = get) => ourReading(text, question, [])
const named = (list: typeof goodAnswers) => list.map(one => [one.what, one] as const)

describe('a good answer', () => {
  it.each(named(goodAnswers))('%s is read to its end', (_, { text, question }) => {
    const { status, reusable, refused } = read(text, question)
    expect(status).toBeGreaterThanOrEqual(200)
    expect(reusable).not.toBeNull()
    expect(refused).toBeNull()
  })

  it('keeps its status, its words, and its headers in their order, spelling and bytes', () => {
    const { status, statusText, headers, body } = read(
      'HTTP/1.1 299 Tr\xe8s bien\r\nX-b:1\r\nx-B: \t2 3\t \r\nX-N: \xa0\xe9\xa0\r\nX-E:\r\nContent-Length: 2\r\n\r\n\0\xff',
    )
    expect([status, statusText, body]).toEqual([299, 'Tr\xe8s bien', '\0\xff'])
    expect(headers).toEqual(['X-b', '1', 'x-B', '2 3', 'X-N', '\xa0\xe9\xa0', 'X-E', '', 'Content-Length', '2'])
  })

  it('has the body that its chunks make, and nothing of its trailers', () => {
    const text = `${ok}Transfer-Encoding: Chunked\r\n\r\n5;x\r\nhello\r\n01\r\n,\r\n0\r\nX: 1\r\n\r\n`
    expect(read(text)).toMatchObject({ body: 'hello,', headers: ['Transfer-Encoding', 'Chunked'] })
  })

  it('comes behind others that are only its beginning, which are told apart (RFC 9110 §15.2)', () => {
    const text = `HTTP/1.1 103 Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 102 \r\n\r\n${ok}Content-Length: 0\r\n\r\n`
    expect(read(text)).toMatchObject({
      interim: [
        [103, ['Link', '<a>']],
        [102, []],
      ],
      status: 200,
    })
  })

  it.each(named(goodAnswers))('%s is one that node can write', (_, { text, question }) => {
    expect(written(read(text, question)).headersSent).toBe(true)
  })

  it('is one that node can write, whatever byte stands in it: none throws on its way out', () => {
    const places = [
      (byte: string) => `HTTP/1.1 200 a${byte}b\r\nContent-Length: 0\r\n\r\n`,
      (byte: string) => `${ok}X-${byte}: 1\r\nContent-Length: 0\r\n\r\n`,
      (byte: string) => `${ok}X: ${byte}b\r\nContent-Length: 0\r\n\r\n`,
      (byte: string) => `${ok}Set-Cookie: a${byte}; Path=${byte}/\r\nContent-Length: 0\r\n\r\n`,
      (byte: string) => `${ok}Location: http://10.0.0.1/${byte}?${byte}\r\nContent-Length: 0\r\n\r\n`,
    ]
    let taken = 0
    for (const place of places) {
      for (let code = 0; code < 256; code++) {
        const reading = read(place(String.fromCharCode(code)))
        if (reading.reusable === null) continue
        expect(written(reading).headersSent).toBe(true)
        taken++
      }
    }
    expect(taken).toBeGreaterThan(900)
  })
})

describe('a change of protocols', () => {
  it('hands over every byte that came behind it', () => {
    expect(read(upgraded.text, upgrade)).toMatchObject({ upgraded: '\x81\x02hi\r\n\r\n', status: null, refused: null })
  })

  it('that is refused in HTTP leaves a connection that nobody uses again', () => {
    expect(read(`${ok}Content-Length: 2\r\n\r\nno`, upgrade)).toMatchObject({ body: 'no', reusable: false })
  })
})

describe('a bad answer', () => {
  it.each(named(badAnswers))('is refused: %s', (_, { text, question }) => {
    const { reusable, refused, upgraded } = read(text, question)
    expect([reusable, upgraded]).toEqual([null, null])
    expect(refused).not.toBeNull()
  })
})

it('lines that end without CR are refused as soon as they end a head, not waited for', () => {
  expect(read(`HTTP/1.1 200 OK\nX: 1\n\n${'<p>'.repeat(100)}`).refused).toContain('without CR')
})

describe('the connection', () => {
  const answers: readonly (readonly [what: string, text: string, question: Question, usable: boolean])[] = [
    ['known length', `${ok}Content-Length: 2\r\n\r\nok`, get, true],
    ['chunks', `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, get, true],
    ['204', 'HTTP/1.1 204 No\r\n\r\n', get, true],
    ['304', 'HTTP/1.1 304 No\r\n\r\n', get, true],
    ['HTTP/1.0 with keep-alive', 'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n', get, true],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n', get, false],
    [
      'HTTP/1.0 with keep-alive and close',
      'HTTP/1.0 200 OK\r\nConnection: keep-alive, close\r\nContent-Length: 0\r\n\r\n',
      get,
      false,
    ],
    ['close', `${ok}Connection: x, Close\r\nContent-Length: 0\r\n\r\n`, get, false],
    ['close in a second line', `${ok}Connection: x\r\nconnection: CLOSE\r\nContent-Length: 0\r\n\r\n`, get, false],
    ['no length and no chunks', `${ok}\r\nok`, get, false],
    ['204 with a length', 'HTTP/1.1 204 No\r\nContent-Length: 7\r\n\r\n', get, false],
    ['204 with a coding', 'HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n', get, false],
    ['304 with a length', 'HTTP/1.1 304 No\r\nContent-Length: 7\r\n\r\n', get, false],
    ['an answer to HEAD', `${ok}Content-Length: 7\r\n\r\n`, head, false],
    ['204 and a body', 'HTTP/1.1 204 No\r\n\r\nHTTP/1.1 200 OK\r\n\r\n', get, false],
    ['304 and a body', 'HTTP/1.1 304 No\r\n\r\nHTTP/1.1 200 OK\r\n\r\n', get, false],
    ['more bytes than the length', `${ok}Content-Length: 2\r\n\r\nok!`, get, false],
    ['more bytes behind the last chunk', `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n\r\n`, get, false],
  ]

  it.each(answers.filter(([, , , usable]) => usable))('may be used again after %s', (_, text, question) => {
    expect(read(text, question)).toMatchObject({ reusable: true, refused: null })
  })

  it.each(answers.filter(([, , , usable]) => !usable))('is not used again after %s', (_, text, question) => {
    expect(read(text, question)).toMatchObject({ reusable: false, refused: null })
  })

  it('is told unfit before anybody could take it: the end comes with what is known of the bytes behind it', () => {
    const two = `${ok}Content-Length: 2\r\n\r\nok`
    expect(read(two + two)).toMatchObject({ body: 'ok', reusable: false })
  })
})

describe('how the bytes were cut into packets', () => {
  const cutsOf = (length: number) => [
    ...Array.from({ length: length - 1 }, (_, at) => [at + 1]),
    Array.from({ length }, (_, at) => at),
    ...Array.from({ length: length - 3 }, (_, at) => [at + 1, at + 2, at + 3]),
  ]

  it.each(named([...goodAnswers, upgraded]))('makes no difference to an answer: %s', (_, { text, question }) => {
    const whole = told(read(text, question))
    for (const cuts of cutsOf(text.length)) expect(told(ourReading(text, question, cuts)), `${cuts}`).toEqual(whole)
  })

  it.each(named(badAnswers.filter(({ text }) => text !== '')))('makes no bad answer a good one: %s', (_, sample) => {
    const whole = read(sample.text, sample.question)
    for (const cuts of cutsOf(sample.text.length)) {
      const { reusable, refused, interim } = ourReading(sample.text, sample.question, cuts)
      expect([reusable, refused === null, interim], `${cuts}`).toEqual([null, false, whole.interim])
    }
  })

  /** All but how many pieces the body came in. */
  function told({ pieces, ...rest }: Reading) {
    return { ...rest, empty: pieces === 0 }
  }
})

describe('a limit', () => {
  const line = (bytes: number) => `X: ${'a'.repeat(bytes)}\r\n`

  it.each([
    ['a head of 64 KiB', `${ok}${line(60_000)}Content-Length: 0\r\n\r\n`, null],
    ['a head over 64 KiB', `${ok}${line(70_000)}Content-Length: 0\r\n\r\n`, 'a head of more than'],
    ['a head without an end', `${ok}${line(70_000)}`, 'a head of more than'],
    [
      'a long line before a chunk',
      `${ok}Transfer-Encoding: chunked\r\n\r\n0;${'a'.repeat(1_500)}\r\n\r\n`,
      'a line of more than',
    ],
    [
      'a line before a chunk without an end',
      `${ok}Transfer-Encoding: chunked\r\n\r\n${'0'.repeat(1_500)}`,
      'a line of',
    ],
    ['trailers without an end', `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\n${line(500).repeat(200)}`, 'trailers of'],
    ['a thousand answers before it', `${'HTTP/1.1 102 P\r\n\r\n'.repeat(1_000)}${ok}Content-Length: 0\r\n\r\n`, null],
    ['ten thousand answers before it', 'HTTP/1.1 102 P\r\n\r\n'.repeat(10_000), 'answers before the answer'],
  ])('holds: %s', (_, text, refused) => {
    const reading = ourReading(
      text,
      get,
      Array.from({ length: Math.floor(text.length / 1_000) }, (_, n) => n * 1_000),
    )
    if (refused === null) expect(reading).toMatchObject({ status: 200, reusable: true, refused: null })
    else expect(reading.refused).toContain(refused)
  })
})

describe('what an answer costs', () => {
  it.each([
    ['a run of spaces in a value', `${ok}X: a${' '.repeat(60_000)}b\r\n\r\n`],
    ['spaces around a value', `${ok}X:${' '.repeat(30_000)}b${' '.repeat(30_000)}\r\n\r\n`],
    ['commas in Connection', `${ok}Connection: ${','.repeat(60_000)}\r\n\r\n`],
    ['sixteen thousand lines', `${ok}${'a:\r\n'.repeat(16_000)}\r\n`],
    ['spaces behind the size of a chunk', `${ok}Transfer-Encoding: chunked\r\n\r\n0${' '.repeat(1_000)}x\r\n`],
  ])('is in proportion to its bytes: %s', (_, text) => {
    const begun = process.cpuUsage()
    read(text)
    const ms = process.cpuUsage(begun).user / 1_000
    // Five seconds is what one of these once took.
    expect(ms).toBeLessThan(2_000)
  })

  it('is one piece for the chunks of one packet, however small they are', () => {
    const chunks = '1\r\na\r\n'.repeat(10_000)
    const { pieces, body } = read(`${ok}Transfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`)
    expect([pieces, body.length]).toEqual([1, 10_000])
  })
})

describe('a spoiled answer', () => {
  /** Where node is stricter, looked at and kept: none of it moves the end of an answer. */
  const kept: Readonly<Record<string, RegExp>> = {
    // Old servers fill the line up with spaces.
    HPE_INVALID_CHUNK_SIZE: /\n[0-9a-f]+[ \t]+(;|\r\n)/i,
    // Whatever an extension is made of, it means nothing.
    HPE_STRICT: /\n[0-9a-f]+[ \t]*;.*\r\n/i,
    // On an answer before the answer; the answer says again what holds.
    HPE_CLOSED_CONNECTION: /^HTTP\/1\.1 1\d\d[^\n]*\r\n(?:[^\n]+\r\n)*connection: close/i,
  }
  /** Where we are, and mean to be. */
  const ours = [
    /^Transfer-Encoding /,
    /^more than one Transfer-Encoding/,
    /^the status line /,
    /^no HTTP\/1 at all/,
    /^a change of protocol /,
    /^a body on status 1/,
  ]
  const count = 5_000
  let node: NodeReader
  beforeAll(async () => {
    node = await startNodeReader()
  })
  afterAll(() => node.close())

  it(`is the same answer to node's client, or none: ${count} of them, the same in every run`, async () => {
    const below = seeded(20261120)
    const pick = <T>(list: readonly T[]) => list[below(list.length)] as T
    const samples = Array.from({ length: count }, () => {
      const { text, question } = pick(below(4) > 0 ? goodAnswers : badAnswers)
      const changed = spoiled(text, below)
      return { text: changed, question, cuts: [below(changed.length + 1)] }
    })
    const figures = { 'read alike': 0, 'refused by both': 0, 'refused by us': 0, 'refused by node': 0 }
    const next = samples.values()
    const compareAll = async () => {
      for (const sample of next) figures[await compare(sample)]++
    }
    await Promise.all(Array.from({ length: 16 }, compareAll))
    tell(`${count} spoiled answers`, JSON.stringify(figures))
    expect(figures['read alike']).toBeGreaterThan(count / 10)
  })

  async function compare({ text, question, cuts }: { text: string; question: Question; cuts: readonly number[] }) {
    const mine = ourReading(text, question, cuts)
    const theirs = await node.read(text, question)
    if (mine.reusable !== null) written(mine)
    if (mine.reusable !== null && theirs.whole) {
      const seen = { status: theirs.status, headers: theirs.headers, body: theirs.body }
      expect({ status: mine.status, headers: mine.headers, body: mine.body }, JSON.stringify(text)).toEqual(seen)
      return 'read alike'
    }
    if (mine.reusable !== null) {
      const because = kept[theirs.refused ?? '']
      if (because?.test(text) !== true) throw new Error(`node: ${theirs.refused}, we took ${JSON.stringify(text)}`)
      return 'refused by node'
    }
    if (!theirs.whole) return 'refused by both'
    if (!ours.some(reason => reason.test(mine.refused ?? '')))
      throw new Error(`we: ${mine.refused}, node took ${JSON.stringify(text)}`)
    return 'refused by us'
  }
})
