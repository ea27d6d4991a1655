/**
 * Participants: the visited sites that keep sessions of their own, and are told on their origin, over our back channel, that
 * ours has ended (SESSIONS A8, 3). What they get is what they would get of a visitor's request that has nothing of the visitor's browser:
 * who it was, in the headers that they trust, and a token after that of OpenID Connect Back-Channel Logout 1.0 §2.4.
 */
import { randomUUID } from 'node:crypto'
import { Deadlines } from '../model/deadlines.ts'
import type { Report } from '../model/event.ts'
import { type Identity, subjectId } from '../model/identity.ts'
import type { LogoutPolicy, TellParticipants, Unanswered } from '../model/logout.ts'
import type { OutboundTell } from '../model/outbound.ts'
import type { Resource } from '../model/resource.ts'
import type { EndedSession } from '../model/session.ts'
import { injectedHeaders } from '../proxy/identity-headers.ts'
import { ownRequestHeaders } from '../proxy/request-headers.ts'
import type { AssertionKeys } from '../session/assertion-keys.ts'
import { Lane } from './lane.ts'

export interface ParticipantParts {
  /** `https://acces.example.org`: who signs. */
  readonly portal: string
  readonly resources: readonly Resource[]
  readonly tell: OutboundTell
  readonly sign: AssertionKeys['sign']
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly report: Report
}

/** A resource that wants to be told. */
interface Participant {
  readonly resource: Resource
  readonly notify: NonNullable<LogoutPolicy['notify']>
  /** Of its own: one that does not answer holds up no other. */
  readonly lane: Lane
}

export const logoutHeader = 'X-Passerelle-Logout'

/** Of one session's end, and of all ends to one site. */
const atATime = 20
/** Ends that wait for one site at most: it does not answer, and each is held in memory until its turn. */
const mostWaiting = 1_000
/** Milliseconds that a caller waits at most. */
const patienceMs = 3_000
const notAsked = 'it did not answer to an end a moment ago, and was not asked'
/** Seconds: OpenID Connect Back-Channel Logout 1.0 §2.4 recommends two minutes at most. */
const tokenLife = 120

export function createTellParticipants(parts: ParticipantParts): TellParticipants {
  const participants = parts.resources.flatMap((resource): readonly Participant[] => {
    const { notify } = resource.logout
    return notify === null ? [] : [{ resource, notify, lane: new Lane(atATime) }]
  })

  const patience = new Deadlines(patienceMs)

  return async function tellParticipants(ended, { except = null, unanswered = null } = {}) {
    const visited = participants.filter(({ resource: { id } }) => id !== except && ended.visited.includes(id))
    const ids = visited.map(({ resource }) => resource.id)
    const told = new Set<string>()
    const ours = new Lane(atATime)
    const all = visited.map(one =>
      ours.run(async () => {
        if (unanswered?.has(one.resource.id)) return notTold(one, notAsked)
        if (one.lane.waiting >= mostWaiting) return notTold(one, `${mostWaiting} ends wait for this site already`)
        await one.lane.run(async () => {
          // What was before it in the lane may have found out meanwhile.
          if (unanswered?.has(one.resource.id)) return notTold(one, notAsked)
          if (await isTold(one, ended, unanswered)) told.add(one.resource.id)
        })
      }),
    )
    // Whatever has not come by then goes on alone.
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const deadline = patience.begin(resolve)
    await Promise.race([Promise.all(all), late])
    deadline.end()
    return { told: ids.filter(id => told.has(id)), failed: ids.filter(id => !told.has(id)) }
  }

  async function isTold(
    participant: Participant,
    { identity }: EndedSession,
    unanswered: Unanswered | null,
  ): Promise<boolean> {
    const { resource, notify } = participant
    const { id, origin } = resource
    try {
      const headers = headersFor(resource, identity)
      const answer = parts.tell(new URL(`${origin.origin}${notify.path}`), { method: notify.method, headers })
      // An answer that says no is one, and costs nobody's time.
      answer.catch(() => unanswered?.add(id))
      const status = await answer
      if (status < 200 || status > 399) throw new Error(`${notify.method} ${origin.origin}${notify.path}: ${status}`)
      parts.report({ name: 'participant.told', resource: id })
      return true
    } catch (error) {
      notTold(participant, (error as Error).message)
      return false
    }
  }

  function notTold({ resource }: Participant, detail: string): void {
    parts.report({ name: 'participant.failed', resource: resource.id, detail })
  }

  /** @throws GatewayError `identity.unsendable` */
  function headersFor(resource: Resource, identity: Identity): readonly string[] {
    const injected = injectedHeaders(identity, resource)
    return [...ownRequestHeaders(resource, injected), logoutHeader, tokenFor(resource.id, identity)]
  }

  function tokenFor(audience: string, identity: Identity): string {
    const issuedAt = Math.floor(parts.now() / 1000)
    return parts.sign('logout+jwt', {
      iss: parts.portal,
      aud: audience,
      sub: subjectId(identity),
      iat: issuedAt,
      exp: issuedAt + tokenLife,
      jti: randomUUID(),
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    })
  }
}
