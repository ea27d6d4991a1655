/**
 * Every way the gateway can fail, in one closed list: each with its status and its level in the log. The public
 * sentence, in both languages, stands in pages/sentences.ts; docs/reference/errors.md is generated from both.
 */

export interface Failure {
  readonly status: number
  /** warn: somebody's request. error: an operator should look. */
  readonly level: 'info' | 'warn' | 'error'
}

export const failures = {
  'request.malformed': { status: 400, level: 'warn' },
  'request.ambiguous': { status: 400, level: 'warn' },
  'request.upgrade': { status: 400, level: 'warn' },
  'request.cross-origin': { status: 403, level: 'warn' },
  'request.method': { status: 405, level: 'warn' },
  'request.timeout': { status: 408, level: 'info' },
  'request.too-large': { status: 413, level: 'warn' },
  'request.target-too-long': { status: 414, level: 'warn' },
  'request.expectation': { status: 417, level: 'warn' },
  'request.misdirected': { status: 421, level: 'warn' },
  'request.headers-too-large': { status: 431, level: 'warn' },
  'resource.unknown-host': { status: 404, level: 'info' },
  'portal.not-found': { status: 404, level: 'info' },
  'portal.form-expired': { status: 403, level: 'warn' },
  'portal.not-a-choice': { status: 409, level: 'warn' },
  'session.ambiguous': { status: 400, level: 'warn' },
  'session.store-down': { status: 503, level: 'error' },
  'session.store-full': { status: 503, level: 'error' },
  'login.required': { status: 401, level: 'info' },
  'login.not-sent': { status: 401, level: 'info' },
  'login.stale': { status: 400, level: 'info' },
  'login.foreign': { status: 400, level: 'warn' },
  'login.cookies': { status: 400, level: 'info' },
  'login.too-many-sessions': { status: 403, level: 'info' },
  'login.loop': { status: 400, level: 'error' },
  'login.silent-loop': { status: 400, level: 'error' },
  'login.too-many': { status: 429, level: 'warn' },
  'login.busy': { status: 503, level: 'error' },
  'login.ended-meanwhile': { status: 400, level: 'info' },
  'idp.rejected': { status: 400, level: 'warn' },
  'idp.unreachable': { status: 503, level: 'error' },
  'idp.invalid-answer': { status: 502, level: 'error' },
  'code.wrong': { status: 401, level: 'info' },
  'code.locked': { status: 429, level: 'warn' },
  'code.not-yet': { status: 403, level: 'info' },
  'code.expired': { status: 403, level: 'info' },
  'code.used-up': { status: 403, level: 'info' },
  'code.not-offered': { status: 403, level: 'info' },
  'code.not-counted': { status: 503, level: 'error' },
  'policy.denied': { status: 403, level: 'info' },
  'logout.not-stored': { status: 503, level: 'error' },
  'logout.not-left': { status: 503, level: 'error' },
  'logout.not-pressed': { status: 403, level: 'info' },
  'logout.token-rejected': { status: 400, level: 'warn' },
  'logout.too-many': { status: 429, level: 'warn' },
  'origin.unreachable': { status: 502, level: 'error' },
  'origin.invalid-answer': { status: 502, level: 'error' },
  'origin.timeout': { status: 504, level: 'error' },
  'origin.refused-address': { status: 502, level: 'error' },
  'identity.unsendable': { status: 502, level: 'error' },
  internal: { status: 500, level: 'error' },
} as const satisfies Record<string, Failure>

export type ErrorCode = keyof typeof failures

/** Seconds: what is down may be up again. */
const soonS = 5

export class GatewayError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly level: Failure['level']
  /** For the operator: what to do about it. Null: nothing that we know of. */
  readonly hint: string | null
  /** Seconds after which another try may go well; null: nothing says so. */
  readonly retryAfterS: number | null

  /**
   * @param detail for the operator, in the log; never shown to a person
   */
  constructor(
    code: ErrorCode,
    detail: string,
    options: { readonly hint?: string; readonly cause?: unknown; readonly retryAfterS?: number } = {},
  ) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'GatewayError'
    this.code = code
    this.status = failures[code].status
    this.level = failures[code].level
    this.hint = options.hint ?? null
    this.retryAfterS = options.retryAfterS ?? (this.status === 503 ? soonS : null)
  }
}

/** Six characters without look-alikes (Crockford base32): quoted by people, found in the log. */
export function newReference(random: (max: number) => number): string {
  const letters = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
  let reference = ''
  for (let i = 0; i < 6; i++) reference += letters[random(32)]
  return reference
}
