/** The short answers of signing in. */
import type { Answer, PortalRequest } from '../model/exchange.ts'
import type { BrowserStep } from '../model/idp.ts'

/** A HEAD or a prefetch: no person asked, so nothing begins and nothing is consumed (OI-22, SESSIONS B 22). */
export function isNobody({ method, navigation }: PortalRequest): boolean {
  return method === 'HEAD' || navigation === 'prefetch'
}

export const nothing: Answer = { kind: 'empty', status: 204 }

export function redirect(to: string, cookies: readonly string[] = []): Answer {
  return { kind: 'redirect', to, cookies }
}

/** @param callback of this sign-in, where our own page asks */
export function answerStep(step: BrowserStep, callback: string, cookies: readonly string[]): Answer {
  switch (step.kind) {
    case 'redirect':
      return redirect(step.to.href, cookies)
    case 'prompt':
      return redirect(callback, cookies)
  }
}
