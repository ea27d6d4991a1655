/** Logout tokens of the adversarial provider: honest ones, bent by the test, and posted as a provider posts them. */
import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import type { AdversarialOp } from './adversarial-op.ts'

type Members = Record<string, unknown>

export const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'

/** @param bent over the honest claims; undefined leaves one out */
export function logoutClaims(op: AdversarialOp, nowMs: number, bent: Members = {}): Members {
  const iat = Math.floor(nowMs / 1000)
  const honest = { iss: op.issuer, aud: op.clientId, iat, exp: iat + 120, jti: randomUUID() }
  return { ...honest, events: { [logoutEvent]: {} }, ...bent }
}

/** Signed with the provider's key of the moment. */
export async function logoutToken(op: AdversarialOp, claims: Members, header: Members = {}): Promise<string> {
  const { kid } = await op.publicKey()
  return op.sign({ alg: 'RS256', kid, typ: 'logout+jwt', ...header }, JSON.stringify(claims))
}

export interface BackChannelReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

/** As a server does: no cookies, no Sec-Fetch, JSON or nothing expected. */
export function postLogoutToken(address: string, token: string): Promise<BackChannelReply> {
  return postToBackChannel(address, new URLSearchParams({ logout_token: token }).toString())
}

export function postToBackChannel(
  address: string,
  body: string,
  headers: Readonly<Record<string, string>> = { 'Content-Type': 'application/x-www-form-urlencoded' },
): Promise<BackChannelReply> {
  const url = new URL(address)
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port: url.port,
        method: 'POST',
        path: url.pathname + url.search,
        headers: { Host: url.host, 'Content-Length': Buffer.byteLength(body), ...headers },
      },
      async answer => {
        let text = ''
        for await (const part of answer) text += part
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text })
      },
    )
    sent.once('error', reject)
    sent.end(body)
  })
}
