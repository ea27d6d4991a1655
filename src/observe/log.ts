/**
 * The log: one JSON object a line on standard output. Lines are gathered and written without waiting, so that a reader
 * of the pipe who stops does not stop the gateway. No cookie, code, token or query ever comes here (LG-01, SESSIONS B 9).
 */
import pino from 'pino'
import { createLineWriter, type LineWriter } from './line-writer.ts'

export type LogLevel = 'info' | 'warn' | 'error' | 'silent'

export interface LogFields {
  readonly [name: string]: string | number | boolean | null | undefined
}

export interface Log {
  readonly info: (fields: LogFields, message: string) => void
  readonly warn: (fields: LogFields, message: string) => void
  readonly error: (fields: LogFields, message: string) => void
  /** Whether lines of this level are written at all. */
  readonly writes: (level: 'info' | 'warn' | 'error') => boolean
  /** A line that its caller made: whole JSON with `level` and `time`, as JsonLine gives it. */
  readonly line: (json: string) => void
  /** The least that is written from now on. */
  readonly setLevel: (level: LogLevel) => void
}

/**
 * @param write where lines go instead of standard output: whole lines, for tests
 */
export function createLog(
  level: LogLevel,
  write: ((line: string) => void) | null = null,
): Log & { close: () => Promise<void> } {
  const destination: LineWriter =
    write === null
      ? createLineWriter(process.stdout.fd, lines => new JsonLine('warn').add('lines', lines).end('log.lost'))
      : { write, close: async () => {} }
  const shown: pino.DestinationStream = { write: json => destination.write(withoutCommands(json)) }
  const logger = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${isoTime()}"`,
      formatters: { level: label => ({ level: label }) },
    },
    shown,
  )
  return {
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    writes: wanted => logger.isLevelEnabled(wanted),
    line: json => destination.write(json),
    setLevel(next) {
      logger.level = next
    },
    close: destination.close,
  }
}

let lastMs = 0
let lastIso = ''

/** Many lines share a millisecond. */
function isoTime(): string {
  const ms = Date.now()
  if (ms !== lastMs) {
    lastMs = ms
    lastIso = new Date(ms).toISOString()
  }
  return lastIso
}

/**
 * JSON escapes what is below U+0020. U+009B begins a terminal's command as well, and others turn a line around or hide in it:
 * whoever reads the log on a terminal obeys nobody's Origin header (LG-02).
 */
function withoutCommands(json: string): string {
  return json.replace(
    /[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

/** A line as pino would write it, at an eighth of the cost: for the one that each request leaves. */
export class JsonLine {
  #text: string

  constructor(level: 'info' | 'warn' | 'error') {
    this.#text = `{"level":"${level}","time":"${isoTime()}"`
  }

  /** @param name one of ours, never escaped; null and undefined leave the field out */
  add(name: string, value: string | number | boolean | null | undefined): this {
    if (value === null || value === undefined) return this
    if (typeof value !== 'string') this.#text += `,"${name}":${value}`
    else
      this.#text += plain.test(value) ? `,"${name}":"${value}"` : `,"${name}":${withoutCommands(JSON.stringify(value))}`
    return this
  }

  /** @param value one of a closed list, or of characters that a reader of ours lets pass and JSON does not escape */
  word(name: string, value: string | null | undefined): this {
    if (value !== null && value !== undefined) this.#text += `,"${name}":"${value}"`
    return this
  }

  end(message: string): string {
    return `${this.#text},"msg":"${message}"}\n`
  }
}
