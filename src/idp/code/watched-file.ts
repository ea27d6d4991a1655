/**
 * The codes as the file has them now. It is looked at before each use and read when it changed; what is broken then, or gone, leaves
 * the codes as they were, and an operator hears of it, once for each state of the file. Only what it has lost is lost at once: whoever
 * takes a code out revokes it, whatever else they mistyped.
 */
import type { Report } from '../../model/event.ts'
import type { AccessCode, ReadCodes } from './access-code.ts'
import { stateOf } from './changed-file.ts'

export interface WatchedFileParts {
  readonly idp: string
  readonly file: string
  /** Rejects where the file cannot be read. */
  readonly read: () => Promise<ReadCodes>
  readonly report: Report
}

export type Codes = ReadonlyMap<string, AccessCode>

export interface WatchedFile {
  readonly current: () => Promise<Codes>
  /** As of the last look. */
  readonly held: () => Codes
  /** down: no good state of the file was ever seen. */
  readonly health: () => 'up' | 'down' | 'unknown'
}

export function watchFile({ idp, file, read, report }: WatchedFileParts): WatchedFile {
  let held: Codes | null = null
  let seen: string | null = null
  let reading: Promise<void> | null = null

  return {
    async current() {
      // Whoever comes meanwhile may have been written after the look: they wait for one of their own.
      if (reading !== null) await reading
      reading ??= look().finally(() => {
        reading = null
      })
      await reading
      return held ?? new Map()
    },
    held: () => held ?? new Map(),
    health: () => (held !== null ? 'up' : seen === null ? 'unknown' : 'down'),
  }

  async function look(): Promise<void> {
    const state = await stateOf(file)
    if (state === seen) return
    const first = seen === null
    seen = state
    const { codes, faults, named } = await read().catch(unreadable)
    const [fault] = faults
    if (fault !== undefined) {
      const place = fault.line === 0 ? file : `${file}:${fault.line}:${fault.column}`
      const gone = held === null || named === null ? [] : [...held.keys()].filter(selector => !named.has(selector))
      if (held !== null) held = new Map([...held].filter(([selector]) => !gone.includes(selector)))
      const revoked = gone.length === 0 ? '' : `; revoked all the same: ${gone.join(', ')}`
      report({ name: 'codes.broken', idp, detail: `${place}: ${fault.message}${revoked}` })
      return
    }
    held = new Map(codes.map(code => [code.selector, code]))
    if (!first) report({ name: 'codes.read', idp, count: codes.length })
  }
}

function unreadable(error: unknown): ReadCodes {
  const message = error instanceof Error ? error.message : String(error)
  return { codes: [], faults: [{ line: 0, column: 0, message }], named: null }
}
