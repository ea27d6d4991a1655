/**
 * A CAS server (CAS Protocol 3.0) that signs one person in unasked and lies as told. Tickets are good once, for their service;
 * `logout` ends the person's session here and posts a logoutRequest to every service that a ticket was used for.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http'

export interface CasBends {
  /** False: /login asks for a name and a password, and signs in whoever is named. */
  unasked: boolean
  /** Nobody is signed in there: who comes with `gateway` is sent back as they came (§2.1.1). */
  nobody: boolean
  /** Whom /login signs in. */
  user: string
  /** Inside `authenticationSuccess`, after the user. */
  attributes: string
  /** Instead of the whole answer to a ticket. */
  validation: ((request: IncomingMessage, response: ServerResponse) => void) | null
  /** Instead of the whole answer to a question without a ticket, by which the gateway looks whether it is there. */
  look: CasBends['validation']
  /** Milliseconds before the answer to a ticket. */
  lateMs: number
}

export interface CasServer {
  /** What `cas.server` says. */
  readonly server: string
  readonly bends: CasBends
  /** Path and query of every request, oldest first. */
  readonly asked: string[]
  /** Tickets and the services for which they were made, oldest first. */
  readonly tickets: readonly { readonly ticket: string; readonly service: string }[]
  /** Plays the browser at /login: our callback's address with a ticket, from the address we led to. */
  readonly signIn: (login: URL) => URL
  /** @returns the status of each service's answer */
  readonly singleLogout: () => Promise<readonly number[]>
  readonly reset: () => void
  /** Nobody listens any more. */
  readonly goDown: () => Promise<void>
  readonly comeUp: () => Promise<void>
  readonly stop: () => Promise<void>
}

interface Granted {
  readonly ticket: string
  readonly service: string
  readonly user: string
  readonly renewed: boolean
  used: boolean
}

const honest = (): CasBends => ({
  unasked: true,
  nobody: false,
  user: 'alice',
  attributes: '',
  validation: null,
  look: null,
  lateMs: 0,
})

export async function startCasServer(): Promise<CasServer> {
  const bends = honest()
  const granted: Granted[] = []
  const asked: string[] = []
  const http = createServer(answer)
  // It comes up again on the same one.
  const port = await freePort()
  await listen(port)
  const server = `http://cas.localhost:${port}/cas`

  return {
    server,
    bends,
    asked,
    tickets: granted,
    signIn,
    async singleLogout() {
      const used = granted.filter(one => one.used)
      return Promise.all(used.map(({ service, ticket }) => postLogout(service, logoutRequest(ticket))))
    },
    reset() {
      Object.assign(bends, honest())
      granted.length = 0
      asked.length = 0
    },
    goDown: close,
    comeUp: () => listen(port),
    stop: close,
  }

  function listen(on: number): Promise<void> {
    return new Promise((resolve, reject) => {
      http.once('error', reject)
      http.listen(on, '127.0.0.1', () => resolve())
    })
  }

  async function close(): Promise<void> {
    http.closeAllConnections()
    await new Promise(resolve => http.close(resolve))
  }

  function signIn(login: URL): URL {
    const service = login.searchParams.get('service') ?? ''
    const ticket = `ST-${granted.length + 1}-${randomUUID()}`
    granted.push({
      ticket,
      service,
      user: bends.user,
      renewed: login.searchParams.get('renew') === 'true',
      used: false,
    })
    const back = new URL(service)
    back.searchParams.set('ticket', ticket)
    return back
  }

  function answer(request: IncomingMessage, response: ServerResponse): void {
    asked.push(request.url ?? '')
    const url = new URL(request.url ?? '', server)
    switch (url.pathname) {
      case '/cas/login':
        // With `renew` a server pays no heed to `gateway`.
        if (bends.nobody && url.searchParams.get('gateway') === 'true' && !url.searchParams.has('renew')) {
          response.writeHead(302, { Location: url.searchParams.get('service') ?? '/' }).end()
          return
        }
        if (!bends.unasked) return form(request, response, url)
        response.writeHead(302, { Location: signIn(url).href }).end()
        return
      case '/cas/logout':
        response.writeHead(302, { Location: url.searchParams.get('service') ?? '/cas/login' }).end()
        return
      case '/cas/p3/serviceValidate':
      case '/cas/serviceValidate':
        if (bends.validation !== null && url.searchParams.has('ticket')) return bends.validation(request, response)
        if (bends.look !== null && !url.searchParams.has('ticket')) return bends.look(request, response)
        setTimeout(() => validated(url.searchParams, response), bends.lateMs)
        return
      default:
        response.writeHead(404).end()
    }
  }

  /** The page of an académie's portal. */
  function form(request: IncomingMessage, response: ServerResponse, url: URL): void {
    if (request.method !== 'POST') {
      response.setHeader('Content-Type', 'text/html; charset=utf-8')
      response.end(`<!doctype html><html lang="fr"><title>Authentification</title><h1>Authentification</h1>
<form method="post"><label>Identifiant <input name="username"></label>
<label>Mot de passe <input name="password" type="password"></label><button>Valider</button></form>`)
      return
    }
    let body = ''
    request.setEncoding('utf8').on('data', piece => {
      body += piece
    })
    request.on('end', () => {
      bends.user = new URLSearchParams(body).get('username') ?? ''
      response.writeHead(302, { Location: signIn(url).href }).end()
    })
  }

  function validated(asking: URLSearchParams, response: ServerResponse): void {
    response.setHeader('Content-Type', 'application/xml; charset=utf-8')
    response.end(
      `<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">${judged(asking)}</cas:serviceResponse>\n`,
    )
  }

  function judged(asking: URLSearchParams): string {
    const [service, ticket] = [asking.get('service'), asking.get('ticket')]
    if (service === null || ticket === null) return failure('INVALID_REQUEST', 'service and ticket are required')
    const found = granted.find(one => one.ticket === ticket && !one.used)
    if (found === undefined) return failure('INVALID_TICKET', `Ticket ${ticket} not recognized`)
    found.used = true
    if (found.service !== service) return failure('INVALID_SERVICE', `the ticket is not for ${service}`)
    if (asking.get('renew') === 'true' && !found.renewed) return failure('INVALID_TICKET', 'not from a new sign-in')
    return `<cas:authenticationSuccess><cas:user>${found.user}</cas:user>${bends.attributes}</cas:authenticationSuccess>`
  }
}

/** As a server does it: no cookies, no browser, and to a name under .localhost, which node does not find by itself. */
export function postLogout(service: string, request: string): Promise<number> {
  const { host, port, pathname: path } = new URL(service)
  return new Promise((resolve, reject) => {
    const headers = { host, 'content-type': 'application/x-www-form-urlencoded' }
    const asking = send({ host: '127.0.0.1', port, path, method: 'POST', headers })
    asking.on('response', answer => resolve(answer.resume().statusCode ?? 0))
    asking.on('error', reject)
    asking.end(`${new URLSearchParams({ logoutRequest: request })}`)
  })
}

/** As servers of CAS 3 write it. */
export function logoutRequest(ticket: string): string {
  return `<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="LR-${randomUUID()}" Version="2.0" IssueInstant="${new Date().toISOString()}"><saml:NameID>@NOT_USED@</saml:NameID><samlp:SessionIndex>${ticket}</samlp:SessionIndex></samlp:LogoutRequest>`
}

export function failure(code: string, message: string): string {
  return `<cas:authenticationFailure code="${code}">${escaped(message)}</cas:authenticationFailure>`
}

/** Text as XML holds it: line breaks too, which a parser would otherwise make one. */
export function escaped(text: string): string {
  return text.replace(/[&<>"\r\n]/g, character => `&#${character.charCodeAt(0)};`)
}

import { freePort } from './ports.ts'
