/**
 * What a failed request reads: a page for a person, JSON for a script, each with the status, the reference that is in the
 * log, and never the operator's detail.
 */

import { answerJson, answerPage } from '../access/answer.ts'
import { corsHeaders, isUnsafe } from '../access/cross-origin.ts'
import { GatewayError, newReference } from '../errors.ts'
import { cookieName, eachCookie, expireCookie, isOurs, transactionLimit } from '../model/cookie.ts'
import { displayName } from '../model/identity.ts'
import type { Passage } from '../model/passage.ts'
import type { Language } from '../model/text.ts'
import type { Pages } from '../pages/pages.ts'

export interface FailurePageParts {
  readonly pages: Pages
  readonly languageOf: (acceptLanguage: string | undefined) => Language
  readonly random: (max: number) => number
  readonly now: () => number
}

export type FailurePage = ReturnType<typeof createFailurePage>

export function createFailurePage({ pages, languageOf, random, now }: FailurePageParts) {
  return {
    /**
     * Notes the failure for the log, and answers if nothing was answered yet.
     * @param chosen the language that the person chose; null: what the browser asks for
     */
    answer(passage: Passage, thrown: unknown, chosen: Language | null = null): void {
      const error = asGatewayError(thrown)
      const reference = newReference(random)
      passage.observed.failure = { code: error.code, reference, detail: detailOf(error), hint: error.hint }
      if (passage.response.headersSent) {
        passage.response.destroy()
        return
      }
      // The portal's own pages have it. A sandboxed answer that names it is one that browsers may refuse to show (SESSIONS A1).
      passage.response.removeHeader('Cross-Origin-Opener-Policy')
      const headers = headersOf(error, passage)
      if (isDistrusted(error)) passage.response.shouldKeepAlive = false
      if (!forPerson(passage)) {
        const { resource } = passage.observed
        const cors = resource === null ? [] : corsHeaders(passage, resource)
        return answerJson(passage, error.status, { error: error.code, reference }, [...headers, ...cors])
      }
      answerPage(passage, error.status, render(error, passage, reference, chosen), headers)
    },

    /** For bytes that never became a request: the whole answer, to be written on the socket. */
    raw(error: GatewayError): { readonly text: string; readonly reference: string } {
      const reference = newReference(random)
      return { text: render(error, null, reference, null), reference }
    },
  }

  function render(error: GatewayError, passage: Passage | null, reference: string, chosen: Language | null): string {
    const resource = passage?.observed.resource ?? null
    const language = chosen ?? languageOf(passage?.header('accept-language'))
    const retry = passage === null || isUnsafe(passage.request.method) ? null : (passage.observed.target?.raw ?? null)
    const sent = passage !== null && isUnsafe(passage.request.method) && error.code.startsWith('origin.')
    return pages.failure(
      { language, place: 'site', here: null, reference, at: new Date(now()), person: personOf(passage) },
      {
        code: error.code,
        subject: resource?.title ?? null,
        going: null,
        host: error.code === 'resource.unknown-host' ? (passage?.observed.target?.host ?? null) : null,
        sent,
        // `//x` as an address would be a host.
        button:
          retry === null || !repeats(error)
            ? null
            : { kind: 'link', href: retry.replace(/^\/+/, '/'), does: 'retry', name: resource?.title ?? null },
        other: null,
        retryAfterS: error.retryAfterS,
      },
    )
  }
}

function personOf(passage: Passage | null): string | null {
  const session = passage?.observed.session ?? null
  return session === null ? null : displayName(session.identity.claims)
}

export function asGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown
  const message = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
  return new GatewayError('internal', message, { cause: thrown })
}

/** What `cause` adds, for the operator. */
function detailOf(error: GatewayError): string {
  const { cause } = error
  return cause instanceof Error && !error.message.includes(cause.message)
    ? `${error.message}: ${cause.message}`
    : error.message
}

function headersOf(error: GatewayError, passage: Passage): readonly string[] {
  if (error.code === 'session.ambiguous') {
    // Ours on this host is dropped; the link on the page then opens it anew.
    return ['Set-Cookie', expireCookie(passage.observed.resource === null ? cookieName.portal : cookieName.site)]
  }
  if (error.code === 'request.headers-too-large') return oversized(passage)
  if (error.retryAfterS !== null) return ['Retry-After', String(error.retryAfterS)]
  if (error.code === 'request.method') return ['Allow', 'GET, HEAD']
  if (error.code === 'login.required') return ['WWW-Authenticate', 'Passerelle']
  return []
}

/** Our own cookies go, whatever else is too much: planted ones with another path we cannot reach (SESSIONS B 27). */
export function oversized(passage: Passage | null): readonly string[] {
  const sent =
    passage?.cookies == null ? [] : Array.from(eachCookie(passage.cookies), cookie => cookie.name).filter(isOurs)
  const names = new Set([...Object.values(cookieName), ...sent.slice(0, 2 * transactionLimit)])
  return [...names].flatMap(name => ['Set-Cookie', expireCookie(name)])
}

/** Where two parsers may disagree about one request, the next on the same connection is not to be believed (RFC 9112 §11.2). */
function isDistrusted({ code }: GatewayError): boolean {
  return code.startsWith('request.') && code !== 'request.cross-origin'
}

function forPerson({ navigation, upgrade }: Passage): boolean {
  return upgrade === null && (navigation === 'document' || navigation === 'frame')
}

/** Where asking once more may go well. */
function repeats(error: GatewayError): boolean {
  return error.status >= 500 || error.retryAfterS !== null || error.code === 'session.ambiguous'
}
