/** Which key the token in an answer asks for, so that the key set can be fetched anew when it is not there. */
import { headerOf } from './token-header.ts'

/** What a token's header says of its key. It names a key of the provider at most, never a place to fetch one from. */
export interface WantedKey {
  /** Null: the token does not say. */
  readonly kid: string | null
}

/** @param answer the body of a token answer (JSON with an ID token) or of a userinfo answer (perhaps a token itself) */
export function keyWantedBy(answer: string): WantedKey {
  const { kid } = headerOf(tokenIn(answer))
  return { kid: typeof kid === 'string' ? kid : null }
}

function tokenIn(answer: string): string {
  if (!answer.startsWith('{')) return answer
  try {
    return String(JSON.parse(answer).id_token)
  } catch {
    return ''
  }
}
