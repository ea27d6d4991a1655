/**
 * The provider's answer at the callback, read before anything is consumed or asked: a message that cannot be an answer
 * must neither use up a pending sign-in nor cause a request. OpenID Connect Core 1.0 §3.1.2.5, §3.1.2.6; RFC 9207 §2.4.
 */
import { GatewayError } from '../../errors.ts'
import { quoted } from '../quotation.ts'
import type { Metadata } from './metadata.ts'

export type Reply =
  | { readonly kind: 'code'; readonly code: string }
  | { readonly kind: 'error'; readonly error: string; readonly description: string | null }

const single = ['state', 'code', 'error', 'error_description', 'iss', 'response', 'id_token', 'access_token'] as const

const nobody = ['login_required', 'interaction_required', 'account_selection_required', 'consent_required']

/** @throws GatewayError `idp.rejected` doubled parameters, neither code nor error, or both; a flow we did not begin */
export function readReply(parameters: URLSearchParams): Reply {
  for (const name of single) {
    if (parameters.getAll(name).length > 1) throw rejected(`the callback has ${name} more than once`)
  }
  for (const name of ['response', 'id_token', 'access_token']) {
    if (parameters.has(name)) throw rejected(`the callback has ${name}, which belongs to a flow that was not asked for`)
  }
  const code = parameters.get('code')
  const error = parameters.get('error')
  if (code !== null && error !== null) throw rejected('the callback has both a code and an error')
  if (error !== null) return { kind: 'error', error, description: parameters.get('error_description') }
  if (code === null || code === '') throw rejected('the callback has neither a code nor an error')
  return { kind: 'code', code }
}

/**
 * Another provider's answer, sent to our callback, names that other provider (mix-up, RFC 9700 §4.4).
 *
 * @throws GatewayError `idp.rejected` `iss` is another issuer, or missing although the provider announces it
 */
export function checkIssuer(parameters: URLSearchParams, metadata: Metadata): void {
  const iss = parameters.get('iss')
  if (iss === null && metadata.namesItselfInCallback) {
    throw rejected('the callback has no iss, although the metadata announces it (RFC 9207)')
  }
  if (iss !== null && iss !== metadata.issuer) {
    throw rejected(`the callback's iss is ${quoted(iss)}, not ${metadata.issuer} (RFC 9207)`)
  }
}

/** To `prompt=none`: it would have had to ask the person something (§3.1.2.6). Any other error is one. */
export function saysNobody({ error }: Extract<Reply, { kind: 'error' }>): boolean {
  return nobody.includes(error)
}

/** The provider said no. Its words are for the log only: anybody can put words into a callback's address. */
export function saidNo(reply: Extract<Reply, { kind: 'error' }>): GatewayError {
  const description = reply.description === null ? '' : `, ${quoted(reply.description)}`
  return rejected(`the idp answered with error ${quoted(reply.error)}${description}`)
}

function rejected(detail: string): GatewayError {
  return new GatewayError('idp.rejected', detail)
}
