/**
 * From what an idp names to the sessions that hang on it, and the tombstones of ends that overtake a sign-in. Subjects and
 * e-mail addresses can be guessed, so every key is an HMAC; look-ups try every secret, because one may be rotating.
 */
import type { Identity, IdpId, IdpSession } from '../model/identity.ts'
import type { LogoutNotice } from '../model/logout.ts'
import type { Keys } from './seal.ts'

/** idp and all have marks only, and no sets. */
export type DirectoryKind = IdpSession['kind'] | 'sub' | 'person' | 'idp' | 'all'

export interface Handle {
  readonly kind: DirectoryKind
  readonly value: string
}

/** The key under the first secret: what is written. */
export function directoryKey(keys: Keys, kind: DirectoryKind, idp: string, value: string): string {
  return `pas:d:${keys.directoryKeys(`${kind}\0${idp}\0${value}`)[0]}`
}

/** One for each secret: what is looked up. */
export function directoryKeys(keys: Keys, kind: DirectoryKind, idp: string, value: string): readonly string[] {
  return keys.directoryKeys(`${kind}\0${idp}\0${value}`).map(key => `pas:d:${key}`)
}

export function tombstoneOf(directoryKeyName: string): string {
  return directoryKeyName.replace('pas:d:', 'pas:x:')
}

/** What a new session is found by: the idp's own session where it named one, and always the subject. */
export function handlesOf(identity: Identity): readonly Handle[] {
  const subject = { kind: 'sub' as const, value: identity.subject }
  if (identity.idpSession === null) return [subject]
  return [{ kind: identity.idpSession.kind, value: identity.idpSession.value }, subject]
}

/** Who somebody is to us, everywhere: subject of an idp, never an e-mail address (SESSIONS A7). */
export interface Person {
  readonly idp: IdpId
  readonly subject: string
}

/** Every handle under which a session may be found: also by its person, once it counts. */
export function everyHandleOf(identity: Identity): readonly Handle[] {
  return [...handlesOf(identity), { kind: 'person', value: identity.subject }]
}

/** What an idp's notice names: its own session if it said one, else everything of the subject. */
export function handlesOfNotice({ idpSession, subject }: LogoutNotice): readonly Handle[] {
  if (idpSession !== null) return idpSession.kinds.map(kind => ({ kind, value: idpSession.value }))
  return subject === null ? [] : [{ kind: 'sub', value: subject }]
}

/**
 * What is said of a person ends what was issued at or before it was said: later sign-ins are not meant. A session of the
 * idp's own is over for good.
 */
export function endsOnlyEarlier(kind: DirectoryKind): boolean {
  return kind === 'sub' || kind === 'guessable-sid'
}
