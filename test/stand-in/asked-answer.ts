/**
 * An origin that answers as the request asks it to: a test writes the answer it wants beside the request. It travels in
 * base64, so that nothing of it stands in the bytes that a test looks through afterwards.
 */
import type { OriginHandler } from './origin.ts'
import { answerPath } from './origin-paths.ts'

export interface AskedAnswer {
  /** 200 unless said. */
  readonly status?: number
  /** Name and value in turn; a name may come again. */
  readonly headers?: readonly string[]
  readonly body?: string
}

/** The header line that asks for an answer. */
export function asking(answer: AskedAnswer): string {
  return `Please-Answer: ${Buffer.from(JSON.stringify(answer)).toString('base64')}`
}

/** Answers as asked; a request that does not ask gets the ready-made paths. */
export const answerAsAsked: OriginHandler = (request, response, recorded) => {
  const asked = request.headers['please-answer']
  if (asked === undefined) return answerPath(request, response, recorded)
  const {
    status = 200,
    headers = [],
    body = '',
  }: AskedAnswer = JSON.parse(Buffer.from(String(asked), 'base64').toString())
  response.sendDate = false
  response.writeHead(status, [...headers])
  response.end(body, 'latin1')
}
