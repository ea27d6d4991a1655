/**
 * Is a `sid` a secret of one session, or a name that others could know? Some providers send the user's name. At the back
 * channel both are good, because the message is signed; at the front channel whoever can guess it could sign people out
 * (SESSIONS B 6).
 */
import type { IdpSession } from '../../model/identity.ts'

type Members = Readonly<Record<string, unknown>>

/** Bits that a sid must seem to have, to be one session's secret. */
export const secretBits = 64

/** Claims that name a session or a token, and nobody: Keycloak says its sid twice. */
const ofNobody = new Set(['sid', 'session_state', 'jti', 'nonce'])

/** @param claims of the ID token that the sid came in */
export function idpSessionOf(sid: string, claims: Members): IdpSession {
  const told = Object.entries(claims).some(([claim, value]) => value === sid && !ofNobody.has(claim))
  return { kind: !told && guessedBits(sid) >= secretBits ? 'sid' : 'guessable-sid', value: sid }
}

/**
 * An estimate, on the careful side: what is written like a number or like words counts for little, because numbers are
 * counted up and words are known. Hexadecimal digits, where both kinds of them come, count four bits each; else each run of
 * one kind is looked at: three letters in a row may be chance, more are rather a word. Of random values of 128 bits
 * in base64url two in ten thousand are mistaken for words, in base 36 five in a thousand.
 */
export function guessedBits(sid: string): number {
  if (/[@,]/.test(sid)) return 0
  const bare = sid.replace(/[-_.]/g, '')
  if (/^[0-9]+$/.test(bare)) return 0
  if (/^(?:[0-9a-f]+|[0-9A-F]+)$/.test(bare) && /[0-9]/.test(bare)) return 4 * bare.length
  const runs = bare.match(/[a-z]+|[A-Z]+|[0-9]+|[^a-zA-Z0-9]+/g) ?? []
  // A name has its digits in one place, chance has them anywhere.
  const mixed = runs.filter(run => /^[0-9]/.test(run)).length >= 2
  let bits = 0
  for (const run of runs) {
    const byChance = Math.min(run.length, 3)
    if (/^[0-9]/.test(run)) bits += 3.3 * run.length
    else if (/^[a-zA-Z]/.test(run)) bits += 4.7 * byChance + (mixed ? 3 : 1.5) * (run.length - byChance)
    else bits += byChance
  }
  return bits
}
