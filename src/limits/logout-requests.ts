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
 * Counts one, unless that is one too many of this address.
 *
 * @returns `marks: false`: all addresses together have left as many marks as the store can bear. It still ends what is there,
 *          or a flood could keep a server from signing anybody out
 */
export type AdmitLogoutRequest = (address: string) => { readonly marks: boolean }

/**
 * @param now milliseconds, never stepping back
 * @throws GatewayError `logout.too-many`, with the time to wait
 */
export function createLogoutRequests(now: () => number): AdmitLogoutRequest {
  const byAddress = new Meter({ perMinute: perAddress, mostKeys: mostAddresses })
  const all = new Meter({ perMinute: ofAll, mostKeys: 1 })

  return function admitLogoutRequest(address) {
    const at = now()
    const share = shareOf(address)
    const waitMs = byAddress.wait(share, at)
    if (waitMs > 0) {
      const detail = `more than ${perAddress} logout requests a minute from ${share}`
      throw new GatewayError('logout.too-many', detail, { retryAfterS: Math.ceil(waitMs / 1000) })
    }
    byAddress.count(share, at)
    const marks = all.wait('', at) === 0
    if (marks) all.count('', at)
    return { marks }
  }
}
