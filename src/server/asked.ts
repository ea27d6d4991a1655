/** What a command asks for, read from its body with suspicion: one selection, and perhaps a limit. */
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { Selection } from '../session/sessions.ts'

export interface Asked {
  readonly selection: Selection
  /** Sessions that are listed at most. */
  readonly limit: number
}

/** A command that is not carried out; the message is for the one who sent it. */
export class Refused extends Error {
  readonly status: number
  readonly headers: OutgoingHttpHeaders

  constructor(status: number, message: string, headers: OutgoingHttpHeaders = {}) {
    super(message)
    this.status = status
    this.headers = headers
  }
}

/** Bytes. */
const longestBody = 8 * 1024
const usualLimit = 1_000
const mostListed = 10_000_000

/** Names in one question; the body has room for no more. */
const mostNames = 100
const longestName = 200

/** @throws Refused 400, 413, 415 */
export async function readAsked(request: IncomingMessage): Promise<Asked> {
  const { limit = usualLimit, ...rest } = await objectOf(request)
  if (!Number.isSafeInteger(limit) || (limit as number) < 1 || (limit as number) > mostListed) {
    throw new Refused(400, `limit must be a whole number from 1 to ${mostListed}`)
  }
  return { selection: selectionOf(rest), limit: limit as number }
}

/**
 * Of what the uses are asked for.
 * @throws Refused 400, 413, 415
 */
export async function readNames(request: IncomingMessage): Promise<readonly string[]> {
  const { names, ...rest } = await objectOf(request)
  const isName = (name: unknown) => isText(name) && name.length <= longestName
  if (Object.keys(rest).length === 0 && Array.isArray(names) && names.length <= mostNames && names.every(isName)) {
    return names as string[]
  }
  throw new Refused(400, `{"names": [TEXT, …]} is needed, ${mostNames} at most`)
}

async function objectOf(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new Refused(415, 'the body must be application/json')
  }
  return parsed(await bodyOf(request))
}

function selectionOf(asked: Readonly<Record<string, unknown>>): Selection {
  const [key, ...others] = Object.keys(asked)
  if (key !== undefined && others.length === 0) {
    const value = asked[key]
    if (key === 'all' && value === true) return { kind: 'all' }
    if (key === 'idp' && isText(value)) return { kind: 'idp', idp: value }
    // A hash of ours: nothing else can be a session.
    if (key === 'session' && isText(value) && /^[\w-]{43}$/.test(value)) return { kind: 'session', hash: value }
    if (key === 'person' && isObject(value) && isText(value.idp) && isText(value.subject)) {
      return { kind: 'person', person: { idp: value.idp, subject: value.subject } }
    }
  }
  throw new Refused(
    400,
    'exactly one of {"session": REF}, {"person": {"idp": ID, "subject": TEXT}}, {"idp": ID}, {"all": true} is needed',
  )
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > longestBody) throw new Refused(413, `the body must not be longer than ${longestBody} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (isObject(value)) return value
  } catch {
    // Said below, as for JSON that is no object.
  }
  throw new Refused(400, 'the body must be one JSON object')
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
