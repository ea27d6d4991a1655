/** How a command speaks to a running gateway: one POST to its operations listener, answered by lines of JSON. */
import { request } from 'node:http'
import { createInterface } from 'node:readline'
import type { Secret } from '../model/secret.ts'
import { NotDone } from './not-done.ts'

type Line = Readonly<Record<string, unknown>>

/** A gateway that says nothing for so long says nothing any more, ms. */
const silenceMs = 30_000
/** Where a listener stands on every address, this machine's own is asked. */
const everyAddress: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

/**
 * The last line has `done`.
 * @throws NotDone no answer, a refusal, or work that was broken off
 */
export async function* askOperations(
  { host, port }: { readonly host: string; readonly port: number },
  secret: Secret,
  path: string,
  body: Line,
): AsyncGenerator<Line> {
  const there = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const asked = request({
    host: everyAddress[host] ?? host,
    port,
    path,
    method: 'POST',
    headers: { Authorization: `Bearer ${secret.reveal()}`, 'Content-Type': 'application/json' },
    timeout: silenceMs,
    agent: false,
  })
  asked.on('timeout', () => asked.destroy(new Error(`nothing came for ${silenceMs / 1000} seconds`)))
  asked.end(JSON.stringify(body))
  let done = false
  try {
    const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      asked.once('response', resolve)
      asked.on('error', reject)
    })
    for await (const text of createInterface({ input: response })) {
      const line = lineOf(text)
      if (line === null)
        throw new NotDone(`what answers at ${there} is no gateway of this version (${response.statusCode})`)
      if (typeof line.error === 'string') throw new NotDone(`the gateway at ${there} says: ${line.error}`)
      done = line.done === true
      yield line
    }
  } catch (error) {
    if (error instanceof NotDone) throw error
    throw new NotDone(`the gateway at ${there} does not answer: ${toldOf(error)}`)
  } finally {
    asked.destroy()
  }
  if (!done) throw new NotDone(`the gateway at ${there} broke off`)
}

function lineOf(text: string): Line | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Line) : null
  } catch {
    return null
  }
}

function toldOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(toldOf).join('; ')
  return error instanceof Error ? error.message : String(error)
}
