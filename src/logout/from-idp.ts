/**
 * A sign-out that begins at an idp, by whichever way it came: the sessions end, everywhere, then the sites that keep sessions
 * of their own are told; and the same message a second time is without effect.
 */
import { GatewayError } from '../errors.ts'
import { Deadlines } from '../model/deadlines.ts'
import type { Report } from '../model/event.ts'
import type { LogoutChannel, LogoutNotice, LogoutOutcome, TellParticipants } from '../model/logout.ts'
import type { EndedSession } from '../model/session.ts'
import type { EndedAll } from '../session/end-all.ts'
import type { Seen } from '../session/seen.ts'
import type { Sessions } from '../session/sessions.ts'
import { createUnanswered } from './unanswered.ts'

export interface FromIdpParts {
  readonly sessions: Pick<Sessions, 'endAll'>
  readonly seen: Seen
  readonly tellParticipants: TellParticipants
  /** Milliseconds, never stepping back. */
  readonly monotonic: () => number
  readonly report: Report
}

/** Sessions whose participants are told at a time. */
const toldAtOnce = 20
/** Milliseconds that an idp waits for sites that are slow to hear of it; they are told all the same. */
const patienceMs = 3_000

/** @returns `failure` not null: not everything is over, or nobody knows. To be told again then does nothing twice. */
export type EndFromIdp = (
  channel: LogoutChannel,
  notices: readonly LogoutNotice[],
) => Promise<LogoutOutcome & { readonly failure: GatewayError | null }>

export function createEndFromIdp({ sessions, seen, tellParticipants, monotonic, report }: FromIdpParts): EndFromIdp {
  const patience = new Deadlines(patienceMs)

  return async function endFromIdp(channel, notices) {
    const ended: EndedSession[] = []
    let failure: GatewayError | null = null
    for (const notice of notices) {
      const outcome = await carryOut(notice)
      ended.push(...outcome.ended)
      failure ??= outcome.failure
    }
    const stored = failure === null
    const [first] = notices
    if (first !== undefined) report({ name: 'logout.heard', idp: first.idp, channel, ended: ended.length, stored })
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const deadline = patience.begin(resolve)
    await Promise.race([tellAll(ended), late]).finally(() => deadline.end())
    return { ended: ended.length, stored, failure }
  }

  async function tellAll(ended: readonly EndedSession[]): Promise<void> {
    const unanswered = createUnanswered(monotonic)
    for (let from = 0; from < ended.length; from += toldAtOnce) {
      await Promise.all(ended.slice(from, from + toldAtOnce).map(one => tellParticipants(one, { unanswered })))
    }
  }

  async function carryOut(notice: LogoutNotice): Promise<EndedAll> {
    const { idp, message } = notice
    try {
      if (message !== null && (await seen.has(idp, message.id))) return { ended: [], failure: null }
      const outcome = await sessions.endAll(notice)
      // Not before: a message whose ends could not be stored must be good once more.
      if (message !== null && outcome.failure === null) await seen.add(idp, message.id, message.notAfter)
      return outcome
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
      return { ended: [], failure: error }
    }
  }
}
