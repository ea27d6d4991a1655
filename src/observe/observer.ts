/** Turns what happens into log lines and metrics. Reporting never throws and never waits. */
import { failures } from '../errors.ts'
import type { GatewayEvent, Report } from '../model/event.ts'
import type { Observed } from '../model/passage.ts'
import { shownPath } from '../model/shown-path.ts'
import { JsonLine, type Log } from './log.ts'
import type { Metrics } from './metrics.ts'

export interface Finished {
  readonly method: string
  /** 0: the connection was gone before an answer could be begun. */
  readonly status: number
  /** Milliseconds on the monotonic clock. */
  readonly endedAt: number
  /** False: the client left, or the answer was cut. */
  readonly complete: boolean
}

export interface Observer {
  readonly report: Report
  readonly finished: (observed: Observed, finished: Finished) => void
}

/** @param wanted read at each request: a reload changes it */
export function createObserver(log: Log, metrics: Metrics, wanted: { readonly requests: boolean }): Observer {
  return {
    report(event) {
      try {
        tell(event)
      } catch {
        // Whoever reports has other things to do than to hear that nobody listens.
      }
    },

    finished(observed, { method, status, endedAt, complete }) {
      const { failure, portal, resource, target } = observed
      metrics.request(resource !== null ? 'access' : portal ? 'portal' : 'none', status)
      if (resource !== null && observed.originMs !== null) metrics.origin(resource.id, observed.originMs / 1000)
      if (failure !== null) metrics.failure(failure.code)
      if (!wanted.requests && failure === null) return
      const level = failure === null ? 'info' : failures[failure.code].level
      if (!log.writes(level)) return
      const line = new JsonLine(level)
        .word('method', method)
        .word('host', target?.host)
        // Never the query: deep links carry names and tokens.
        .add('path', portal && target !== null ? shownPath(target.path) : target?.path)
        .add('status', status)
        .add('ms', tenths(endedAt - observed.startedAt))
        .add('originMs', observed.originMs === null ? null : tenths(observed.originMs))
        .add('client', observed.client)
        .word('resource', resource?.id)
        .word('effect', observed.effect)
        .add('cut', complete ? null : true)
        .add('ref', failure === null ? observed.reference : failure.reference || null)
      if (failure !== null) {
        line.add('code', failure.code).add('detail', failure.detail).add('hint', failure.hint)
      }
      log.line(line.end('request'))
    },
  }

  function tell(event: GatewayEvent): void {
    switch (event.name) {
      case 'gateway.started':
        return log.info({ address: event.address }, event.name)
      case 'configuration.adopted': {
        metrics.configuration(event.checksum, event.at)
        return log.info({ checksum: event.checksum }, event.name)
      }
      case 'configuration.refused':
        metrics.configurationRefused()
        return log.error({ problems: event.problems, detail: event.detail }, event.name)
      case 'gateway.draining':
      case 'gateway.stopped':
        return log.info({}, event.name)
      case 'session.established':
        metrics.signIn(event.idp, 'established')
        return log.info({ idp: event.idp }, event.name)
      case 'session.kept':
        metrics.signIn(event.idp, 'kept')
        return log.info({ idp: event.idp }, event.name)
      case 'session.ended':
        metrics.ended(event.reason)
        return log.info({ idp: event.idp, reason: event.reason }, event.name)
      case 'session.limit-reached':
        metrics.event(event.name)
        return log.info({ idp: event.idp, beyond: event.beyond }, event.name)
      case 'session.site-left':
      case 'session.site-reopened':
        metrics.event(event.name)
        return log.info({ resource: event.resource }, event.name)
      case 'session.claim-chosen':
        metrics.event(event.name)
        return log.info({ claim: event.claim }, event.name)
      case 'sessions.listed':
      case 'sessions.ended':
        return log.info(
          { selected: event.selected, idp: event.idp, count: event.count, cut: event.complete ? undefined : true },
          event.name,
        )
      case 'operations.refused':
        metrics.event(event.name)
        return log.warn({ client: event.address, status: event.status }, event.name)
      case 'session.rechecked': {
        const { idp, outcome, detail } = event
        metrics.recheck(idp, outcome)
        // An idp that is away has a line of its own, and one that cannot be asked is so for every session.
        if (outcome === 'rejected') log.warn({ idp, outcome, detail }, event.name)
        else if (outcome === 'changed' || outcome === 'ended') log.info({ idp, outcome, detail }, event.name)
        return
      }
      case 'session.end-retried':
        return log.warn({ left: event.left }, event.name)
      case 'participant.told':
        return metrics.told(event.resource, 'told')
      case 'participant.failed':
        metrics.told(event.resource, 'failed')
        return log.warn({ resource: event.resource, detail: event.detail }, event.name)
      case 'session.end-replicated':
        if (event.confirmed) return
        metrics.event('session.end-unreplicated')
        return log.warn({}, 'session.end-unreplicated')
      case 'session.ends-repeated':
        return log.warn({ ends: event.ends }, event.name)
      case 'sign-in.begun':
        return metrics.signIn(event.idp, 'begun')
      case 'sign-in.nobody':
        return metrics.signIn(event.idp, 'nobody')
      case 'sign-in.failed':
        metrics.signIn(event.idp, 'failed')
        return log.warn({ idp: event.idp, code: event.code }, event.name)
      case 'claim.disbelieved':
        metrics.disbelieved(event.idp, event.claim ?? '*', event.values)
        // What nobody asked for is no news: every sign-in may bring some.
        return event.claim === null
          ? undefined
          : log.info({ idp: event.idp, claim: event.claim, values: event.values }, event.name)
      case 'session.undecryptable':
      case 'cookie.ambiguous':
      case 'handoff.foreign':
        metrics.event(event.name)
        return log.warn({}, event.name)
      case 'callback.foreign':
        metrics.event(event.name)
        return log.warn({ idp: event.idp }, event.name)
      case 'request.cross-origin':
        return metrics.event(event.name)
      case 'logout.heard':
        metrics.event(event.name)
        return log.info(
          { idp: event.idp, channel: event.channel, ended: event.ended, stored: event.stored },
          event.name,
        )
      case 'logout.limited':
        return metrics.event(event.name)
      case 'code.tried': {
        const { idp, outcome, selector } = event
        metrics.code(idp, outcome)
        return log[outcome === 'accepted' ? 'info' : 'warn'](
          { idp, outcome, selector: selector ?? undefined },
          event.name,
        )
      }
      case 'codes.read':
        return log.info({ idp: event.idp, codes: event.count }, event.name)
      case 'codes.broken':
        metrics.event(event.name)
        return log.error({ idp: event.idp, detail: event.detail }, event.name)
      case 'idp.up':
        return log.info({ idp: event.idp }, event.name)
      case 'idp.down':
        return log.error({ idp: event.idp, detail: event.detail, hint: event.hint ?? undefined }, event.name)
      case 'store.up':
        return log.info({}, event.name)
      case 'store.down':
        return log.error({ detail: event.detail }, event.name)
      case 'store.warned':
      case 'store.log-lost':
        return log.warn({ detail: event.detail }, event.name)
      case 'origin.retried':
        return metrics.event(event.name)
      case 'site-logout.unheard':
        metrics.event(event.name)
        return log.warn({ resource: event.resource, detail: event.detail }, event.name)
      case 'stream.closed-at-end':
        metrics.event(event.name)
        return log.info({ resource: event.resource, kind: event.kind }, event.name)
    }
  }
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10
}
