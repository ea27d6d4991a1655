/**
 * One connection to an origin, one request at a time. It writes what it is given, reads one answer, and is used again only
 * where nothing was left over. A connection that is lost before the first byte of an answer says so: the origin may never
 * have seen the request.
 */
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { firstValue } from '../model/header-list.ts'
import type { WriteSoon } from '../model/write-soon.ts'
import { AnswerParser } from './answer-parser.ts'
import { ClientLate, ConnectionLost, type OriginHearer, OriginLate, type OriginRequest } from './origin-request.ts'
import type { ReadSpace } from './read-space.ts'

/** What has not come yet: more of the request's body, the head of the answer, more of its body. */
type StillToCome = 'upload' | 'answer' | 'body'

export interface Waits {
  /** Milliseconds from the last byte sent to the head of the answer. */
  readonly answerMs: number
  /** Milliseconds between two bytes of a body. */
  readonly idleMs: number
}

export class OriginConnection {
  readonly socket: Socket
  /** Null: it reads into new memory each time. */
  readonly #space: ReadSpace | null
  readonly #waits: Waits
  readonly #parser: AnswerParser
  /** Free again, or gone for good. */
  readonly #settled: (connection: OriginConnection, reusable: boolean) => void
  readonly #monotonic: () => number
  readonly #writeSoon: WriteSoon
  #hearer: OriginHearer | null = null
  #answered = false
  /** Its head has not been handed to the socket yet. */
  #unsent = false
  /** Requests that it has carried, this one included. */
  #uses = 0
  #last = false
  #sending: Readable | null = null
  #paused = false
  /** On the monotonic clock; infinity: nothing is waited for. */
  #deadline = Number.POSITIVE_INFINITY
  #waitingFor: StillToCome = 'answer'
  /** On the monotonic clock: when the bytes came that are being read. */
  #readAt = 0
  /** On the monotonic clock: when it became free. */
  idleSince = 0
  /** How long it may wait for its next request, ms, by the origin's own word; null: it gave none. */
  keepAliveMs: number | null = null

  /** @param monotonic milliseconds */
  constructor(
    socket: Socket,
    space: ReadSpace | null,
    waits: Waits,
    settled: (connection: OriginConnection, reusable: boolean) => void,
    monotonic: () => number,
    writeSoon: WriteSoon,
  ) {
    this.socket = socket
    this.#space = space
    this.#waits = waits
    this.#settled = settled
    this.#monotonic = monotonic
    this.#writeSoon = writeSoon
    this.#parser = new AnswerParser({
      // Does not prolong the wait: an origin could go on like this for ever.
      onInformation: (status, headers) => this.#hearer?.onInformation(status, headers),
      onHead: (status, text, headers) => {
        this.#wait('body', this.#readAt)
        this.keepAliveMs = keepAliveOf(headers)
        this.#hearer?.onHead(status, text, headers)
      },
      onBody: chunk => {
        if (this.#hearer?.onBody(chunk) !== false) return
        this.#paused = true
        socket.pause()
      },
      onEnd: reusable => this.#over(reusable),
      onUpgrade: (headers, rest) => this.#handOver(headers, rest),
    })
    socket.setNoDelay(true)
    socket.on('data', this.#read)
    if (space !== null) space.hear = this.#read
    socket.on('end', this.#ended)
    socket.on('error', this.#failed)
    socket.on('close', this.#closed)
  }

  ask(request: OriginRequest, hearer: OriginHearer): void {
    this.#hearer = hearer
    this.#answered = false
    this.#uses++
    this.#last = request.last
    this.#parser.expect({ head: request.method === 'HEAD', upgrade: request.upgrade })
    this.#wait(request.body === null ? 'answer' : 'upload')
    if (request.body === null) {
      this.#unsent = true
      this.#writeSoon(this.socket, request.head, this.#sent)
      return
    }
    this.socket.write(request.head, 'latin1')
    this.#send(request.body.stream, request.body.length === null)
  }

  /** The pool looks around: whoever is still being answered hears of it. */
  stillOpen(): void {
    this.#hearer?.onStillOpen()
  }

  /** After onBody said no. Does nothing for a hearer whose answer is over: the connection may be another's by now. */
  resume(hearer: OriginHearer): void {
    if (!this.#paused || this.#hearer !== hearer) return
    this.#paused = false
    this.#wait('body')
    this.socket.resume()
  }

  /** Whoever asked has gone: nothing more is heard, and the origin is let go. */
  abandon(hearer: OriginHearer): void {
    if (this.#hearer !== hearer) return
    this.#hearer = null
    this.socket.destroy()
  }

  /** @param now on the monotonic clock, ms */
  isLate(now: number): boolean {
    return !this.#paused && now > this.#deadline
  }

  giveUp(): void {
    if (this.#waitingFor === 'upload' && this.#sending?.isPaused() === false) {
      this.#fail(new ClientLate(`nothing more of the request's body for ${this.#waits.idleMs} ms`))
      return
    }
    this.#fail(
      new OriginLate(
        this.#waitingFor === 'answer'
          ? `no answer within ${this.#waits.answerMs} ms`
          : `nothing more for ${this.#waits.idleMs} ms`,
      ),
    )
  }

  readonly #sent = (): void => {
    this.#unsent = false
  }

  readonly #read = (chunk: Buffer): void => {
    if (this.#unsent) {
      // It answers nothing that was asked, and the head would go out on a connection that is free by then, or another's.
      this.#fail(this.#lost('the origin spoke before it was asked'))
      return
    }
    this.#answered = true
    this.#readAt = this.#monotonic()
    if (this.#hearer === null) {
      // An answer that nobody asked for is nobody's.
      this.socket.destroy()
      return
    }
    if (this.#waitingFor === 'body') this.#wait('body', this.#readAt)
    try {
      this.#parser.read(chunk)
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  readonly #ended = (): void => {
    if (this.#hearer === null) {
      this.socket.destroy()
      return
    }
    if (!this.#parser.closed()) this.#fail(this.#lost('the origin closed the connection'))
  }

  readonly #failed = (error: Error): void => {
    this.#fail(this.#answered ? error : this.#lost(error.message, error))
  }

  readonly #closed = (): void => {
    this.#fail(this.#lost('the connection was closed'))
    this.#settled(this, false)
  }

  #lost(message: string, cause?: Error): Error {
    // On a new connection it was not the idle time that killed it: the origin has seen the request.
    const perhapsUnseen = !this.#answered && this.#uses > 1
    return perhapsUnseen ? new ConnectionLost(message, { cause }) : new Error(message, { cause })
  }

  #fail(error: Error): void {
    const hearer = this.#hearer
    this.#hearer = null
    this.#stopSending()
    this.socket.destroy()
    hearer?.onError(error)
  }

  #over(reusable: boolean): void {
    const hearer = this.#hearer
    // Answered before the body was through: what is left of it would be read as the next request, or wait before it.
    const whole = this.#sending === null && this.socket.writableLength === 0
    this.#hearer = null
    this.#deadline = Number.POSITIVE_INFINITY
    this.#stopSending()
    if (reusable && whole && !this.#last && !this.socket.destroyed) {
      // Its last piece waited for a reader who takes his time; whoever uses the connection next must not.
      if (this.#paused) {
        this.#paused = false
        this.#space?.leave()
        this.socket.resume()
      }
      this.idleSince = this.#readAt
      this.#settled(this, true)
    } else this.socket.destroy()
    hearer?.onEnd()
  }

  #handOver(headers: readonly string[], rest: Buffer): void {
    const { socket } = this
    const hearer = this.#hearer
    this.#hearer = null
    this.#deadline = Number.POSITIVE_INFINITY
    socket.off('data', this.#read)
    socket.off('end', this.#ended)
    socket.off('error', this.#failed)
    socket.off('close', this.#closed)
    socket.pause()
    this.#settled(this, false)
    hearer?.onUpgrade(headers, socket, rest)
  }

  #wait(what: StillToCome, now = this.#monotonic()): void {
    this.#waitingFor = what
    this.#deadline = now + (what === 'answer' ? this.#waits.answerMs : this.#waits.idleMs)
  }

  /** As it comes, no faster than the origin takes it; nothing is kept. */
  #send(stream: Readable, chunked: boolean): void {
    const { socket } = this
    this.#sending = stream
    stream.on('data', (chunk: Buffer) => {
      // A chunk of no bytes would be the last one, and what follows the next request.
      if (this.#sending !== stream || chunk.length === 0) return
      // A body that goes on in one direction is no silence in the other.
      this.#wait(this.#waitingFor === 'body' ? 'body' : 'upload')
      if (chunked) {
        socket.cork()
        socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1')
        socket.write(chunk)
      }
      const more = socket.write(chunked ? '\r\n' : chunk, 'latin1')
      if (chunked) socket.uncork()
      if (more) return
      stream.pause()
      socket.once('drain', () => stream.resume())
    })
    stream.on('end', () => {
      if (this.#sending !== stream) return
      this.#sending = null
      // The answer is waited for from the last byte sent.
      if (this.#waitingFor === 'upload') this.#wait('answer')
      if (chunked) socket.write('0\r\n\r\n', 'latin1')
    })
    stream.on('close', () => {
      if (this.#sending === stream) this.#fail(new Error('the client left while it was sending'))
    })
  }

  #stopSending(): void {
    const stream = this.#sending
    this.#sending = null
    stream?.destroy()
  }
}

function keepAliveOf(headers: readonly string[]): number | null {
  const [, seconds] = /\btimeout=(\d{1,6})/.exec(firstValue(headers, 'keep-alive') ?? '') ?? []
  return seconds === undefined ? null : Number(seconds) * 1000
}
