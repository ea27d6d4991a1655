/** A WebSocket as a page holds it: every message kept, the close code told. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { WebSocket } from 'ws'
import { type Reply, readReply, type SentRequest } from './browser-reply.ts'
import { Watch } from './recording.ts'

/** The handshake was answered with an ordinary answer instead of 101. */
export class RefusedUpgrade extends Error {
  readonly reply: Reply

  constructor(reply: Reply) {
    super(`the WebSocket was refused with ${reply.status}`)
    this.name = 'RefusedUpgrade'
    this.reply = reply
  }
}

export class BrowserSocket {
  /** Texts received, oldest first. */
  readonly messages: string[] = []
  /** Resolves when the connection is over. 1006: it broke without a closing frame. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  readonly #socket: WebSocket
  readonly #watch = new Watch()

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', message => {
      this.messages.push(String(message))
      this.#watch.changed()
    })
    socket.on('error', () => {})
    this.closed = new Promise(resolve => {
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString('utf8') }))
    })
  }

  /**
   * @param sent     the handshake; its URL is `ws://<host>.localhost:<port>/…`
   * @param received called with the answer's Set-Cookie lines before this resolves
   * @throws RefusedUpgrade the answer was not 101
   * @throws Error          no connection, or no valid WebSocket handshake
   */
  static async open(sent: SentRequest, received: (cookies: readonly string[]) => void): Promise<BrowserSocket> {
    const socket = new WebSocket(sent.url, {
      headers: { ...sent.headers } as Record<string, string>,
      perMessageDeflate: false,
      createConnection: () => connect({ host: '127.0.0.1', port: Number(sent.url.port || 80), noDelay: true }),
    })
    const page = new BrowserSocket(socket)
    socket.on('upgrade', answer => received(answer.headers['set-cookie'] ?? []))
    const refused = new Promise<never>((_, reject) => {
      socket.on('unexpected-response', (_request, answer) => {
        received(answer.headers['set-cookie'] ?? [])
        readReply(sent, answer).then(reply => reject(new RefusedUpgrade(reply)), reject)
      })
    })
    await Promise.race([once(socket, 'open'), refused])
    return page
  }

  send(text: string): void {
    this.#socket.send(text)
  }

  /** @throws Error when no such message has come within `withinMs` (5,000) */
  until(text: string, withinMs = 5_000): Promise<void> {
    const came = () => this.messages.some(message => message.includes(text))
    return this.#watch.until(came, `a message with ${JSON.stringify(text)}`, withinMs)
  }

  /** Says goodbye (1000) and waits for the other side's. */
  async close(): Promise<void> {
    this.#socket.close(1000)
    await this.closed
  }

  /** Breaks the connection without a word. */
  destroy(): void {
    this.#socket.terminate()
  }
}
