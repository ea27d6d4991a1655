/**
 * What is kept of an access code: scrypt (RFC 7914) of its twenty characters, never the code. All hashes have one cost, so that
 * the time of a try does not tell whether its selector exists.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

export interface CodeHash {
  readonly salt: Buffer
  readonly digest: Buffer
}

/** 32 MiB and about a tenth of a second of one thread. The secret has 80 random bits, so it is no password that needs more. */
const cost = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 } as const
const written = 'scrypt:15:8:1'
const saltBytes = 16
const digestBytes = 32

/** Of no code at all: for selectors that nobody has. */
const nobody: CodeHash = { salt: randomBytes(saltBytes), digest: randomBytes(digestBytes) }

/** Exactly one scrypt, in the thread pool, whatever is asked. @param hash null: there is nothing to compare with */
export async function matches(whole: string, hash: CodeHash | null): Promise<boolean> {
  const { salt, digest } = hash ?? nobody
  const equal = timingSafeEqual(await derive(whole, salt), digest)
  return hash !== null && equal
}

export async function hashOf(whole: string): Promise<CodeHash> {
  const salt = randomBytes(saltBytes)
  return { salt, digest: await derive(whole, salt) }
}

/** `scrypt:15:8:1:<salt>:<digest>`, base64url. */
export function writeHash({ salt, digest }: CodeHash): string {
  return `${written}:${salt.toString('base64url')}:${digest.toString('base64url')}`
}

/** Null: no hash of ours. */
export function readHash(text: string): CodeHash | null {
  const [, salt, digest] = /^scrypt:15:8:1:([\w-]{22}):([\w-]{43})$/.exec(text) ?? []
  if (salt === undefined || digest === undefined) return null
  return { salt: Buffer.from(salt, 'base64url'), digest: Buffer.from(digest, 'base64url') }
}

function derive(whole: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(whole, salt, digestBytes, cost, (error, key) => (error === null ? resolve(key) : reject(error)))
  })
}
