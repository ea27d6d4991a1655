/** Answers of origins, good and bad, and a way to spoil them: for the parser, and for comparing it with another one. */
import type { Question } from '../../src/proxy/answer-parser.ts'

export interface Sample {
  readonly what: string
  /** latin1 */
  readonly text: string
  readonly question: Question
}

const get: Question = { head: false, upgrade: false }
const head: Question = { head: true, upgrade: false }
const upgrade: Question = { head: false, upgrade: true }

const ok = 'HTTP/1.1 200 OK\r\n'
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`

const sample = (what: string, text: string, question = get): Sample => ({ what, text, question })

export const goodAnswers: readonly Sample[] = [
  sample('of known length', `${ok}Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello`),
  sample('of length nought', `${ok}Content-Length: 0\r\n\r\n`),
  sample('with odd but legal spacing', `HTTP/1.1 200 \r\nServer:x\r\nX-A: \t b c \t\r\ncontent-length:   2\r\n\r\nok`),
  sample('without a word for its status', 'HTTP/1.1 404\r\nContent-Length: 2\r\n\r\nno'),
  sample(
    'with bytes above ASCII',
    `HTTP/1.1 200 Tr\xe8s bien\r\nX-A: \xa0caf\xe9\xa0\r\nContent-Length: 2\r\n\r\n\xff\0`,
  ),
  sample('with many headers', `${ok}${'Set-Cookie: a=1; Path=/\r\n'.repeat(20)}Content-Length: 2\r\n\r\nok`),
  sample('that lasts until the end', `${ok}Server: old\r\n\r\nhello\r\n\r\nHTTP/1.1 200 OK\r\n\r\n`),
  sample('of HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello'),
  sample(
    'of HTTP/1.0 that may be followed',
    'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok',
  ),
  sample('in chunks', `${chunked}5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n`),
  sample('in chunks with extensions', `${chunked}5;a=b;c="d e"\r\nhello\r\n0;last\r\n\r\n`),
  sample('in chunks of capital size', `${chunked}0A\r\n0123456789\r\n00000\r\n\r\n`),
  sample('in chunks with trailers', `${chunked}2\r\nok\r\n0\r\nX-Sum: 1\r\nX-B:\r\n\r\n`),
  sample('in no chunks', `${chunked}0\r\n\r\n`),
  sample('whose chunks hold ends of lines', `${chunked}6\r\n\r\n0\r\n\r\r\n2\r\n\r\n\r\n0\r\n\r\n`),
  sample(
    'after others that are only the beginning',
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 H\r\nLink: <a>\r\n\r\n${ok}Content-Length: 2\r\n\r\nok`,
  ),
  sample('that says it is the last', `${ok}Connection: close\r\nContent-Length: 2\r\n\r\nok`),
  sample('that is a redirect', 'HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n'),
  sample('of no content', 'HTTP/1.1 204 No Content\r\n\r\n'),
  sample('that nothing has changed', 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n'),
  sample(
    'that nothing has changed, with the length of what has not',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n',
  ),
  sample('to HEAD, with a length', `${ok}Content-Length: 500\r\n\r\n`, head),
  sample('to HEAD, with a coding', chunked, head),
]

export const upgraded: Sample = sample(
  'that changes protocols',
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x02hi\r\n\r\n',
  upgrade,
)

/** Each is refused, at the latest at its end. */
export const badAnswers: readonly Sample[] = [
  sample('no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'),
  sample('the days before HTTP/1.0', '<html>old</html>'),
  sample('HTTP/2', 'HTTP/2 200 OK\r\n\r\n'),
  sample('HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n'),
  sample('another case', 'http/1.1 200 OK\r\n\r\n'),
  sample('a line before the first', `\r\n${ok}Content-Length: 0\r\n\r\n`),
  sample('two spaces before the status', 'HTTP/1.1  200 OK\r\n\r\n'),
  sample('status 000', 'HTTP/1.1 000 No\r\n\r\n'),
  sample('status 600', 'HTTP/1.1 600 No\r\n\r\n'),
  sample('status 20', 'HTTP/1.1 20 No\r\n\r\n'),
  sample('status 2000', 'HTTP/1.1 2000 No\r\n\r\n'),
  sample('a control character in the status line', 'HTTP/1.1 200 O\x01K\r\n\r\n'),
  sample('CR in the status line', 'HTTP/1.1 200 O\rK\r\n\r\n'),
  sample('LF in the status line', 'HTTP/1.1 200 OK\nX: 1\r\n\r\n'),
  sample('lines that end with LF', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'),
  sample('NUL in a header', `${ok}X: a\0b\r\nContent-Length: 0\r\n\r\n`),
  sample('CR in a header', `${ok}X: a\rContent-Length: 5\r\nContent-Length: 0\r\n\r\n`),
  sample('LF in a header', `${ok}X: a\nContent-Length: 5\r\nContent-Length: 0\r\n\r\n`),
  sample('DEL in a header', `${ok}X: a\x7fb\r\nContent-Length: 0\r\n\r\n`),
  sample('a header without a colon', `${ok}X\r\nContent-Length: 0\r\n\r\n`),
  sample('a header without a name', `${ok}: x\r\nContent-Length: 0\r\n\r\n`),
  sample('space before the colon', `${ok}Content-Length : 0\r\n\r\n`),
  sample('space in a name', `${ok}Content Length: 0\r\n\r\n`),
  sample('a folded line', `${ok}X: a\r\n b\r\nContent-Length: 0\r\n\r\n`),
  sample('a folded line first', `${ok} X: a\r\nContent-Length: 0\r\n\r\n`),
  sample('two lengths', `${ok}Content-Length: 2\r\nContent-Length: 5\r\n\r\nok`),
  sample('one length twice', `${ok}Content-Length: 2\r\ncontent-length: 2\r\n\r\nok`),
  sample('one length twice in a line', `${ok}Content-Length: 2, 2\r\n\r\nok`),
  sample('a length with a sign', `${ok}Content-Length: +2\r\n\r\nok`),
  sample('a length below nought', `${ok}Content-Length: -2\r\n\r\nok`),
  sample('a length in hexadecimal', `${ok}Content-Length: 0x2\r\n\r\nok`),
  sample('a length with a fraction', `${ok}Content-Length: 2.0\r\n\r\nok`),
  sample('a length with an exponent', `${ok}Content-Length: 2e0\r\n\r\nok`),
  sample('a length with spaces in it', `${ok}Content-Length: 2 2\r\n\r\nok`),
  sample('a length that is empty', `${ok}Content-Length:\r\n\r\nok`),
  sample('a length beyond 2^53', `${ok}Content-Length: 9007199254740993\r\n\r\nok`),
  sample('a length and a coding', `${ok}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
  sample('a coding and a length', `${ok}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`),
  sample('a coding twice', `${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
  sample('a coding of two', `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`),
  sample('a coding that is not the last', `${ok}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`),
  sample('a coding that nobody knows', `${ok}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`),
  sample('a coding that is empty', `${ok}Transfer-Encoding:\r\n\r\n0\r\n\r\n`),
  sample('a coding with a parameter', `${ok}Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n`),
  sample('a coding in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
  sample('a coding on 204', 'HTTP/1.1 204 No\r\nTransfer-Encoding: gzip\r\n\r\n'),
  sample('two lengths to HEAD', `${ok}Content-Length: 2\r\nContent-Length: 5\r\n\r\n`, head),
  sample('a chunk whose size is no number', `${chunked}zz\r\nok\r\n0\r\n\r\n`),
  sample('a chunk whose size has a sign', `${chunked}+2\r\nok\r\n0\r\n\r\n`),
  sample('a chunk whose size is below nought', `${chunked}-2\r\nok\r\n0\r\n\r\n`),
  sample('a chunk whose size has a prefix', `${chunked}0x2\r\nok\r\n0\r\n\r\n`),
  sample('a chunk whose size is preceded by a space', `${chunked} 2\r\nok\r\n0\r\n\r\n`),
  sample('a chunk whose size is empty', `${chunked}\r\nok\r\n0\r\n\r\n`),
  sample('a chunk whose size is beyond 2^53', `${chunked}20000000000002\r\nok\r\n0\r\n\r\n`),
  sample('a chunk whose size wraps round in 64 bits', `${chunked}10000000000000002\r\nok\r\n0\r\n\r\n`),
  sample('a chunk whose size ends with LF', `${chunked}2\nok\r\n0\r\n\r\n`),
  sample('LF in an extension', `${chunked}2;a\nok\r\n0\r\n\r\n`),
  sample('CR in an extension', `${chunked}2;a\rb\r\nok\r\n0\r\n\r\n`),
  sample('a chunk that is longer than it said', `${chunked}2\r\noka\r\n0\r\n\r\n`),
  sample('a chunk that is shorter than it said', `${chunked}3\r\nok\r\n0\r\n\r\n`),
  sample('a chunk that ends with LF', `${chunked}2\r\nok\n0\r\n\r\n`),
  sample('a trailer without a colon', `${chunked}0\r\nX\r\n\r\n`),
  sample('a trailer that holds LF', `${chunked}0\r\nX: a\nHTTP/1.1 200 OK\r\n\r\n`),
  sample('trailers that end with LF', `${chunked}0\r\nX: a\n\nHTTP/1.1 200 OK\r\n\r\n`),
  sample('101 that nobody asked for', upgraded.text),
  sample('a length before the answer', `HTTP/1.1 103 H\r\nContent-Length: 0\r\n\r\n${ok}Content-Length: 0\r\n\r\n`),
  sample(
    'a coding before the answer',
    `HTTP/1.1 100 C\r\nTransfer-Encoding: chunked\r\n\r\n${ok}Content-Length: 0\r\n\r\n`,
  ),
  sample('half a head', `${ok}Content-Le`),
  sample('half a body', `${ok}Content-Length: 5\r\n\r\nhe`),
  sample('half a chunk', `${chunked}5\r\nhe`),
  sample('chunks without the last one', `${chunked}2\r\nok\r\n`),
  sample('chunks without the last line', `${chunked}2\r\nok\r\n0\r\n`),
  sample('nothing', ''),
  sample('only what comes before an answer', 'HTTP/1.1 100 Continue\r\n\r\n'),
]

const bytes = [
  '\r',
  '\n',
  '\r\n',
  '\0',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '0',
  '5',
  'f',
  '-',
  '+',
  '"',
  '\x7f',
  '\x80',
  '\xff',
  'a',
]
const lines = [
  'Content-Length: 5',
  'Content-Length: 0',
  'content-length:5',
  'Content-Length: 05',
  'Content-Length : 5',
  ' Content-Length: 5',
  'Transfer-Encoding: chunked',
  'transfer-encoding:chunked',
  'Transfer-Encoding: Chunked',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding:\x0bchunked',
  'Transfer-Encoding: \tchunked ',
  'Connection: close',
  'Connection: keep-alive',
  'Upgrade: h2c',
  'Trailer: X',
  'X: y\r\n z',
]
const parts = [
  'HTTP/1.1 200 OK\r\n',
  '\r\n\r\n',
  '0\r\n\r\n',
  '5\r\nhello\r\n',
  'hello',
  'HTTP/1.1 100 C\r\n\r\n',
  '5 ;x\r\n',
  '5 \r\n',
]

/** One to three changes, each of a kind that has fooled a parser somewhere. @param below a whole number from 0 to below its argument */
export function spoiled(text: string, below: (limit: number) => number): string {
  const one = (list: readonly string[]) => list[below(list.length)] as string
  let result = text
  for (let n = Math.max(0, below(5) - 2); n >= 0; n--) {
    const at = below(result.length + 1)
    const before = result.slice(0, at)
    const behind = result.slice(at)
    switch (below(10)) {
      case 0:
        result = before + String.fromCharCode(below(256)) + behind.slice(1)
        break
      case 1:
        result = before + one(bytes) + behind
        break
      case 2:
        result = before + one(bytes) + behind.slice(1)
        break
      case 3:
        result = before + behind.slice(1 + below(4))
        break
      case 4:
      case 5:
        result = result.replace('\r\n', `\r\n${one(lines)}\r\n`)
        break
      case 6:
        result = before + one(parts) + behind
        break
      case 7:
        result = before + behind.replace('\r\n', one(['\n', '\r', '\n\r', ' \r\n', '\r\n ', '']))
        break
      case 8:
        result =
          before +
          behind.replace(/\d+/, number =>
            one([`${Number(number) + 1}`, `0${number}`, `${number}0`, '0', ' ', `${number} `]),
          )
        break
      case 9:
        result = below(2) === 0 ? before : result + one(parts)
    }
  }
  return result
}
