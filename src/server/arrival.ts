/** A request as node's own server reads and answers it. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Navigation, navigationOf } from '../model/navigation.ts'
import type { Observed, Passage, RequestBody, Upgrade } from '../model/passage.ts'
import { bodyOf } from './request-body.ts'

/** What Express is given: its own kind of request and response. */
export interface NodePassage extends Passage {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** A class and not a literal: a getter of a literal's own would keep every request until the next full collection. */
export class Arrival implements NodePassage {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly observed: Observed
  readonly cookies: string | null
  readonly upgrade: Upgrade | null
  readonly expectsContinue: boolean

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    observed: Observed,
    upgrade: Upgrade | null,
    expectsContinue: boolean,
  ) {
    this.request = request
    this.response = response
    this.observed = observed
    this.cookies = request.headers.cookie ?? null
    this.upgrade = upgrade
    this.expectsContinue = expectsContinue
  }

  get navigation(): Navigation {
    return navigationOf(this.request.method ?? '', name => this.header(name))
  }

  header(name: string): string | undefined {
    return this.request.headers[name] as string | undefined
  }

  openBody(): RequestBody | null {
    return bodyOf(this.request)
  }
}

/** How what is yet unknown of a request is noted. */
export function newlyObserved(startedAt: number, client: string): Observed {
  return {
    startedAt,
    client,
    target: null,
    portal: false,
    resource: null,
    session: null,
    effect: null,
    originMs: null,
    reference: null,
    failure: null,
  }
}
