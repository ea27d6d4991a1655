/**
 * Sign-outs that anybody may send, because the protocol has nobody sign them (CAS Protocol 3.0 §2.3.3): each leaves a mark for twenty
 * minutes, in case it overtakes its sign-in. A server that signs a whole school out at noon stays below this; a flood does not.
 */
import { GatewayError } from '../errors.ts'
import { Meter } from './meter.ts'
import { shareOf } from './share.ts'

const perAddress = 3_000
const ofAll = 6_000
const mostAddresses = 20_000

/**
 * Counts one, unless that is one too many.
 *
 * @param now milliseconds, never stepping back
 * @returns null: it may be heard; else `logout.too-many`, with the time to wait
 */
export function createLogoutRequests(now: () => number): (address: string) => GatewayError | null {
  const byAddress = new Meter({ perMinute: perAddress, mostKeys: mostAddresses })
  const all = new Meter({ perMinute: ofAll, mostKeys: 1 })

  return function admitLogoutRequest(address) {
    const at = now()
    const share = shareOf(address)
    const waitMs = Math.max(byAddress.wait(share, at), all.wait('', at))
    if (waitMs > 0) {
      const detail = `more than ${perAddress} logout requests a minute from ${share}, or ${ofAll} from all`
      return new GatewayError('logout.too-many', detail, { retryAfterS: Math.ceil(waitMs / 1000) })
    }
    byAddress.count(share, at)
    all.count('', at)
    return null
  }
}
