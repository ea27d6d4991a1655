/** Who somebody is, as their identity provider asserted it and as our configuration understood it. */
import { createHash } from 'node:crypto'

export type IdpId = string

/** Name to values. Always lists: CAS and SAML attributes, and single OpenID claims, become lists at the border. */
export type Claims = Readonly<Record<string, readonly string[]>>

/**
 * The idp's own name for its session with this person: an OpenID `sid`, a CAS ticket, a SAML SessionIndex. A guessable sid
 * is one that others could know, such as a user's name, and that may stand for several sessions, and for later ones.
 */
export interface IdpSession {
  readonly kind: 'sid' | 'guessable-sid' | 'ticket' | 'index'
  readonly value: string
}

export interface Strength {
  readonly acr: string | null
  readonly amr: readonly string[]
}

export interface Identity {
  readonly idp: IdpId
  /** Unique within the idp only. */
  readonly subject: string
  /** The names that policies and headers use, after `claims/map`. */
  readonly claims: Claims
  /**
   * By claim, of those that the person chooses (`take: chosen`): all values that there are to choose from, two at least, the
   * first of which holds until they chose. Absent: there is nothing to choose. No rule and no header can see it.
   */
  readonly candidates?: Claims
  /** Seconds since the epoch, as in a JWT. */
  readonly authenticatedAt: number
  readonly strength: Strength
  /** Null where the idp named no session of its own. */
  readonly idpSession: IdpSession | null
  /** The only hosts that this sign-in opens, lower case; absent: whatever the policies open. */
  readonly hosts?: readonly string[]
}

/** What an idp says of somebody, as the configuration understands it. */
export type Understood = Pick<Identity, 'claims' | 'candidates'>

/** The same person and sign-in, of whom this is said now. */
export function withClaims(identity: Identity, { claims, candidates }: Understood): Identity {
  const { candidates: _before, ...same } = identity
  return candidates === undefined ? { ...same, claims } : { ...same, claims, candidates }
}

/** What a person chose, by claim. */
export type Chosen = Readonly<Record<string, string>>

/** What the person chose holds as far as it is among the candidates. */
export function withChosen(identity: Identity, chosen: Chosen): Identity {
  const held = Object.entries(identity.candidates ?? {}).flatMap(([claim, among]) => {
    const value = Object.hasOwn(chosen, claim) ? chosen[claim] : undefined
    return value !== undefined && among.includes(value) ? [[claim, [value]] as const] : []
  })
  return held.length === 0 ? identity : { ...identity, claims: { ...identity.claims, ...Object.fromEntries(held) } }
}

export function samePerson(a: Identity, b: Identity): boolean {
  return a.idp === b.idp && a.subject === b.subject
}

/**
 * `{subjectId}`: 43 characters, stable, says nothing, and differs between idps that know the same subject (SESSIONS A7). The
 * empty place between the two is for the entity of a federation.
 */
export function subjectId({ idp, subject }: Pick<Identity, 'idp' | 'subject'>): string {
  return createHash('sha256').update(`${idp}\0\0${subject}`).digest('base64url')
}

/** What to call a person on a page, as the claims tell it; empty: no claim does, and the page names nobody. */
export function displayName(claims: Claims): string {
  const first = (name: string) => (Object.hasOwn(claims, name) ? claims[name]?.[0] : undefined)
  const parts = [first('givenName') ?? first('given_name'), first('familyName') ?? first('family_name')]
  const full = parts.filter(part => part !== undefined).join(' ')
  return first('name') ?? first('displayName') ?? (full || undefined) ?? first('email') ?? first('mail') ?? ''
}
