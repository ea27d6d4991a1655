/** What went wrong on the way to an origin, as one of our failures: unreachable, too slow, or answering nonsense. */
import { GatewayError } from '../errors.ts'
import type { Resource } from '../model/resource.ts'

const late = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT'])
const lost = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

export function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return typeof code === 'string' ? code : ''
}

/** The connection was lost: on one that was reused, the origin may never have seen the request. */
export function connectionLost(error: unknown): boolean {
  return lost.has(codeOf(error)) && !/bad (response|upgrade)/.test((error as Error).message)
}

export function originFailure(resource: Resource, error: unknown): GatewayError {
  if (error instanceof GatewayError) return error
  const code = codeOf(error)
  const message = error instanceof Error ? error.message : String(error)
  const detail = `${resource.origin.origin} (${resource.id}): ${message}${code === '' ? '' : ` [${code}]`}`
  if (late.has(code)) return new GatewayError('origin.timeout', detail, { cause: error })
  if (
    code.startsWith('HPE_') ||
    code.startsWith('UND_ERR_RE') ||
    code === 'UND_ERR_HEADERS_OVERFLOW' ||
    /bad (response|upgrade)/.test(message)
  ) {
    return new GatewayError('origin.invalid-answer', detail, { cause: error })
  }
  return new GatewayError('origin.unreachable', detail, { cause: error })
}
