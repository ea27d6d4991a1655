/** What two readers make of the same bytes: our parser, and the one of node's own client. */
import http, { type IncomingMessage } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { AnswerParser, type Question } from '../../src/proxy/answer-parser.ts'

export interface Reading {
  /** Status and headers of each answer before the answer. */
  readonly interim: (readonly [number, readonly string[]])[]
  status: number | null
  statusText: string
  headers: readonly string[]
  /** latin1 */
  body: string
  /** Null: the answer did not end. */
  reusable: boolean | null
  /** What came behind the head of 101, latin1; null: no 101. */
  upgraded: string | null
  /** Why it was refused; null: it was not. */
  refused: string | null
  /** How often a piece of the body was handed on. */
  pieces: number
}

/** @param cuts where the bytes are cut, ascending: as packets they never come twice alike */
export function ourReading(text: string, question: Question, cuts: readonly number[]): Reading {
  const reading: Reading = {
    interim: [],
    status: null,
    statusText: '',
    headers: [],
    body: '',
    reusable: null,
    upgraded: null,
    refused: null,
    pieces: 0,
  }
  const parser = new AnswerParser({
    onInformation: (status, headers) => reading.interim.push([status, headers]),
    onHead(status, statusText, headers) {
      if (reading.status !== null) throw new Error('a second head')
      Object.assign(reading, { status, statusText, headers })
    },
    onBody(chunk) {
      if (reading.status === null || reading.reusable !== null) throw new Error('a body out of its place')
      if (chunk.length === 0) throw new Error('a piece without bytes')
      reading.body += chunk.toString('latin1')
      reading.pieces++
    },
    onEnd(reusable) {
      if (reading.reusable !== null) throw new Error('a second end')
      reading.reusable = reusable
    },
    onUpgrade(headers, rest) {
      Object.assign(reading, { headers, upgraded: rest.toString('latin1') })
    },
  })
  parser.expect(question)
  try {
    let from = 0
    for (const to of [...cuts, text.length]) {
      if (reading.reusable !== null) break
      if (reading.upgraded !== null) reading.upgraded += text.slice(from, to)
      else if (to > from) parser.read(Buffer.from(text.slice(from, to), 'latin1'))
      from = to
    }
    if (reading.upgraded === null && !parser.closed()) reading.refused = 'not whole'
  } catch (error) {
    reading.refused = (error as Error).message
  }
  return reading
}

export interface NodeReading {
  readonly status: number | null
  readonly headers: readonly string[]
  /** latin1 */
  readonly body: string
  readonly whole: boolean
  /** Null: it was not refused, or only what came behind it. */
  readonly refused: string | null
}

export interface NodeReader {
  /** Answers a request with these bytes and the end of the connection. */
  readonly read: (text: string, question: Question) => Promise<NodeReading>
  readonly close: () => void
}

export async function startNodeReader(): Promise<NodeReader> {
  const answers: string[] = []
  const server = createServer((socket: Socket) => {
    socket.on('error', () => {})
    socket.once('data', request => {
      const nth = Number(/^\S+ \/(\d+) /.exec(request.toString('latin1'))?.[1])
      socket.end(answers[nth] ?? '', 'latin1')
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    read(text, question) {
      const nth = answers.push(text) - 1
      const method = question.head ? 'HEAD' : 'GET'
      const options = { port, host: '127.0.0.1', path: `/${nth}`, method, agent: false, maxHeaderSize: 65_536 }
      return new Promise(resolve => {
        let answer: IncomingMessage | null = null
        let refused: string | null = null
        const pieces: Buffer[] = []
        const request = http.request(options, response => {
          answer = response
          response.on('data', (piece: Buffer) => pieces.push(piece))
          response.on('error', () => {})
        })
        request.on('error', (error: NodeJS.ErrnoException) => {
          refused ??= error.code ?? error.message
        })
        request.on('close', () =>
          resolve({
            status: answer?.statusCode ?? null,
            headers: answer?.rawHeaders ?? [],
            body: Buffer.concat(pieces).toString('latin1'),
            whole: answer?.complete ?? false,
            refused,
          }),
        )
        request.end()
      })
    },
    close: () => server.close(),
  }
}
