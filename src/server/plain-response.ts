/**
 * The answer to a plain request, written on its connection: the framing of RFC 9112 §6 for what the access plane says, and nothing
 * else. Its words mean what they mean of node's ServerResponse.
 */
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { ClientResponse } from '../model/passage.ts'
import type { WriteSoon } from '../model/write-soon.ts'

/** Whose connection it is. */
export interface Answering {
  readonly socket: Socket
  readonly writeSoon: WriteSoon
  /** No answer from now on may leave the connection open. */
  readonly isLast: () => boolean
  /** The client is slower than the answer: from here on it has only so long. */
  readonly waiting: () => void
  /** The answer is whole, and the system has it. */
  readonly finished: (response: PlainResponse) => void
}

/** Seconds for which a browser may count on the connection: what node's own answers say beside it. */
export const keepAliveS = 75

const lasting = `Connection: keep-alive\r\nKeep-Alive: timeout=${keepAliveS}\r\n`
const last = 'Connection: close\r\n'

/** Controls would end the line, or be read in two ways; beyond U+00FF nothing can be written as one byte. */
const unsendable = /[^\t\x20-\x7e\x80-\xff]/

export class PlainResponse implements ClientResponse {
  statusCode = 200
  shouldKeepAlive = true
  headersSent = false
  writableEnded = false
  writableFinished = false
  destroyed = false
  readonly #connection: Answering
  readonly #head: boolean
  /** Written, but not sent yet: a body that comes at once shares its packet. */
  #waiting = ''
  #chunked = false
  #bodyless = false
  #closeHearers: (() => void)[] | null = null
  #firstCloseHearer: (() => void) | null = null

  /** @param head to a HEAD: no body, whatever the head says */
  constructor(connection: Answering, head: boolean) {
    this.#connection = connection
    this.#head = head
  }

  get socket(): Socket {
    return this.#connection.socket
  }

  writeHead(status: number, headers: string[]): this
  writeHead(status: number, statusText: string, headers: string[]): this
  writeHead(status: number, textOrHeaders: string | string[], more?: string[]): this {
    if (this.headersSent) throw new Error('the head of this answer is written already')
    const headers = typeof textOrHeaders === 'string' ? (more as string[]) : textOrHeaders
    const text = typeof textOrHeaders === 'string' ? textOrHeaders : (STATUS_CODES[status] ?? 'unknown')
    if (unsendable.test(text)) throw new TypeError('a status text that cannot be sent')
    let length = false
    let date = false
    let head = `HTTP/1.1 ${status} ${text}\r\n`
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] as string
      const value = headers[i + 1] as string
      if (unsendable.test(value)) throw new TypeError(`a value of ${name} that cannot be sent`)
      if (name.length === 14) length ||= name.toLowerCase() === 'content-length'
      else if (name.length === 4) date ||= name.toLowerCase() === 'date'
      head += `${name}: ${value}\r\n`
    }
    if (!date) head += dateLine()
    if (this.#connection.isLast()) this.shouldKeepAlive = false
    head += this.shouldKeepAlive ? lasting : last
    this.#bodyless = this.#head || status === 204 || status === 304
    this.#chunked = !length && !this.#bodyless
    this.statusCode = status
    this.headersSent = true
    this.#waiting = this.#chunked ? `${head}Transfer-Encoding: chunked\r\n\r\n` : `${head}\r\n`
    return this
  }

  flushHeaders(): void {
    if (this.#waiting === '' || this.destroyed) return
    const head = this.#waiting
    this.#waiting = ''
    this.socket.write(head, 'latin1')
  }

  get writableLength(): number {
    return this.socket.writableLength
  }

  write(chunk: Buffer, written: () => void): void {
    const { socket } = this
    if (this.destroyed || this.writableEnded) return
    if (chunk.length === 0 || this.#bodyless) {
      this.flushHeaders()
      process.nextTick(written)
      return
    }
    // One write to the system for head, size and bytes.
    const pieces = this.#waiting !== '' || this.#chunked
    if (!pieces) {
      socket.write(chunk, written)
      return
    }
    socket.cork()
    const size = this.#chunked ? `${chunk.length.toString(16)}\r\n` : ''
    socket.write(this.#waiting + size, 'latin1')
    this.#waiting = ''
    socket.write(chunk, written)
    if (this.#chunked) socket.write('\r\n', 'latin1')
    socket.uncork()
  }

  end(): this
  end(text: string, encoding: 'latin1' | 'utf8'): this
  end(text = '', encoding: 'latin1' | 'utf8' = 'latin1'): this {
    if (this.writableEnded || this.destroyed) return this
    if (!this.headersSent) throw new Error('an answer without a head')
    this.writableEnded = true
    let rest = this.#waiting
    this.#waiting = ''
    if (text !== '' && !this.#bodyless) {
      const body = encoding === 'latin1' ? text : Buffer.from(text).toString('latin1')
      rest += this.#chunked ? `${body.length.toString(16)}\r\n${body}\r\n` : body
    }
    if (this.#chunked) rest += '0\r\n\r\n'
    const { socket } = this
    if (rest === '') this.#written()
    else this.#connection.writeSoon(socket, rest, this.#written)
    return this
  }

  once(_event: 'close', hearer: () => void): this {
    if (this.#firstCloseHearer === null) this.#firstCloseHearer = hearer
    else if (this.#closeHearers === null) this.#closeHearers = [hearer]
    else this.#closeHearers.push(hearer)
    return this
  }

  /** Of an answer that is over the connection is another's. */
  destroy(): this {
    if (!this.writableFinished) this.socket.destroy()
    return this
  }

  /** Nothing is kept that could be taken back. */
  removeHeader(): void {}

  /** It announces no body: nobody waits to be told to go on. */
  writeContinue(): void {}

  writeEarlyHints({ link }: { readonly link: string[] }): void {
    const value = link.join(', ')
    if (this.headersSent || unsendable.test(value)) return
    this.socket.write(`HTTP/1.1 103 Early Hints\r\nLink: ${value}\r\n\r\n`, 'latin1')
  }

  /** The connection is gone. */
  closed(): void {
    if (this.destroyed) return
    this.destroyed = true
    this.#tellClose()
  }

  readonly #written = (): void => {
    const { socket } = this
    if (socket.writableLength === 0) return this.#finish()
    // Who does not read is cut as who does not write.
    this.#connection.waiting()
    socket.write('', () => this.#finish())
  }

  #finish(): void {
    // What could not be written is told by the end of the connection.
    if (this.destroyed || this.socket.destroyed || this.socket.errored !== null) return
    this.writableFinished = true
    this.destroyed = true
    this.#tellClose()
    this.#connection.finished(this)
  }

  #tellClose(): void {
    this.#firstCloseHearer?.()
    if (this.#closeHearers !== null) for (const hear of this.#closeHearers) hear()
  }
}

let dateSecond = 0
let dateText = ''

/** Made once for each second (RFC 9110 §6.6.1). */
function dateLine(): string {
  const second = Math.floor(Date.now() / 1000)
  if (second !== dateSecond) {
    dateSecond = second
    dateText = `Date: ${new Date(second * 1000).toUTCString()}\r\n`
  }
  return dateText
}
