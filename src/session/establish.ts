/**
 * From a sign-in to a session. Only this creates a record; every other write needs one to exist, so nothing revives an
 * ended session (SESSIONS A4). A new session is provisional, 60 seconds, until its cookie has come back once.
 */
import { randomBytes } from 'node:crypto'
import { GatewayError } from '../errors.ts'
import type { Chosen, Identity } from '../model/identity.ts'
import type { SignIn } from '../model/idp.ts'
import type { Device, EndedSession, SessionId } from '../model/session.ts'
import type { DirectoryStore, RecordStore, TombstoneStore } from '../model/store.ts'
import { directoryKey, directoryKeys, handlesOf, tombstoneOf } from './directory.ts'
import { type BrowserMemory, hashOf, keysOf, type SessionRecord, sealKeep } from './record.ts'
import { type ChangeRecord, sealWithin } from './record-change.ts'
import type { Keys } from './seal.ts'
import type { Tidy } from './tidy.ts'
import { isStruck } from './tombstone.ts'

const provisionalLifeMs = 60_000
/** Each is two; every tab of a browser may be renewing the session meanwhile, and there are 24 at most (SESSIONS A2). */
const confirmAttempts = 20

export interface EstablishParts {
  readonly records: RecordStore
  readonly directory: DirectoryStore
  readonly tombstones: TombstoneStore
  readonly keys: Keys
  /** Read at each sign-in: a reload changes it. */
  readonly absoluteMs: number
  readonly change: ChangeRecord
  readonly end: (hash: string, reason: 'overtaken') => Promise<EndedSession | null>
  /** Hears of a session that had been there before the sign-in that ended it: it may have visited sites. */
  readonly ended: (ended: EndedSession) => void
  readonly tidy: Pick<Tidy, 'begun'>
}

export interface Newcomer {
  readonly device: Device
  /** As their browser remembers it of an earlier sign-in; absent, null: it remembers nothing. */
  readonly chosen?: Chosen | null
  readonly browser: BrowserMemory
}

export function createEstablish(parts: EstablishParts) {
  const { keys, records, change } = parts

  return {
    /**
     * @returns null: the idp ended this sign-in before we had stored it
     * @throws GatewayError `session.store-down`, `session.store-full`
     */
    async establish(signIn: SignIn, newcomer: Newcomer): Promise<{ id: SessionId; generation: number } | null> {
      const id = randomBytes(32).toString('base64url')
      const at = keysOf(hashOf(id))
      const createdAt = Math.floor(await records.clock())
      const absoluteEnd = endOf(signIn, createdAt)
      const record: SessionRecord = {
        identity: signIn.identity,
        ...(newcomer.chosen ? { chosen: newcomer.chosen } : {}),
        strengths: [signIn.identity.strength],
        device: newcomer.device,
        createdAt,
        absoluteEnd,
        issuedAt: signIn.issuedAt,
        browser: newcomer.browser,
        provisional: true,
        checkedAt: createdAt,
        checkAfter: null,
        keep: sealKeep(keys, at, signIn.keep),
      }
      const sealed = sealWithin(keys, at, 0, record)
      await enterDirectory(signIn.identity, at.hash, absoluteEnd)
      const life = Math.min(provisionalLifeMs, absoluteEnd - createdAt)
      if (life <= 0 || !(await records.create(at.record, sealed, life))) return null
      if (await overtaken(signIn)) {
        await parts.end(at.hash, 'overtaken')
        return null
      }
      parts.tidy.begun(signIn.identity)
      return { id, generation: 0 }
    },

    /**
     * The cookie has come back. `confirmed` is said to one caller only.
     *
     * Never given up for another's write: what they wrote is a provisional session still, which would be gone within its minute
     * from a person who was told that it counts.
     * @throws GatewayError `session.store-down`
     */
    async confirm(id: SessionId): Promise<'confirmed' | 'already' | 'gone'> {
      for (let attempt = 0; attempt < confirmAttempts; attempt++) {
        const outcome = await change(hashOf(id), record =>
          record.provisional ? { ...record, provisional: false } : null,
        )
        if (outcome === 'lost') continue
        return outcome === 'changed' ? 'confirmed' : outcome === 'gone' ? 'gone' : 'already'
      }
      throw new GatewayError('session.store-down', 'the session is being written to by others all the time')
    },

    /**
     * The same person signed in once more in the same browser: same id, the newer claims and tokens. The absolute end
     * moves only if the idp really asked the person again.
     *
     * @param device as the person said it this time; null: nobody asked, and what was said before holds
     */
    async renew(id: SessionId, signIn: SignIn, device: Device | null): Promise<boolean> {
      const at = keysOf(hashOf(id))
      const end = endOf(signIn, Math.floor(await records.clock()))
      // Before the record has them: an idp that names its new session must find this one by it.
      await enterDirectory(signIn.identity, at.hash, end)
      let counts = false
      const outcome = await change(hashOf(id), (record, storeNow) => {
        counts = !record.provisional
        const newer = signIn.identity.authenticatedAt > record.identity.authenticatedAt
        return {
          ...record,
          identity: signIn.identity,
          device: device ?? record.device,
          issuedAt: signIn.issuedAt,
          checkedAt: Math.floor(storeNow),
          checkAfter: null,
          keep: sealKeep(keys, at, signIn.keep),
          absoluteEnd: newer ? end : record.absoluteEnd,
        }
      })
      if (outcome === 'gone') return false
      // It may last longer now than the set in which its person finds it.
      if (counts)
        await parts.directory.add(
          directoryKey(keys, 'person', signIn.identity.idp, signIn.identity.subject),
          at.hash,
          end,
        )
      if (!(await overtaken(signIn))) return true
      const ended = await parts.end(at.hash, 'overtaken')
      if (ended !== null) parts.ended(ended)
      return false
    },
  }

  /** Milliseconds since the epoch, by the store's clock. */
  function endOf(signIn: SignIn, from: number): number {
    return Math.floor(Math.min(from + parts.absoluteMs, signIn.notAfter ?? Number.POSITIVE_INFINITY))
  }

  async function enterDirectory(identity: Identity, hash: string, until: number): Promise<void> {
    await Promise.all(
      handlesOf(identity).map(({ kind, value }) =>
        parts.directory.add(directoryKey(keys, kind, identity.idp, value), hash, until),
      ),
    )
  }

  async function overtaken({ identity, issuedAt }: SignIn): Promise<boolean> {
    const looked = handlesOf(identity).flatMap(({ kind, value }) =>
      directoryKeys(keys, kind, identity.idp, value).map(key => ({ kind, key: tombstoneOf(key) })),
    )
    const marks = await parts.tombstones.marks(looked.map(one => one.key))
    return looked.some(({ kind }, index) => isStruck(keys, marks[index] ?? null, kind, identity, issuedAt))
  }
}
