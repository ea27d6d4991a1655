/**
 * The keys that the configured secrets give, and the envelope in which every value goes to the store (SESSIONS A5, C2).
 * Whoever reads the store learns counts and times; whoever writes it can end and delay, but not make, swap or prolong.
 * Rests on node:crypto and model/secret.ts only.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import type { Secret } from '../model/secret.ts'
import { recordVersionOffset } from '../model/store.ts'

/** What a key is for. One key never does two things; records have theirs, which only seal() and open() touch. */
export type MacPurpose = 'cookie' | 'directory' | 'chooser' | 'choice' | 'handle' | 'meter'

export interface Opened {
  /** As it stands in clear in the envelope, and as the tag vouches for it. */
  readonly version: number
  readonly plain: Buffer
}

export interface Keys {
  /** The kid of the first secret, which signs and seals from now on: 8 hexadecimal digits. */
  readonly first: string
  /** HMAC-SHA-256, 32 bytes. Null: no configured secret has this kid. */
  readonly hmac: (purpose: MacPurpose, kid: string, data: string) => Buffer | null
  /** The same MAC under every secret, the first secret's first: for values that do not say which secret signed them. */
  readonly macs: (purpose: MacPurpose, data: string) => readonly Buffer[]
  /** The same name under every secret, the first secret's first: written under that one, looked up under all. */
  readonly directoryKeys: (data: string) => readonly string[]
  /**
   * @param storeKey      where the value will stand; it opens nowhere else
   * @param recordVersion 0 to 2³²−1, written in clear for RecordStore.replace
   */
  readonly seal: (storeKey: string, recordVersion: number, plain: Buffer) => Buffer
  /** Null: altered, cut short, moved from another key, under a secret that is gone, or of a format to come. Never throws. */
  readonly open: (storeKey: string, sealed: Buffer) => Opened | null
}

/*
 * The envelope:  0      1            5                9         21           −16
 *                format | kid (4)    | version (u32)  | IV (12) | ciphertext | tag
 * Everything before the IV is authenticated together with the store key.
 */
const format = 1
const kidBytes = 4
const headerBytes = recordVersionOffset + 4
const ivBytes = 12
const tagBytes = 16
const shortest = headerBytes + ivBytes + tagBytes

/** Bytes (SESSIONS A5). */
const shortestSecret = 32

interface SecretKeys {
  readonly kid: string
  readonly kidNumber: number
  readonly record: KeyObject
  readonly macs: Readonly<Record<MacPurpose, KeyObject>>
}

/**
 * @param secrets the first signs and seals, the others only verify and open; each at least 32 bytes of UTF-8
 * @throws Error where there is none, or one is too short: no gateway starts on it
 */
export function createKeys(secrets: readonly Secret[]): Keys {
  const all = secrets.map(keysOf)
  const first = all[0]
  if (first === undefined) throw new Error('no session secret is configured')
  // The same secret twice is one; of two different ones with equal kids (1 in 4,000,000,000) the earlier counts.
  const byKid = new Map(all.toReversed().map(keys => [keys.kid, keys]))
  const byNumber = new Map(all.toReversed().map(keys => [keys.kidNumber, keys]))

  return {
    first: first.kid,

    hmac(purpose, kid, data) {
      const keys = byKid.get(kid)
      return keys === undefined ? null : mac(keys.macs[purpose], data).digest()
    },

    macs(purpose, data) {
      const others = Array.from(byKid.values()).filter(keys => keys.kid !== first.kid)
      return [first, ...others].map(keys => mac(keys.macs[purpose], data).digest())
    },

    directoryKeys(data) {
      const names = [mac(first.macs.directory, data).digest('base64url')]
      for (const keys of byKid.values()) {
        if (keys.kid !== first.kid) names.push(mac(keys.macs.directory, data).digest('base64url'))
      }
      return names
    },

    seal(storeKey, recordVersion, plain) {
      const header = Buffer.alloc(headerBytes)
      header.writeUInt8(format, 0)
      header.writeUInt32BE(first.kidNumber, 1)
      header.writeUInt32BE(recordVersion, recordVersionOffset)
      const iv = randomBytes(ivBytes)
      const cipher = createCipheriv('aes-256-gcm', first.record, iv, { authTagLength: tagBytes })
      cipher.setAAD(boundTo(header, storeKey))
      return Buffer.concat([header, iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
    },

    open(storeKey, sealed) {
      if (sealed.length < shortest || sealed[0] !== format) return null
      const keys = byNumber.get(sealed.readUInt32BE(1))
      if (keys === undefined) return null
      const header = sealed.subarray(0, headerBytes)
      const iv = sealed.subarray(headerBytes, headerBytes + ivBytes)
      const decipher = createDecipheriv('aes-256-gcm', keys.record, iv, { authTagLength: tagBytes })
      decipher.setAAD(boundTo(header, storeKey))
      decipher.setAuthTag(sealed.subarray(-tagBytes))
      const plain = decipher.update(sealed.subarray(headerBytes + ivBytes, -tagBytes))
      try {
        decipher.final()
      } catch {
        // The tag does not fit: what was decrypted so far is nobody's word.
        return null
      }
      return { version: sealed.readUInt32BE(recordVersionOffset), plain }
    },
  }
}

export interface KeyRing {
  /** The same for as long as the process lives. */
  readonly keys: Keys
  /** From now on what these secrets give. @throws Error as createKeys; nothing has changed then */
  readonly change: (secrets: readonly Secret[]) => void
}

/** Keys whose secrets a reload may change. */
export function createKeyRing(secrets: readonly Secret[]): KeyRing {
  let held = createKeys(secrets)
  return {
    keys: {
      get first() {
        return held.first
      },
      hmac: (purpose, kid, data) => held.hmac(purpose, kid, data),
      macs: (purpose, data) => held.macs(purpose, data),
      directoryKeys: data => held.directoryKeys(data),
      seal: (storeKey, recordVersion, plain) => held.seal(storeKey, recordVersion, plain),
      open: (storeKey, sealed) => held.open(storeKey, sealed),
    },
    change(next) {
      held = createKeys(next)
    },
  }
}

function keysOf(secret: Secret): SecretKeys {
  // Derived like the keys themselves, so it says nothing of the secret; every replica derives the same.
  const kid = derived(secret, 'kid', kidBytes)
  return {
    kid: kid.toString('hex'),
    kidNumber: kid.readUInt32BE(0),
    record: createSecretKey(derived(secret, 'record', 32)),
    macs: {
      cookie: createSecretKey(derived(secret, 'cookie', 32)),
      directory: createSecretKey(derived(secret, 'directory', 32)),
      chooser: createSecretKey(derived(secret, 'chooser', 32)),
      choice: createSecretKey(derived(secret, 'choice', 32)),
      handle: createSecretKey(derived(secret, 'handle', 32)),
      meter: createSecretKey(derived(secret, 'meter', 32)),
    },
  }
}

/**
 * HKDF-SHA-256 (RFC 5869) without salt: the secret is random already, and replicas share nothing else.
 * @throws Error the secret is too short
 */
export function derived(secret: Secret, purpose: string, bytes: number): Buffer {
  const material = Buffer.from(secret.reveal(), 'utf8')
  if (material.length < shortestSecret) throw new Error(`a session secret has fewer than ${shortestSecret} bytes`)
  return Buffer.from(hkdfSync('sha256', material, '', `passerelle/1/${purpose}`, bytes))
}

function mac(key: KeyObject, data: string) {
  return createHmac('sha256', key).update(data)
}

/** The header has a fixed length, so the two parts cannot be shifted against each other. */
function boundTo(header: Buffer, storeKey: string): Buffer {
  return Buffer.concat([header, Buffer.from(storeKey, 'utf8')])
}
