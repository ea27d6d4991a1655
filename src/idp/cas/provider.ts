/**
 * Sign-in by CAS (CAS Protocol 3.0, https://apereo.github.io/cas/6.6.x/protocol/CAS-Protocol-Specification.html): the browser brings a
 * ticket, and the server tells us whose it is. Rests on model/ only; knows nothing of sessions or of HTTP servers.
 */
import { GatewayError } from '../../errors.ts'
import type { Report } from '../../model/event.ts'
import type { Claims, IdpId } from '../../model/identity.ts'
import type { IdentityProvider, IdpMessage, SignIn } from '../../model/idp.ts'
import type { OutboundFetch } from '../../model/outbound.ts'
import type { Text } from '../../model/text.ts'
import { ask } from '../ask.ts'
import { quoted, withoutSecrets } from '../quotation.ts'
import { createReach } from '../reach.ts'
import { textIn } from './encoding.ts'
import { ticketOfLogoutRequest } from './logout-request.ts'
import { readServiceResponse, type ServiceResponse } from './service-response.ts'

export interface CasIdpSettings {
  readonly id: IdpId
  readonly label: Text
  readonly cas: { readonly server: URL; readonly version: 2 | 3 }
}

export interface CasNeeds {
  readonly fetch: OutboundFetch
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly report: Report
  /** 0 to 1, for the back-off. */
  readonly random?: () => number
}

/** Never both: with `renew` a server ignores `gateway` (§2.1.1). */
const told = { 'as-needed': {}, again: { renew: 'true' }, never: { gateway: 'true' } } as const
const xml = { accept: 'application/xml, text/xml' }
/** Seconds by which the server's clock and ours may differ. */
const toleranceS = 120

export function createCasProvider(settings: CasIdpSettings, needs: CasNeeds): IdentityProvider {
  const { version } = settings.cas
  const server = settings.cas.server.href.replace(/\/+$/, '')
  const validation = `${server}${version === 3 ? '/p3' : ''}/serviceValidate`
  const reach = createReach({
    id: settings.id,
    now: needs.now,
    random: needs.random ?? Math.random,
    report: needs.report,
    // Without parameters it answers INVALID_REQUEST, and costs the server nothing.
    look: async () => readServiceResponse(await textOf(new URL(validation))),
  })

  return {
    id: settings.id,
    label: settings.label,
    prompt: null,

    begin: async (callback, { asking, state }) => {
      await reach.fresh()
      const to = address('/login', { service: serviceOf(callback, state), ...told[asking] })
      return { step: { kind: 'redirect', to }, idpPending: { server, ...(asking === 'again' ? { force: '1' } : {}) } }
    },

    hear: async (message, takePending) => {
      if (saysLogout(message)) return loggedOut(message.parameters.get('logoutRequest') ?? '')
      if (saysNobody(message)) {
        await takePending()
        return { kind: 'nobody' }
      }
      const ticket = ticketIn(message)
      const taken = await takePending()
      if (taken.idpPending.server !== server) {
        throw new GatewayError('idp.rejected', `the sign-in was begun at ${taken.idpPending.server}, not at ${server}`)
      }
      const forced = taken.idpPending.force !== undefined
      const answer = await validate(ticket, serviceOf(message.callback, taken.state), forced)
      if (answer.kind === 'failure') throw seen(refusal(answer, [ticket, taken.state]))
      return { kind: 'sign-in', signIn: signInOf(answer, ticket, forced) }
    },

    saysLogout,

    end: async (_keep, returnTo, state) => {
      // Whoever signs out is not sent to a server that is known not to answer.
      if (reach.isGone()) return null
      const service = new URL(returnTo)
      service.searchParams.set('state', state)
      return { kind: 'redirect', to: address('/logout', { service: service.href }) }
    },

    // What CAS tells us comes to the callback, where hear() reads it.
    backChannel: null,
    frontChannel: null,
    refresh: null,

    health: reach.health,
    doubt: reach.doubt,
  }

  function address(path: string, parameters: Readonly<Record<string, string>>): URL {
    // URLSearchParams escapes whatever stands in a ticket: it stays one parameter (CVE-2014-4172).
    return new URL(`${server}${path}?${new URLSearchParams(parameters)}`)
  }

  async function textOf(url: URL): Promise<string> {
    const answer = await ask(needs.fetch, 'GET', url, { headers: xml, signal: null })
    if (answer.status === 200) return decoded(answer)
    throw new GatewayError('idp.invalid-answer', `GET ${url.origin}${url.pathname}: answered ${answer.status}`, {
      hint: 'Compare cas.server and cas.version with what the CAS server offers.',
    })
  }

  async function decoded(answer: Response): Promise<string> {
    try {
      return textIn(new Uint8Array(await answer.arrayBuffer()), answer.headers.get('content-type'))
    } catch (cause) {
      throw new GatewayError('idp.invalid-answer', `the answer of ${server} is no text: ${(cause as Error).message}`, {
        hint: 'The CAS server names one character encoding, in Content-Type or in its XML, and sends another.',
        cause,
      })
    }
  }

  /** One question, whatever it is answered: a ticket is good for one (§3.1.1). */
  async function validate(ticket: string, service: string, forced: boolean): Promise<ServiceResponse> {
    try {
      const parameters = { service, ticket, ...(forced ? { renew: 'true' } : {}) }
      const answer = readServiceResponse(await textOf(new URL(`${validation}?${new URLSearchParams(parameters)}`)))
      if (answer.kind === 'success') reach.worked()
      return answer
    } catch (error) {
      throw error instanceof GatewayError ? seen(error) : error
    }
  }

  /** What a person's ticket is worth says nothing of the server. */
  function seen(error: GatewayError): GatewayError {
    if (error.code !== 'idp.rejected') reach.failed(error)
    return error
  }

  function signInOf(answer: ServiceResponse & { kind: 'success' }, ticket: string, forced: boolean): SignIn {
    return {
      identity: {
        idp: settings.id,
        subject: answer.user,
        claims: answer.attributes,
        authenticatedAt: authenticatedAt(answer.attributes, forced, Math.floor(needs.now() / 1000)),
        strength: { acr: null, amr: [] },
        idpSession: { kind: 'ticket', value: ticket },
      },
      keep: {},
      issuedAt: Math.floor(needs.now() / 1000),
      notAfter: null,
    }
  }

  function loggedOut(request: string): Awaited<ReturnType<IdentityProvider['hear']>> {
    const ticket = ticketOfLogoutRequest(request)
    if (ticket === null) throw new GatewayError('logout.token-rejected', 'a logoutRequest that names no ticket')
    return {
      kind: 'logout',
      notices: [
        {
          idp: settings.id,
          subject: null,
          idpSession: { kinds: ['ticket'], value: ticket },
          issuedAt: Math.floor(needs.now() / 1000),
          message: null,
        },
      ],
      // Whether the ticket was known is nobody's business; 5xx makes a server that cares try again.
      answer: ({ stored }) => ({ kind: 'empty', status: stored ? 200 : 503 }),
    }
  }
}

/** Servers post it to the service (§2.3.3); by GET anybody's link could bring one. */
function saysLogout({ method, parameters }: IdpMessage): boolean {
  return method === 'POST' && parameters.has('logoutRequest')
}

/** The answer to `gateway` where nobody is signed in: the service's own address, as it was given (§2.1.1). */
function saysNobody({ method, parameters, passive }: IdpMessage): boolean {
  return passive && method === 'GET' && !parameters.has('ticket')
}

/** The service that the ticket is for: our callback with the sign-in's state as its last segment (SESSIONS A2). */
function serviceOf(callback: URL, state: string): string {
  return `${callback.origin}${callback.pathname}/${state}`
}

/** @throws GatewayError `idp.rejected` none came, several, or one for a proxy */
function ticketIn({ parameters }: IdpMessage): string {
  const [ticket, ...more] = parameters.getAll('ticket')
  if (ticket === undefined || ticket === '') {
    throw new GatewayError('idp.rejected', 'the CAS server sent the person back without a ticket')
  }
  // The log says what is wrong with it and never what it is: it may still be good.
  if (more.length > 0) throw new GatewayError('idp.rejected', 'the ticket came more than once')
  if (ticket.length > 1_024 || !/^[\x21-\x7e]+$/.test(ticket)) {
    const detail = `the ticket, of ${ticket.length} characters, is no line of at most 1,024 printable ones`
    throw new GatewayError('idp.rejected', detail)
  }
  // Ours begin with ST (§3.1.1); these are for applications that act for a person, and open no session.
  if (/^(?:PT|PGT|PGTIOU|TGC|TGT|LT)-/.test(ticket)) {
    throw new GatewayError(
      'idp.rejected',
      `the ticket is ${quoted(`${ticket.slice(0, 4)}…`)}, which is not for signing in`,
    )
  }
  return ticket
}

/** Told by servers of version 3 (§2.5.2); with `renew` the person has just been asked, whatever an old date says. */
function authenticatedAt(attributes: Claims, forced: boolean, now: number): number {
  const isNew = forced || attributes.isFromNewLogin?.[0]?.toLowerCase() === 'true'
  // Some servers write `2026-11-20T12:00:00Z[UTC]`.
  const told = Date.parse((attributes.authenticationDate?.[0] ?? '').replace(/\[[^\]]*\]$/, '')) / 1000
  if (isNew || Number.isNaN(told) || told > now + toleranceS || told < 0) return now
  return Math.floor(Math.min(told, now))
}

/** @param sent what nobody else may know: servers repeat the ticket in their words, and the service that holds our state */
function refusal({ code, message }: ServiceResponse & { kind: 'failure' }, sent: readonly string[]): GatewayError {
  const words = [code, message].map(text => quoted(withoutSecrets(text, sent)))
  const detail = `the CAS server refused the ticket: ${words.join(', ')}`
  switch (code) {
    case 'INTERNAL_ERROR':
      return new GatewayError('idp.invalid-answer', detail)
    case 'INVALID_SERVICE':
    case 'UNAUTHORIZED_SERVICE':
      return new GatewayError('idp.rejected', detail, {
        hint: 'The CAS server must know our callback as a service: everything below <portal>/callback/<id>/.',
      })
    default:
      return new GatewayError('idp.rejected', detail)
  }
}
