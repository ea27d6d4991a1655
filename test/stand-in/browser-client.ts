/**
 * A browser without a screen, for the flow tests: cookies, redirects, Fetch Metadata, Origin and Referer as Chromium
 * does them (see cookie-jar.ts and site.ts for what is left out). Names under .localhost are 127.0.0.1, so every URL of
 * a test carries the port of the gateway that runs in the same process. It never leaves this machine.
 *
 *   const browser = new Browser({ language: 'en' })
 *   const page = await browser.navigate(`http://journal.localhost:${port}/article/12`)   // follows redirects
 *   const next = await browser.submit(page, { username: 'alice' })                       // the page's first form
 *   const data = await browser.fetch('/api/notes', { from: next })                       // a script of that page
 */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import {
  type Asking,
  type CookieUse,
  type FetchOptions,
  type Follow,
  type Headers,
  type NavigateOptions,
  navigationAsking,
  subrequestAsking,
  urlOf,
} from './browser-asking.ts'
import { OpenReply, type Reply, readReply, type SentRequest } from './browser-reply.ts'
import { BrowserSocket } from './browser-socket.ts'
import { type Cookie, type CookieContext, CookieJar } from './cookie-jar.ts'
import { isLoopback, isTrustworthy, originOf, siteOf } from './site.ts'

export interface BrowserOptions {
  /** Of the person; French by default. */
  readonly language?: 'fr' | 'en'
  /** Milliseconds since the epoch, for the cookies' expiry. */
  readonly now?: () => number
  /** False: a browser that refuses all cookies. */
  readonly cookies?: boolean
  /** False: a browser from before Fetch Metadata, which sends no Sec-Fetch-* at all. */
  readonly fetchMetadata?: boolean
  readonly jar?: CookieJar
  /** Until an answer's head is there, in ms; 60,000 by default. */
  readonly timeoutMs?: number
}

interface Outgoing {
  readonly method: string
  readonly body: Uint8Array | null
}

const userAgent =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36'
const languages = { fr: 'fr-FR,fr;q=0.9,en;q=0.5', en: 'en-GB,en;q=0.9,fr;q=0.5' }

export class Browser {
  readonly jar: CookieJar
  readonly #options: BrowserOptions

  constructor(options: BrowserOptions = {}) {
    this.#options = options
    this.jar = options.jar ?? new CookieJar(options.now)
  }

  /** What is stored for exactly this host. */
  cookies(host: string): Cookie[] {
    return this.jar.of(host)
  }

  /** Another browser that starts with a copy of this one's cookies: a thief, or a second computer after a backup. */
  twin(): Browser {
    return new Browser({ ...this.#options, jar: this.jar.copy() })
  }

  /**
   * Opens an address in a tab (or frame) and reads the answer to its end.
   *
   * @throws Error more redirects than Chromium follows, no answer in time, or a name that is not on this machine
   */
  async navigate(url: string | URL, options: NavigateOptions = {}): Promise<Reply> {
    const form = options.form === undefined ? null : new URLSearchParams(pairs(options.form)).toString()
    const method = options.method ?? (form === null ? 'GET' : 'POST')
    const asking = navigationAsking(options, form !== null)
    const outgoing = { method, body: form === null ? null : Buffer.from(form) }
    return this.#exchange(resolve(url, options.from), asking, outgoing, options.follow ?? true)
  }

  /** Follows a link of the page: the first whose text or address contains `which`. */
  async click(page: Reply, which: string, options: Omit<NavigateOptions, 'from'> = {}): Promise<Reply> {
    const link = page.links.find(({ text, href }) => text.includes(which) || href.includes(which))
    if (link === undefined) throw new Error(`no link ${JSON.stringify(which)} on ${page.url.href}`)
    return this.navigate(new URL(link.href, page.url), { ...options, from: page })
  }

  /**
   * Sends a form of the page.
   *
   * @param fields over what the form already holds
   * @param which  part of the form's action, or of a button's text, name or value, whose form it then is, and which is
   *               pressed; absent: the first form, by its first button
   */
  async submit(
    page: Reply,
    fields: Readonly<Record<string, string>> = {},
    which: string | null = null,
    options: Omit<NavigateOptions, 'from' | 'form' | 'method'> = {},
  ): Promise<Reply> {
    const named = (button: { text: string; name: string | null; value: string }) =>
      which !== null && [button.text, button.name ?? '', button.value].some(word => word.includes(which))
    const form = page.forms.find(
      candidate => which === null || candidate.action.includes(which) || candidate.buttons.some(named),
    )
    if (form === undefined) throw new Error(`no form ${JSON.stringify(which)} on ${page.url.href}:\n${page.text}`)
    const button = form.buttons.find(named) ?? form.buttons[0]
    const pressed = button === undefined || button.name === null ? {} : { [button.name]: button.value }
    const untouched = form.fields.filter(([name]) => !(name in fields) && !(name in pressed))
    const sent = [...untouched, ...Object.entries(fields), ...Object.entries(pressed)]
    const target = new URL(button?.action ?? form.action, page.url)
    if (form.method === 'POST') return this.navigate(target, { ...options, from: page, form: sent })
    target.search = new URLSearchParams(pairs(sent)).toString()
    return this.navigate(target, { ...options, from: page })
  }

  /** A request by a page's script or element, answer read to its end. */
  async fetch(url: string | URL, options: FetchOptions = {}): Promise<Reply> {
    const target = resolve(url, options.from)
    return this.#exchange(target, subrequestAsking(target, options), outgoingOf(options), options.follow ?? true)
  }

  /** As fetch, but returns when the head is there: event streams, long downloads. Follows no redirect. */
  async open(url: string | URL, options: FetchOptions = {}): Promise<OpenReply> {
    const target = resolve(url, options.from)
    const outgoing = outgoingOf(options)
    const asking = subrequestAsking(target, options)
    const sent = this.#compose(asking, outgoing.method, [target])
    const use = asking.cookiesFor(target, outgoing.method)
    return new OpenReply(sent, await this.#send(sent, outgoing.body, use))
  }

  /**
   * Opens a WebSocket, as a page at `from` does. Handshakes carry Origin and cookies, and no Sec-Fetch-* (SESSIONS A6).
   *
   * @throws RefusedUpgrade with the answer, when it is not 101
   */
  async webSocket(
    url: string | URL,
    options: { readonly from?: Reply | string; readonly headers?: Headers } = {},
  ): Promise<BrowserSocket> {
    const target = resolve(url, options.from)
    stayHere(target)
    target.protocol = 'ws:'
    const page = options.from === undefined ? target : urlOf(options.from)
    const context = siteOf(page) === siteOf(target) ? 'same-site' : 'cross-site'
    const headers = { Origin: originOf(page), ...this.#always(), ...this.#cookieHeader(target, context) }
    const sent = { method: 'GET', url: target, headers: { ...headers, ...options.headers } }
    return BrowserSocket.open(sent, lines => this.#keep(target, lines, context))
  }

  async #exchange(first: URL, asking: Asking, outgoing: Outgoing, follow: Follow): Promise<Reply> {
    const chain = [first]
    let hops: readonly Reply[] = []
    let { method, body } = outgoing
    for (;;) {
      const url = chain.at(-1) as URL
      const sent = this.#compose(asking, method, chain)
      const incoming = await this.#send(sent, body, asking.cookiesFor(url, method))
      const reply = await readReply(sent, incoming, hops)
      const next = reply.redirect
      if (next === null || !goesOn(follow, reply)) return reply
      if (hops.length >= 20) throw new Error(`more than 20 redirects:\n${reply.story}`)
      if (next.hash === '') next.hash = url.hash
      if (reply.status === 303 ? method !== 'HEAD' : reply.status <= 302 && method === 'POST') {
        method = 'GET'
        body = null
      }
      hops = [...hops, reply]
      chain.push(next)
    }
  }

  #compose(asking: Asking, method: string, chain: readonly URL[]): SentRequest {
    const url = chain.at(-1) as URL
    const use = asking.cookiesFor(url, method)
    const told = Object.entries(asking.headersFor(chain, method)).filter(
      ([name]) => this.#options.fetchMetadata !== false || !name.startsWith('Sec-'),
    )
    const cookie = use === null ? {} : this.#cookieHeader(url, use.send)
    const headers = {
      Host: url.host,
      Connection: 'keep-alive',
      ...this.#always(),
      ...Object.fromEntries(told),
      ...cookie,
    }
    return { method, url, headers: { ...headers, ...asking.own } }
  }

  async #send(sent: SentRequest, body: Uint8Array | null, use: CookieUse | null): Promise<IncomingMessage> {
    const incoming = await sendOnce(sent, body, this.#options.timeoutMs ?? 60_000)
    if (use !== null) this.#keep(sent.url, incoming.headers['set-cookie'] ?? [], use.keep)
    const erased = incoming.headers['clear-site-data'] ?? ''
    if (/"(cookies|\*)"/.test(String(erased)) && isTrustworthy(sent.url)) this.jar.clearSite(sent.url)
    return incoming
  }

  #keep(url: URL, lines: readonly string[], context: CookieContext): void {
    if (this.#options.cookies === false) return
    for (const line of lines) this.jar.receive(url, line, context)
  }

  #cookieHeader(url: URL, context: CookieContext): Record<string, string> {
    const cookie = this.jar.headerFor(url, context)
    return cookie === null ? {} : { Cookie: cookie }
  }

  #always(): Record<string, string> {
    return {
      'User-Agent': userAgent,
      'Accept-Encoding': 'gzip, deflate, br',
      'Accept-Language': languages[this.#options.language ?? 'fr'],
    }
  }
}

/** One request on a connection of its own, so that no test depends on which connection was still alive. */
function sendOnce(sent: SentRequest, body: Uint8Array | null, timeoutMs: number): Promise<IncomingMessage> {
  stayHere(sent.url)
  const length = body === null ? {} : { 'Content-Length': String(body.length) }
  return new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpRequest({
      host: '127.0.0.1',
      port: Number(sent.url.port || 80),
      method: sent.method,
      path: `${sent.url.pathname}${sent.url.search}`,
      headers: { ...sent.headers, ...length } as Record<string, string>,
      agent: false,
      maxHeaderSize: 262_144,
    })
    const late = () => request.destroy(new Error(`no answer to ${sent.url.href} within ${timeoutMs} ms`))
    const timer = setTimeout(late, timeoutMs)
    request.on('response', response => {
      clearTimeout(timer)
      resolve(response)
    })
    request.on('error', error => {
      clearTimeout(timer)
      reject(error)
    })
    request.end(body ?? undefined)
  })
}

function outgoingOf(options: FetchOptions): Outgoing {
  const body = options.body === undefined ? null : Buffer.from(options.body)
  return { method: options.method ?? (body === null ? 'GET' : 'POST'), body }
}

function goesOn(follow: Follow, reply: Reply): boolean {
  if (typeof follow === 'function') return follow(reply)
  return typeof follow === 'number' ? reply.hops.length < follow : follow
}

function pairs(form: NonNullable<NavigateOptions['form']>): [string, string][] {
  const entries: readonly (readonly [string, string])[] = Symbol.iterator in form ? form : Object.entries(form)
  return entries.map(([name, value]) => [name, value])
}

function resolve(url: string | URL, from: Reply | string | undefined): URL {
  return from === undefined ? new URL(url) : new URL(url, urlOf(from))
}

function stayHere(url: URL): void {
  if (!isLoopback(url.hostname)) throw new Error(`${url.hostname} is not on this machine: tests stay on loopback`)
}
