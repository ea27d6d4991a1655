/**
 * Messages of an idp that were carried out: the same one a second time is without effect, on every replica (SESSIONS C2,
 * `pas:j:`). Written when its ends are stored and not before, so that what failed half-way can be asked for again; the same
 * message twice at once is carried out twice, which ends nothing twice.
 */
import type { IdpId } from '../model/identity.ts'
import type { OnceStore } from '../model/store.ts'
import type { Keys } from './seal.ts'

export type Seen = ReturnType<typeof createSeen>

/** Seconds by which the clocks of two replicas may differ. */
const skewMs = 60_000

/** That it is there is all it says. */
const mark = Buffer.from('1')

export function createSeen(once: OnceStore, keys: Keys, now: () => number) {
  /** One for each secret: a replica that knows the next one may write under another than we do. */
  function keysOf(idp: IdpId, message: string): readonly string[] {
    return keys.directoryKeys(`message\0${idp}\0${message}`).map(key => `pas:j:${key}`)
  }

  return {
    /** @throws GatewayError `session.store-down` */
    async has(idp: IdpId, message: string): Promise<boolean> {
      const found = await Promise.all(keysOf(idp, message).map(key => once.peek('j', key)))
      return found.some(one => one !== null)
    },

    /**
     * @param notAfter ms since the epoch: later it would be refused anyway
     * @throws GatewayError `session.store-down`
     */
    async add(idp: IdpId, message: string, notAfter: number): Promise<void> {
      const [key = ''] = keysOf(idp, message)
      await once.put('j', key, mark, Math.max(0, notAfter - now()) + skewMs)
    },
  }
}
