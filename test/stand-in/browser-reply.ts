/** What the test browser got: a whole answer (Reply), or one that is still coming (OpenReply). */
import type { IncomingMessage } from 'node:http'
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib'
import { HeaderLines } from './header-lines.ts'
import { formsIn, type HtmlForm, type HtmlLink, linksIn, textOf } from './html-form.ts'
import { Watch } from './recording.ts'

/** The request as the browser sent it; header names as it spelled them. */
export interface SentRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string | readonly string[]>>
}

export class Reply extends HeaderLines {
  readonly sent: SentRequest
  readonly status: number
  /** As received: perhaps packed. */
  readonly body: Buffer
  /** False: the connection broke before the body's end. */
  readonly complete: boolean
  /** The redirects that led here, oldest first. Empty for a first answer. */
  readonly hops: readonly Reply[]

  constructor(
    sent: SentRequest,
    answer: { readonly status: number; readonly rawHeaders: readonly string[] },
    body: { readonly bytes: Buffer; readonly complete: boolean },
    hops: readonly Reply[],
  ) {
    super(answer.rawHeaders)
    this.sent = sent
    this.status = answer.status
    this.body = body.bytes
    this.complete = body.complete
    this.hops = hops
  }

  get url(): URL {
    return this.sent.url
  }

  /** The body unpacked, as UTF-8. */
  get text(): string {
    return unpacked(this.body, this.header('content-encoding')).toString('utf8')
  }

  json(): unknown {
    return JSON.parse(this.text)
  }

  /** What a person reads on the page. */
  get visibleText(): string {
    return textOf(this.text)
  }

  get forms(): HtmlForm[] {
    return formsIn(this.text)
  }

  get links(): HtmlLink[] {
    return linksIn(this.text)
  }

  /** Set-Cookie lines, in order. */
  get cookiesSet(): string[] {
    return this.headers('set-cookie')
  }

  /** Where a redirect leads, resolved; null: this is none. */
  get redirect(): URL | null {
    const location = this.header('location')
    return location !== null && [301, 302, 303, 307, 308].includes(this.status) ? new URL(location, this.url) : null
  }

  /** True: a page in a sandbox without `allow-same-origin`, whose requests come from nobody (an opaque origin). */
  get sandboxed(): boolean {
    return this.headers('content-security-policy').some(policy =>
      policy
        .split(/[;,]/)
        .map(directive => directive.trim().split(/\s+/))
        .some(([name, ...values]) => name?.toLowerCase() === 'sandbox' && !values.includes('allow-same-origin')),
    )
  }

  /** Method, address and status of every step, for messages of failed tests. */
  get story(): string {
    return [...this.hops, this].map(hop => `${hop.sent.method} ${hop.url.href} → ${hop.status}`).join('\n')
  }
}

/** Reads the answer to its end, or to where it broke. */
export async function readReply(
  sent: SentRequest,
  incoming: IncomingMessage,
  hops: readonly Reply[] = [],
): Promise<Reply> {
  const pieces: Buffer[] = []
  await new Promise<void>(resolve => {
    incoming.on('data', (piece: Buffer) => pieces.push(piece))
    incoming.on('error', () => {})
    incoming.on('close', resolve)
  })
  const body = { bytes: Buffer.concat(pieces), complete: incoming.complete }
  return new Reply(sent, { status: incoming.statusCode ?? 0, rawHeaders: incoming.rawHeaders }, body, hops)
}

/** An answer whose body is still coming: an event stream, a download that the test reads at its own pace. */
export class OpenReply extends HeaderLines {
  readonly sent: SentRequest
  readonly status: number
  readonly incoming: IncomingMessage
  /** whole: the body came to its end. cut: the connection broke, or we left. */
  readonly closed: Promise<'whole' | 'cut'>
  #text = ''
  #over = false
  readonly #watch = new Watch()

  constructor(sent: SentRequest, incoming: IncomingMessage) {
    super(incoming.rawHeaders)
    this.sent = sent
    this.status = incoming.statusCode ?? 0
    this.incoming = incoming
    incoming.setEncoding('utf8')
    incoming.on('error', () => {})
    incoming.on('data', (piece: string) => {
      this.#text += piece
      this.#watch.changed()
    })
    this.closed = new Promise(resolve => {
      incoming.on('close', () => {
        this.#over = true
        this.#watch.changed()
        resolve(incoming.complete ? 'whole' : 'cut')
      })
    })
  }

  /** All that has come so far. */
  get text(): string {
    return this.#text
  }

  get over(): boolean {
    return this.#over
  }

  /** @throws Error when the text has not come within `withinMs` (5,000) */
  until(text: string, withinMs = 5_000): Promise<void> {
    return this.#watch.until(() => this.#text.includes(text), JSON.stringify(text), withinMs)
  }

  /** Closes the tab. */
  leave(): void {
    this.incoming.destroy()
  }
}

function unpacked(body: Buffer, encoding: string | null): Buffer {
  switch (encoding) {
    case 'gzip':
      return gunzipSync(body)
    case 'deflate':
      return inflateSync(body)
    case 'br':
      return brotliDecompressSync(body)
    default:
      return body
  }
}
