/** A plain request on its way: what `Arrival` is for a request that node read. */
import type { Socket } from 'node:net'
import { type Navigation, navigationOf } from '../model/navigation.ts'
import type { ClientRequest, Observed, Passage } from '../model/passage.ts'
import type { PlainHead } from './plain-head.ts'
import type { PlainResponse } from './plain-response.ts'

export class PlainRequest implements ClientRequest {
  readonly method: 'GET' | 'HEAD'
  readonly url: string
  readonly httpVersionMinor = 1
  readonly rawHeaders: readonly string[]
  readonly socket: Socket

  constructor(head: PlainHead, socket: Socket) {
    this.method = head.method
    this.url = head.url
    this.rawHeaders = head.rawHeaders
    this.socket = socket
  }
}

/** Of which a second line says nothing (RFC 9110 §5.3): the first is taken, as node does. Of others the lines are joined. */
const single = new Set([
  'age',
  'authorization',
  'content-type',
  'etag',
  'expires',
  'from',
  'if-modified-since',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'referer',
  'retry-after',
  'server',
  'user-agent',
])

export class PlainPassage implements Passage {
  readonly request: PlainRequest
  readonly response: PlainResponse
  readonly observed: Observed
  readonly cookies: string | null
  readonly upgrade = null
  readonly expectsContinue = false

  constructor(request: PlainRequest, response: PlainResponse, observed: Observed, cookies: string | null) {
    this.request = request
    this.response = response
    this.observed = observed
    this.cookies = cookies
  }

  get navigation(): Navigation {
    return navigationOf(this.request.method, name => this.header(name))
  }

  header(name: string): string | undefined {
    return headerOf(this.request.rawHeaders, name)
  }

  openBody(): null {
    return null
  }
}

/** @param name in lower case */
export function headerOf(rawHeaders: readonly string[], name: string): string | undefined {
  let found: string | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const sent = rawHeaders[i] as string
    if (sent.length !== name.length || sent.toLowerCase() !== name) continue
    const value = rawHeaders[i + 1] as string
    if (found === undefined) found = value
    else if (single.has(name)) return found
    else found += `, ${value}`
  }
  return found
}
