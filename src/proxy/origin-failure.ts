/** What went wrong on the way to an origin, as one of our failures: unreachable, too slow, or answering nonsense. */
import { GatewayError } from '../errors.ts'
import type { Resource } from '../model/resource.ts'
import { InvalidAnswer } from './answer-parser.ts'
import { ClientLate, OriginLate } from './origin-request.ts'

/** Codes of connecting too slowly: ours, and the system's. */
const late = new Set(['UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT'])

export function originFailure(resource: Resource, error: Error): GatewayError {
  if (error instanceof GatewayError) return error
  const { code } = error as NodeJS.ErrnoException
  const detail = `${resource.origin.origin} (${resource.id}): ${error.message}${typeof code === 'string' ? ` [${code}]` : ''}`
  if (error instanceof ClientLate) return new GatewayError('request.timeout', detail, { cause: error })
  if (error instanceof OriginLate || (typeof code === 'string' && late.has(code))) {
    return new GatewayError('origin.timeout', detail, { cause: error })
  }
  if (error instanceof InvalidAnswer) return new GatewayError('origin.invalid-answer', detail, { cause: error })
  return new GatewayError('origin.unreachable', detail, { cause: error })
}
