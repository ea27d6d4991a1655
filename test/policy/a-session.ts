/** Sessions and identities for tests of policies. */
import type { Claims, Identity } from '../../src/model/identity.ts'
import type { Session } from '../../src/model/session.ts'

export function anIdentity(claims: Claims, more: Partial<Identity> = {}): Identity {
  return {
    idp: 'campus',
    subject: 'anna',
    claims,
    authenticatedAt: 1_800_000_000,
    strength: { acr: null, amr: [] },
    idpSession: null,
    ...more,
  }
}

export function aSession(claims: Claims, more: Partial<Identity> = {}): Session {
  const identity = anIdentity(claims, more)
  return {
    id: 'A'.repeat(43),
    identity,
    generation: 0,
    strength: identity.strength,
    device: 'own',
    createdAt: 1_800_000_000_000,
    absoluteEnd: 1_800_036_000_000,
    left: [],
  }
}
