/** By what a code is known beyond its selector: one that is issued anew under an old selector is another. Says nothing of the hash. */
import { createHash } from 'node:crypto'
import type { IdpId } from '../../model/identity.ts'
import type { AccessCode } from './access-code.ts'

/** The same code, opening the same hosts. */
export function stampOf({ selector, hash, hosts }: AccessCode): string {
  const told = `${hash.salt.toString('base64url')} ${hash.digest.toString('base64url')} ${JSON.stringify(hosts)}`
  return `${selector} ${createHash('sha256').update(told).digest('base64url').slice(0, 22)}`
}

/** Under which its uses are counted, whichever hosts it opens. */
export function useNameOf(idp: IdpId, code: AccessCode): string {
  return `${idp} ${stampOf({ ...code, hosts: null })}`
}
