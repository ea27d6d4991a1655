/**
 * What we say ourselves on a site's own host. Every such answer is sandboxed, so that no script of the site can read it in a
 * window that it opened: a ticket that failed must not be readable (SESSIONS A1). Therefore our pages there have links and no forms.
 */
import type { ClientRequest, ClientResponse, Passage } from '../model/passage.ts'

export const sandbox =
  "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation; default-src 'none'; " +
  "style-src 'self'; frame-ancestors 'none'; base-uri 'none'"

export const ownHeaders: readonly string[] = [
  'Content-Security-Policy',
  sandbox,
  'Referrer-Policy',
  'no-referrer',
  'Cache-Control',
  'no-store',
  'X-Content-Type-Options',
  'nosniff',
]

/** What a challenge depends on: nothing in front of us may give it to somebody else. */
const varies = ['Vary', 'Cookie, Sec-Fetch-Mode, Sec-Fetch-Dest, Origin']

/**
 * @param more     further headers, name and value in turn
 * @param framedBy who may show it in a frame, as `frame-ancestors` has it: two pages of ours may be shown at all (SESSIONS A1)
 */
export function answerPage(
  { request, response }: Passage,
  status: number,
  html: string,
  more: readonly string[] = [],
  framedBy = "'none'",
): void {
  response.writeHead(status, [
    ...ownHeaders.map(value => (value === sandbox ? sandboxFramedBy(framedBy) : value)),
    ...varies,
    'Content-Type',
    'text/html; charset=utf-8',
    'Content-Length',
    String(Buffer.byteLength(html)),
    ...more,
  ])
  endWith(request, response, html)
}

export function answerJson(
  { request, response }: Passage,
  status: number,
  body: unknown,
  more: readonly string[] = [],
): void {
  const json = `${JSON.stringify(body)}\n`
  response.writeHead(status, [
    ...ownHeaders,
    ...varies,
    'Content-Type',
    'application/json; charset=utf-8',
    'Content-Length',
    String(Buffer.byteLength(json)),
    ...more,
  ])
  endWith(request, response, json)
}

/**
 * 303 and nothing else: a browser that posts here must not post there (RFC 9700 §4.12).
 *
 * @param more further headers, name and value in turn
 */
export function answerRedirect(
  { response }: Passage,
  to: string,
  cookies: readonly string[],
  status: 303 | 308 = 303,
  more: readonly string[] = [],
): void {
  response.writeHead(status, [
    ...ownHeaders,
    ...varies,
    'Location',
    to,
    'Content-Length',
    '0',
    ...more,
    ...cookies.flatMap(cookie => ['Set-Cookie', cookie]),
  ])
  response.end()
}

export function answerEmpty({ response }: Passage, status: 204, more: readonly string[] = []): void {
  response.writeHead(status, [...ownHeaders, ...varies, ...more])
  response.end()
}

export function answerText({ request, response }: Passage, type: string, text: string): void {
  response.writeHead(200, [
    'Content-Type',
    type,
    'Content-Length',
    String(Buffer.byteLength(text)),
    'Cache-Control',
    'no-cache',
    'Content-Security-Policy',
    sandbox,
    'X-Content-Type-Options',
    'nosniff',
  ])
  endWith(request, response, text)
}

function endWith({ method }: ClientRequest, response: ClientResponse, text: string): void {
  if (method === 'HEAD') response.end()
  else response.end(text, 'utf8')
}

function sandboxFramedBy(framedBy: string): string {
  return sandbox.replace("frame-ancestors 'none'", `frame-ancestors ${framedBy}`)
}
