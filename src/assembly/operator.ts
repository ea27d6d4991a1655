/** What the operations listener does for an operator. Who stands behind its commands. */

import { createUnanswered } from '../logout/unanswered.ts'
import { type Commands, createCommands, type SessionLine } from '../server/commands.ts'
import type { KnownSession } from '../session/sessions.ts'
import type { Lasting } from './lasting.ts'
import type { Standing } from './standing.ts'

export function assembleCommands({ sessions, codes, report, monotonic }: Lasting, standing: () => Standing): Commands {
  return createCommands({
    secret: () => standing().settings.operations.secret,
    async *list(selection) {
      for await (const known of sessions.list(selection)) yield lineOf(known)
    },
    async *end(selection) {
      const unanswered = createUnanswered(monotonic)
      for await (const { looked, ended } of sessions.endMany(selection)) {
        // What waits for its turn is held in memory, so a few at a time.
        const told = await Promise.all(ended.map(one => standing().tellParticipants(one, { unanswered })))
        yield { looked, ended: ended.length, untold: told.flatMap(({ failed }) => failed) }
      }
    },
    used: codes.used,
    report,
    monotonic,
  })
}

function lineOf({ hash, identity, browser, device, createdAt, usedAt, absoluteEnd }: KnownSession): SessionLine {
  return {
    session: hash,
    idp: identity.idp,
    subject: identity.subject,
    since: new Date(createdAt).toISOString(),
    used: usedAt === null ? null : new Date(usedAt).toISOString(),
    until: new Date(absoluteEnd).toISOString(),
    device,
    browser: browser.system === undefined ? browser.family : `${browser.family} on ${browser.system}`,
    network: browser.network,
  }
}
