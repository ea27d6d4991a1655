/**
 * The portal: our own host, an Express application over the routes that the flows export. The only file that knows Express.
 * helmet protects these pages; express-session keeps these pages' own state; who is signed in comes from our record.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { RedisStore } from 'connect-redis'
import express, { type NextFunction, type Request, type Response } from 'express'
import session from 'express-session'
import helmet from 'helmet'
import { GatewayError, newReference } from '../errors.ts'
import type { AdmitWrite } from '../limits/anonymous-writes.ts'
import { cookieName } from '../model/cookie.ts'
import type { Report } from '../model/event.ts'
import type { PortalRequest, Route } from '../model/exchange.ts'
import { shownPath } from '../model/shown-path.ts'
import { type Language, languages } from '../model/text.ts'
import type { Pages } from '../pages/pages.ts'
import { stylesheetPath } from '../pages/stylesheet.ts'
import type { createPageClient } from '../session/page-client.ts'
import type { NodePassage } from './arrival.ts'
import { asGatewayError, type FailurePage } from './failure-page.ts'
import { type KeptState, pageStateOf } from './page-state.ts'
import { sendAnswer } from './portal-answer.ts'

export interface PortalAppParts {
  readonly routes: readonly Route[]
  /** `https://acces.example.org` */
  readonly origin: string
  readonly pages: Pages
  readonly stylesheet: string
  readonly icon: string
  /** JSON of a JWK set: what origins check our signatures with. */
  readonly keySet: string
  readonly pageState: ReturnType<typeof createPageClient>
  /** Signs express-session's cookie; the first signs, all verify. */
  readonly cookieSecrets: readonly string[]
  readonly failurePage: FailurePage
  readonly admitWrite: AdmitWrite
  readonly languageOf: (acceptLanguage: string | undefined) => Language
  readonly newToken: () => string
  readonly random: (max: number) => number
  readonly report: Report
  readonly now: () => number
}

/** Bytes of a form of ours. */
const formLimit = 16 * 1024
const stateLifeMs = 60 * 60_000

declare module 'express-session' {
  interface SessionData extends KeptState {}
}

export function createPortalApp(parts: PortalAppParts): (passage: NodePassage) => void {
  const { failurePage, pages } = parts
  const passages = new WeakMap<IncomingMessage, NodePassage>()
  /** Requests of browsers that came without a page state that we know. */
  const madeNow = new WeakSet<IncomingMessage>()
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', false)
  app.enable('strict routing')
  app.enable('case sensitive routing')
  app.use(
    helmet({
      contentSecurityPolicy: false,
      strictTransportSecurity: parts.origin.startsWith('https:')
        ? { maxAge: 31_536_000, includeSubDomains: false }
        : false,
      referrerPolicy: { policy: 'same-origin' },
      crossOriginOpenerPolicy: { policy: 'same-origin' },
    }),
  )
  app.get('/passerelle.css', (_, response) => asset(response, 'text/css; charset=utf-8', parts.stylesheet))
  // Pages of failure are the same on our host and on a site's: sandboxed, so that to a browser they are of no origin, not even of ours.
  app.get(stylesheetPath, (_, response) => {
    response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin')
    asset(response, 'text/css; charset=utf-8', parts.stylesheet)
  })
  app.get('/passerelle.svg', (_, response) => asset(response, 'image/svg+xml', parts.icon))
  // RFC 7517 §8.5.2. Ten minutes: a key is published long before it signs, but an operator waits for that (B 4).
  app.get('/.well-known/jwks.json', (_, response) => asset(response, 'application/jwk-set+json', parts.keySet, 600))
  app.use((request, response, next) => {
    // express-session sets no cookie where it sees no TLS; what `portal` says is true, whatever the socket looks like.
    Object.defineProperty(request, 'secure', { value: true })
    response.setHeader('Cache-Control', 'no-store')
    response.setHeader('Vary', 'Cookie, Accept-Language, Sec-Fetch-Mode, Sec-Fetch-Dest')
    next()
  })
  const pageState = session({
    name: cookieName.form,
    secret: [...parts.cookieSecrets],
    store: new RedisStore({
      client: parts.pageState.client,
      prefix: '',
      ttl: stateLifeMs / 1000,
      disableTouch: true,
    }),
    genid: request => {
      madeNow.add(request)
      return parts.pageState.genid()
    },
    cookie: { path: '/', httpOnly: true, secure: true, sameSite: 'lax' },
    resave: false,
    saveUninitialized: false,
  })
  for (const route of parts.routes) if (route.withoutCookies === true) mount(route)
  const stateless = parts.routes.filter(route => route.withoutPageState === true)
  app.use((request, response, next) =>
    pageState(request, response, (error?: unknown) => {
      const goesOn = stateless.some(({ method, path }) => method === request.method && path === request.path)
      next(goesOn && error instanceof GatewayError && error.code === 'session.store-down' ? undefined : error)
    }),
  )
  for (const route of parts.routes) if (route.withoutCookies !== true) mount(route)
  app.use((request: Request) => {
    throw new GatewayError('portal.not-found', shownPath(request.path))
  })
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) =>
    failed(error, request, response),
  )

  return function portal(passage) {
    passages.set(passage.request, passage)
    app(passage.request, passage.response)
  }

  function mount(route: Route): void {
    const body =
      route.body === 'form'
        ? [
            express.text({
              type: 'application/x-www-form-urlencoded',
              limit: route.bodyLimit ?? formLimit,
              inflate: false,
            }),
          ]
        : []
    app[route.method === 'GET' ? 'get' : 'post'](route.path, ...body, async (request: Request, response: Response) => {
      const before = JSON.stringify(keptOf(request))
      const asked = portalRequest(request)
      if (route.csrf !== false) mustBeOurForm(request, asked, route.csrf === 'own-origin')
      const answer = await route.answer(asked)
      if (JSON.stringify(keptOf(request)) !== before) await savePageState(request)
      sendAnswer(request, response, answer)
    })
  }

  function portalRequest(request: Request): PortalRequest {
    const { observed, navigation, cookies } = passageOf(request)
    const kept = keptOf(request)
    const query = new URLSearchParams(observed.target?.query ?? '')
    const reference = newReference(parts.random)
    observed.reference = reference
    return {
      method: request.method as PortalRequest['method'],
      path: request.path,
      params: Object.fromEntries(
        Object.entries(request.params).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
      ),
      query,
      form: typeof request.body === 'string' ? new URLSearchParams(request.body) : null,
      cookies,
      navigation,
      language: languageFor(request, kept, query),
      address: observed.client,
      userAgent: request.headers['user-agent'] ?? '',
      reference,
      at: new Date(parts.now()),
      page: pageStateOf(kept, madeNow.has(request), parts.newToken),
      note(failure) {
        observed.failure = { code: failure.code, reference, detail: failure.message, hint: failure.hint }
      },
    }
  }

  /** The visible switch decides, and is kept for the pages that follow. */
  function languageFor(request: Request, kept: KeptState, query: URLSearchParams): Language {
    const asked = languages.find(language => language === query.get('lang'))
    if (asked === undefined) return kept.language ?? parts.languageOf(request.headers['accept-language'])
    if (kept.language !== asked && mayRemember(request)) kept.language = asked
    return asked
  }

  /** Where too many ask us to, the page is in the language that was chosen, and nothing is remembered of it. */
  function mayRemember(request: Request): boolean {
    return !madeNow.has(request) || parts.admitWrite('page-state', passageOf(request).observed.client) === null
  }

  /** SESSIONS A6: our own origin, not merely the same site, and the token of this browser's page state. */
  function mustBeOurForm(request: Request, asked: PortalRequest, ofOwnOrigin: boolean): void {
    const site = request.headers['sec-fetch-site']
    const ours = site === undefined ? request.headers.origin === parts.origin : site === 'same-origin'
    if (!ours) {
      parts.report({ name: 'request.cross-origin', resource: null })
      const from = String(request.headers.origin).slice(0, 200)
      throw new GatewayError('request.cross-origin', `POST ${shownPath(request.path)} from ${from}`)
    }
    // Out of the store's reach the token cannot be compared; browsers do not let other origins claim ours.
    if (ofOwnOrigin || !hasPageState(request)) return
    if (!asked.page.tokenMatches(asked.form?.get('token') ?? null)) {
      throw new GatewayError(
        'portal.form-expired',
        `POST ${shownPath(request.path)} without the token of this browser's page state`,
      )
    }
  }

  function failed(thrown: unknown, request: Request, response: Response): void {
    const passage = passageOf(request)
    const error = fromExpress(thrown)
    if (error.code === 'session.ambiguous' && !response.headersSent) return bothSessions(request, response, error)
    // Where the page state could not be read, there is none.
    const state = request.session as Request['session'] | undefined
    failurePage.answer(passage, error, state?.language ?? null)
  }

  /** C4: which of the two is the person's, nobody can say; the button ends both. */
  function bothSessions(request: Request, response: Response, error: GatewayError): void {
    const asked = portalRequest(request)
    asked.note(error)
    const html = pages.failure(
      {
        language: asked.language,
        place: 'one-shot',
        here: null,
        reference: asked.reference,
        at: asked.at,
        person: null,
      },
      {
        code: 'session.ambiguous',
        subject: null,
        going: null,
        host: null,
        sent: false,
        button: { kind: 'post', action: '/logout', token: asked.page.token(), does: 'close-both' },
        other: null,
        retryAfterS: null,
      },
    )
    sendAnswer(request, response, { kind: 'page', status: error.status, html, policy: 'leads-away', cookies: [] })
  }

  /** @param seconds that anybody may keep it */
  function asset(response: ServerResponse, type: string, text: string, seconds = 3600): void {
    response.setHeader('Content-Type', type)
    response.setHeader('Cache-Control', `public, max-age=${seconds}`)
    response.setHeader('Content-Length', Buffer.byteLength(text))
    response.end(text)
  }

  function passageOf(request: IncomingMessage): NodePassage {
    const passage = passages.get(request)
    if (passage === undefined) throw new GatewayError('internal', 'a request that did not come through the listener')
    return passage
  }
}

/** express-session leaves a request without one where its store failed and the route goes on all the same. */
function hasPageState(request: Request): boolean {
  return (request.session as KeptState | undefined) !== undefined
}

/**
 * Before the answer: express-session saves while it goes out, when it is too late to say that a form's token is lost.
 * @throws GatewayError `session.store-down`
 */
function savePageState(request: Request): Promise<void> {
  if (!hasPageState(request)) return Promise.resolve()
  return new Promise((resolve, reject) => {
    request.session.save((error: unknown) => {
      if (error === undefined || error === null) return resolve()
      // Neither tried once more at the end, nor named by a cookie.
      Reflect.deleteProperty(request, 'session')
      reject(error)
    })
  })
}

function keptOf(request: Request): KeptState {
  return hasPageState(request) ? request.session : {}
}

/** Errors of express and its body parser carry a status; 4xx is the client's. */
function fromExpress(thrown: unknown): GatewayError {
  const status = thrown instanceof Error && 'status' in thrown ? thrown.status : undefined
  if (thrown instanceof GatewayError || typeof status !== 'number' || status >= 500) return asGatewayError(thrown)
  return new GatewayError(status === 413 ? 'request.too-large' : 'request.malformed', (thrown as Error).message, {
    cause: thrown,
  })
}
