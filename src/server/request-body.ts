/** The body of a request that node reads. */
import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import type { RequestBody } from '../model/passage.ts'

/**
 * A stream of its own between the client and the origin's connection, which destroys it when the origin answers early or
 * cannot be reached: destroying the request would destroy the client's connection before it has read that answer.
 * Trailers end here (HD-06).
 */
export function bodyOf(request: IncomingMessage): RequestBody | null {
  const length = request.headers['content-length']
  if (request.headers['transfer-encoding'] === undefined && (length === undefined || Number(length) === 0)) return null
  const body = new PassThrough()
  request.pipe(body)
  request.once('close', () => {
    if (!request.complete) body.destroy()
  })
  body.once('close', () => {
    request.unpipe(body)
    request.resume()
  })
  return { stream: body, length: length === undefined ? null : Number(length) }
}
