/** What a flow of the portal answers, as it goes out: status, headers, and the one Content-Security-Policy. */
import type { Request, Response } from 'express'
import type { Answer, PagePolicy } from '../model/exchange.ts'

/** Written whole, once (docs/architecture.md §7). Scripts, fonts, frames: nothing, from anywhere. */
const contentSecurityPolicy: Record<PagePolicy, string> = {
  own: "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'leads-away': "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
}

/** The whole of a page that says nothing. */
const nothing = '<!doctype html><title>Passerelle</title>'

export function sendAnswer(request: Request, response: Response, answer: Answer): void {
  switch (answer.kind) {
    case 'page':
      response.status(answer.status).set(answer.headers ?? {})
      response.set('Content-Security-Policy', policyOf(answer.policy, answer.frames ?? []))
      // A page whose address holds a reference or a target gives it to nobody; with a form it must keep its Origin.
      if (!answer.html.includes('<form')) response.set('Referrer-Policy', 'no-referrer')
      response.type('html').append('Set-Cookie', [...answer.cookies])
      response.end(request.method === 'HEAD' ? undefined : answer.html)
      return
    case 'redirect':
      response.status(303).set({ Location: answer.to, 'Referrer-Policy': 'no-referrer', 'Content-Length': '0' })
      if (request.method !== 'HEAD') response.append('Set-Cookie', [...answer.cookies])
      response.end()
      return
    case 'empty':
      response.status(answer.status).end()
      return
    case 'json':
      response.status(answer.status).set(answer.headers ?? {})
      response.type('json').end(JSON.stringify(answer.body))
      return
    case 'framed':
      framed(request, response, answer.by)
  }
}

function policyOf(policy: PagePolicy, frames: readonly string[]): string {
  const own = contentSecurityPolicy[policy]
  return frames.length === 0 ? own : `${own}; frame-src ${frames.join(' ')}`
}

/** Not a page of its own, so what helmet says of those does not fit it. */
function framed(request: Request, response: Response, by: readonly string[]): void {
  for (const name of ['X-Frame-Options', 'Cross-Origin-Opener-Policy']) response.removeHeader(name)
  response.set({
    'Content-Security-Policy': `default-src 'none'; frame-ancestors ${by.join(' ')}; base-uri 'none'; form-action 'none'`,
    'Cross-Origin-Resource-Policy': 'cross-origin',
    'Referrer-Policy': 'no-referrer',
  })
  response.type('html').end(request.method === 'HEAD' ? undefined : nothing)
}
