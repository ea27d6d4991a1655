/** Where a sign-in leads: `to`, `n`, `a` and `f` travel in URLs and hidden fields, never in a cookie (SESSIONS A2). */

import type { LocatedUrl } from '../model/place.ts'
import { readNonceHash } from '../session/handoff.ts'
import type { Destination } from '../session/pending.ts'

export interface Wanted extends Destination {
  /** Asked by a frame: no idp is ever shown in one. */
  readonly framed: boolean
}

export function readDestination(from: URLSearchParams): Wanted {
  return {
    to: from.get('to'),
    n: readNonceHash(from.get('n')),
    attempt: from.get('a') === '2' ? 2 : 1,
    framed: from.get('f') === '1',
  }
}

/**
 * What is carried and stored is the rebuilt URL, never the text that was sent.
 *
 * @param located null: `to` is absent, or nothing of ours; the sign-in then ends at the portal's front page
 */
export function placed(wanted: Wanted, located: LocatedUrl | null): Wanted {
  return located === null ? { ...wanted, to: null, n: null } : { ...wanted, to: located.href }
}

export function asFields(wanted: Destination & { readonly framed?: boolean }): Record<string, string> {
  return {
    ...(wanted.to === null ? {} : { to: wanted.to }),
    ...(wanted.n === null ? {} : { n: wanted.n }),
    a: String(wanted.attempt),
    ...(wanted.framed === true ? { f: '1' } : {}),
  }
}

/** Where a sign-in to this place begins. */
export function signInAt({ to }: Pick<Destination, 'to'>): '/login' | '/enter' {
  return to === null ? '/login' : '/enter'
}

/** The address that begins again to the same place. */
export function enterAgain(wanted: Destination): string {
  // Without its nonce: the site begins a hand-off of its own.
  return wanted.to === null ? '/login' : `/enter?${new URLSearchParams({ to: wanted.to })}`
}

/** The same, by this idp and no question. */
export function enterBy(wanted: Destination, idp: string): string {
  return `${signInAt(wanted)}?${new URLSearchParams({ ...(wanted.to === null ? {} : { to: wanted.to }), idp })}`
}

/** The same, by the page that asks which account, whatever the browser remembers. */
export function chooseAgain(wanted: Destination): string {
  return `${signInAt(wanted)}?${new URLSearchParams({ ...(wanted.to === null ? {} : { to: wanted.to }), choose: '1' })}`
}
