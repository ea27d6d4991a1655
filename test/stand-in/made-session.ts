/** Sessions without a browser and an idp: established, and confirmed as by the coming back of their cookie. */
import type { SignIn } from '../../src/model/idp.ts'
import { hashOf } from '../../src/session/record.ts'
import type { Sessions } from '../../src/session/sessions.ts'

export interface MadeSession {
  readonly id: string
  readonly hash: string
  /** A Cookie line for that host, as `app.localhost`. */
  readonly cookieOf: (host: string) => string
  readonly portalCookie: string
}

export async function makeSession(sessions: Sessions, subject: string, idp = 'campus'): Promise<MadeSession> {
  const made = await sessions.establish(signInOf(subject, idp), newcomer)
  if (made === null) throw new Error('no session was made')
  const portalCookie = `__Host-Http-passerelle=${sessions.cookieFor('portal', made.id, 0)}`
  if ((await sessions.resume(portalCookie, 'portal', 'none')) === null) throw new Error('the session does not count')
  return {
    id: made.id,
    hash: hashOf(made.id),
    cookieOf: host => `__Host-Http-passerelle-site=${sessions.cookieFor(`host:${host}`, made.id, 0)}`,
    portalCookie,
  }
}

const newcomer = { device: 'own', browser: { family: 'other', network: '127.0.0.0/24' } } as const

function signInOf(subject: string, idp: string): SignIn {
  const authenticatedAt = Math.floor(Date.now() / 1000)
  const strength = { acr: null, amr: [] }
  const identity = { idp, subject, claims: {}, authenticatedAt, strength, idpSession: null }
  return { identity, keep: {}, issuedAt: authenticatedAt, notAfter: null }
}
