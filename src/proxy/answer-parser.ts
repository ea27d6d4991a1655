/**
 * HTTP/1.1 answers, read strictly (RFC 9112): where two readers could disagree on where an answer ends, it is no answer. An
 * origin is only half trusted, and what it sends after its answer would be the answer to somebody else's request.
 * Pure: bytes in, calls out; knows nothing of sockets.
 */
import { readFieldLines } from './field-line.ts'

export interface AnswerHearer {
  /** 1xx but 101: more will follow. */
  readonly onInformation: (status: number, headers: readonly string[]) => void
  /** Names and values in turn; bytes as latin1. */
  readonly onHead: (status: number, statusText: string, headers: readonly string[]) => void
  readonly onBody: (chunk: Buffer) => void
  /** @param reusable the connection may carry another request */
  readonly onEnd: (reusable: boolean) => void
  /** 101 to a request that asked for it; what follows is another protocol's. */
  readonly onUpgrade: (headers: readonly string[], rest: Buffer) => void
}

/** Of the request that is answered. */
export interface Question {
  /** HEAD: no body, whatever the head says. */
  readonly head: boolean
  readonly upgrade: boolean
}

/** The answer is not HTTP as we read it; `message` says what, for the operator. */
export class InvalidAnswer extends Error {}

/** Bytes of a head or of trailers. Legacy sites send long Set-Cookie and CSP lines. */
const longestHead = 64 * 1024
/** Bytes of a line that gives the size of a chunk; extensions are allowed and mean nothing. */
const longestChunkLine = 1024
/** 1xx before the answer: an origin could go on like this as fast as the network takes it. */
const mostInterim = 2_000

const statusLine = /^HTTP\/1\.([01]) (\d{3})(?: ([\t\x20-\x7e\x80-\xff]*))?$/
const chunkLine = /^([0-9A-Fa-f]{1,13})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/

type State =
  | 'head'
  | 'length'
  | 'chunk-size'
  | 'chunk-data'
  | 'chunk-end'
  | 'trailers'
  | 'until-close'
  | 'over'
  /** Another protocol's from here on. */
  | 'upgraded'

const nothing = Buffer.alloc(0)
const headEnd = Buffer.from('\r\n\r\n')
const bareEnd = Buffer.from('\n\n')
const beginning = Buffer.from('HTTP/1.')

export class AnswerParser {
  readonly #hearer: AnswerHearer
  #question: Question = { head: false, upgrade: false }
  #state: State = 'over'
  /** Bytes that are not a whole head or line yet. */
  #kept: Buffer = nothing
  /** Of the body, or of the chunk. */
  #left = 0
  #reusable = true
  #trailers = 0
  #interim = 0
  /**
   * What one read holds of a chunked body, handed on as one: an origin that sends chunks of a single byte would else cost
   * everybody ten thousand writes for each.
   */
  #pieces: Buffer[] = []

  constructor(hearer: AnswerHearer) {
    this.#hearer = hearer
  }

  /** Before each request on the connection. */
  expect(question: Question): void {
    this.#question = question
    this.#state = 'head'
    this.#kept = nothing
    this.#reusable = true
    this.#trailers = 0
    this.#interim = 0
    this.#pieces = []
  }

  /** @throws InvalidAnswer also for a byte that no request asked for */
  read(chunk: Buffer): void {
    let rest = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk])
    this.#kept = nothing
    while (rest.length > 0) {
      const taken = this.#step(rest)
      if (taken < 0) {
        // Of its own: the memory of `chunk` is read into again.
        this.#kept = Buffer.from(rest)
        break
      }
      rest = rest.subarray(taken)
      // Before anybody hears of the end: a connection on which there is more must not be free for a moment.
      if (this.#state === 'over') return this.#end(this.#reusable && rest.length === 0)
    }
    this.#handOn()
  }

  /**
   * The origin has closed.
   * @returns true: that was the end of the answer. False: the answer is not whole
   */
  closed(): boolean {
    if (this.#state !== 'until-close') return this.#state === 'over'
    this.#state = 'over'
    this.#end(false)
    return true
  }

  /** Bytes consumed; -1: more are needed. */
  #step(bytes: Buffer): number {
    switch (this.#state) {
      case 'head':
        return this.#head(bytes)
      case 'length': {
        const taken = Math.min(bytes.length, this.#left)
        this.#left -= taken
        if (this.#left === 0) this.#state = 'over'
        this.#hearer.onBody(taken === bytes.length ? bytes : bytes.subarray(0, taken))
        return taken
      }
      case 'until-close':
        this.#hearer.onBody(bytes)
        return bytes.length
      case 'chunk-size':
        return this.#chunkSize(bytes)
      case 'chunk-data': {
        const taken = Math.min(bytes.length, this.#left)
        this.#left -= taken
        if (this.#left === 0) this.#state = 'chunk-end'
        this.#pieces.push(bytes.subarray(0, taken))
        return taken
      }
      case 'chunk-end':
        if (bytes.length < 2) return -1
        if (bytes[0] !== 0x0d || bytes[1] !== 0x0a) throw new InvalidAnswer('a chunk is longer than it said')
        this.#state = 'chunk-size'
        return 2
      case 'trailers':
        return this.#trailer(bytes)
      case 'over':
      case 'upgraded':
        throw new InvalidAnswer('bytes beyond the end of the answer')
    }
  }

  #head(bytes: Buffer): number {
    for (let i = Math.min(bytes.length, beginning.length) - 1; i >= 0; i--) {
      if (bytes[i] !== beginning[i]) throw new InvalidAnswer('no HTTP/1 at all')
    }
    const end = bytes.indexOf(headEnd)
    if (end < 0 || end > longestHead) {
      if (bytes.length > longestHead) throw new InvalidAnswer(`a head of more than ${longestHead} bytes`)
      // It would be waited for until the limit, and the operator told that the origin is slow.
      if (bytes.includes(bareEnd)) throw new InvalidAnswer('a head whose lines end without CR')
      return -1
    }
    const head = bytes.toString('latin1', 0, end + 2)
    const first = head.slice(0, head.indexOf('\r\n'))
    const [, minor, code, text] = statusLine.exec(first) ?? []
    const status = Number(code)
    if (minor === undefined || status < 100 || status > 599) throw new InvalidAnswer(`the status line ${quoted(first)}`)
    const headers: string[] = []
    this.#fields(bytes, head, first.length + 2, headers)
    const taken = end + headEnd.length
    if (status === 101) {
      if (!this.#question.upgrade) throw new InvalidAnswer('a change of protocol that nobody asked for')
      this.#state = 'upgraded'
      this.#hearer.onUpgrade(headers, bytes.subarray(taken))
      return bytes.length
    }
    if (status < 200) {
      if (++this.#interim > mostInterim) throw new InvalidAnswer(`more than ${mostInterim} answers before the answer`)
      if (announcesBody(headers)) throw new InvalidAnswer(`a body on status ${status}`)
      this.#hearer.onInformation(status, headers)
      return taken
    }
    this.#frame(status, minor === '1', headers)
    this.#hearer.onHead(status, text ?? '', headers)
    return taken
  }

  /** Where the body ends (RFC 9112 §6.3). */
  #frame(status: number, http11: boolean, headers: readonly string[]): void {
    let length: string | null = null
    let coding: string | null = null
    let connection = ''
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] as string
      const value = headers[i + 1] as string
      switch (name.length) {
        case 14:
          if (name.toLowerCase() !== 'content-length') break
          if (length !== null) throw new InvalidAnswer('more than one Content-Length')
          length = value
          break
        case 17:
          if (name.toLowerCase() !== 'transfer-encoding') break
          if (coding !== null) throw new InvalidAnswer('more than one Transfer-Encoding')
          coding = value
          break
        case 10:
          if (name.toLowerCase() === 'connection') connection += `,${value.toLowerCase()}`
      }
    }
    if (length !== null && (coding !== null || !/^\d{1,15}$/.test(length))) {
      throw new InvalidAnswer(
        coding === null ? `Content-Length ${quoted(length)}` : 'both Content-Length and Transfer-Encoding',
      )
    }
    if (coding !== null && (!http11 || coding.toLowerCase() !== 'chunked'))
      throw new InvalidAnswer(`Transfer-Encoding ${quoted(coding)}`)
    const persistent = connection === '' ? http11 : connection === ',keep-alive' || persists(connection, http11)
    // Who was asked to change protocols and said no in HTTP may have stopped reading it all the same. After HEAD old servers
    // send the body that none of us waits for: it would be the next answer, in the words of whoever wrote that page.
    this.#reusable = persistent && !this.#question.upgrade && !this.#question.head

    if (this.#question.head || status === 204 || status === 304) {
      // A body all the same would be read as the next answer: whoever announces one is not believed.
      if (!this.#question.head && (coding !== null || Number(length ?? 0) > 0)) this.#reusable = false
      this.#state = 'over'
    } else if (coding !== null) this.#state = 'chunk-size'
    else if (length !== null) {
      this.#left = Number(length)
      this.#state = this.#left === 0 ? 'over' : 'length'
    } else {
      this.#reusable = false
      this.#state = 'until-close'
    }
  }

  #chunkSize(bytes: Buffer): number {
    const end = lineEnd(bytes, longestChunkLine)
    if (end < 0) return -1
    const [, size] = chunkLine.exec(bytes.toString('latin1', 0, end)) ?? []
    if (size === undefined) throw new InvalidAnswer('the size of a chunk')
    this.#left = Number.parseInt(size, 16)
    this.#state = this.#left === 0 ? 'trailers' : 'chunk-data'
    return end + 2
  }

  /** Dropped: nobody downstream would know what to believe of them. */
  #trailer(bytes: Buffer): number {
    const end = lineEnd(bytes, longestHead)
    if (end < 0) return -1
    this.#trailers += end + 2
    if (this.#trailers > longestHead) throw new InvalidAnswer(`trailers of more than ${longestHead} bytes`)
    if (end === 0) this.#state = 'over'
    else this.#fields(bytes, bytes.toString('latin1', 0, end + 2), 0, [])
    return end + 2
  }

  /** @param text of the bytes, up to behind the last CRLF */
  #fields(bytes: Buffer, text: string, from: number, into: string[]): void {
    const wrong = readFieldLines(bytes, text, from, text.length, into)
    if (wrong >= 0) throw new InvalidAnswer(`the header line ${quoted(text.slice(wrong, text.indexOf('\r\n', wrong)))}`)
  }

  #end(reusable: boolean): void {
    this.#handOn()
    this.#hearer.onEnd(reusable)
  }

  #handOn(): void {
    const [first] = this.#pieces
    if (first === undefined) return
    const whole = this.#pieces.length === 1 ? first : Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#hearer.onBody(whole)
  }
}

/** Where CRLF begins; -1: it has not come yet. */
function lineEnd(bytes: Buffer, longest: number): number {
  const end = bytes.indexOf('\r\n')
  if (end > longest || (end < 0 && bytes.length > longest))
    throw new InvalidAnswer(`a line of more than ${longest} bytes`)
  return end
}

/** @param connection the values of Connection, in lower case, each behind a comma */
function persists(connection: string, http11: boolean): boolean {
  const tokens = connection.split(',').map(one => one.trim())
  return !tokens.includes('close') && (http11 || tokens.includes('keep-alive'))
}

/** Of a 1xx, which has none (RFC 9110 §15.2): whoever believes this reads the answer as that body. */
function announcesBody(headers: readonly string[]): boolean {
  return headers.some((name, at) => at % 2 === 0 && /^(?:content-length|transfer-encoding)$/i.test(name))
}

function quoted(text: string | undefined): string {
  return JSON.stringify((text ?? '').slice(0, 100))
}
