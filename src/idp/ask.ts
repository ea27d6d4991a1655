/** One request to an idp, and what its failure means for a sign-in. */
import { GatewayError } from '../errors.ts'
import { OutboundError, type OutboundFetch } from '../model/outbound.ts'

export interface Question {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | null
  readonly signal: AbortSignal | null
}

/**
 * @returns an answer below 300 or from 400 to 499 but 429; the caller judges it
 * @throws GatewayError `idp.unreachable`     no connection, no whole answer in time, 429, or 500 and above
 * @throws GatewayError `idp.invalid-answer`  more than 1 MiB, not HTTP, or a redirect, which nothing here follows
 */
export async function ask(
  fetch: OutboundFetch,
  method: 'GET' | 'POST',
  url: URL,
  question: Question,
): Promise<Response> {
  const asked = `${method} ${url.origin}${url.pathname}`
  const answer = await fetch(url, {
    method,
    headers: { accept: 'application/json', ...question.headers },
    body: question.body ?? null,
    signal: question.signal,
  }).catch((cause: unknown) => {
    throw failureOf(cause, asked)
  })
  if (answer.status >= 500 || answer.status === 429)
    throw new GatewayError('idp.unreachable', `${asked}: answered ${answer.status}`)
  if (answer.status >= 300 && answer.status < 400) {
    throw new GatewayError('idp.invalid-answer', `${asked}: answered ${answer.status}; redirects are not followed`)
  }
  return answer
}

function failureOf(cause: unknown, asked: string): GatewayError {
  if (!(cause instanceof OutboundError)) return new GatewayError('idp.unreachable', `${asked}: ${cause}`, { cause })
  const hint = cause.hint === null ? {} : { hint: cause.hint }
  switch (cause.reason) {
    case 'too-large':
    case 'malformed':
      return new GatewayError('idp.invalid-answer', cause.message, { ...hint, cause })
    case 'unreachable':
    case 'timeout':
    case 'refused-address':
      return new GatewayError('idp.unreachable', cause.message, { ...hint, cause })
  }
}
