/**
 * What a person chooses among the values that they have (`take: chosen`; docs/sessions.md B 33): their favourite domain, shown on
 * the front page. It holds in the session, and beyond it where the computer is their own.
 */
import { GatewayError } from '../errors.ts'
import type { Answer, PortalRequest, Route } from '../model/exchange.ts'
import type { Chosen, Identity } from '../model/identity.ts'
import type { Device, Session } from '../model/session.ts'
import type { MyChoices as MyChoicesData } from '../pages/my-choices.ts'
import type { RememberedChoice } from '../session/remembered-choice.ts'
import type { Sessions } from '../session/sessions.ts'

export interface MyChoicesParts {
  readonly sessions: Pick<Sessions, 'resume' | 'choose'>
  /** Claims that people choose, each with the one that has all its values. */
  readonly chosen: readonly { readonly claim: string; readonly among: string }[]
  /** What the form sends for a value. */
  readonly handleOf: (claim: string, value: string) => string
  readonly remembered: RememberedChoice
  /** Whether this browser may keep anything for its person: if-asked, when they say that the computer is theirs. */
  readonly keepsFor: (request: PortalRequest, device: Device) => 'yes' | 'if-asked' | 'no'
  /** The claim by whose values the sites are listed; null: they are not. */
  readonly groupBy: string | null
}

export type MyChoices = ReturnType<typeof createMyChoices>

export function createMyChoices({ sessions, chosen, handleOf, remembered, keepsFor, groupBy }: MyChoicesParts) {
  const claims = chosen.map(({ claim }) => claim)

  return {
    /** The value that comes first where sites are listed by this claim; null: nobody chooses among its values. */
    favouriteOf({ identity }: Session, listedBy: string): string | null {
      const claim = chosen.find(({ among }) => among === listedBy)?.claim
      return claim === undefined ? null : (holding(identity, claim) ?? null)
    },

    /** Null: there is nothing to choose. */
    of(request: PortalRequest, { identity, device }: Session): MyChoicesData | null {
      const open = chosen.flatMap(({ claim, among }) => {
        const { candidates = {} } = identity
        const values = Object.hasOwn(candidates, claim) ? (candidates[claim] ?? []) : []
        const held = holding(identity, claim)
        const options = values.map(value => ({ value, handle: handleOf(claim, value), chosen: value === held }))
        return options.length === 0 ? [] : [{ claim, among, values: options, first: among === groupBy }]
      })
      // A token is made where there is a form for it, and nowhere else.
      return open.length === 0
        ? null
        : { of: open, token: request.page.token(), memory: memoryOf(request, identity, device) }
    },

    /** For a new session: what this browser remembers that the person chose. */
    before: (request: PortalRequest, person: Identity, device: Device): Chosen | null =>
      keepsFor(request, device) === 'no' ? null : remembered.read(request.cookies, person),

    /**
     * POST /choice: `choice` is the handle of a value, `remember=yes` says that the computer is the person's own.
     * @throws GatewayError `session.store-down`, `portal.not-a-choice`: nothing has changed
     */
    async choose(request: PortalRequest): Promise<Answer> {
      const resumed = await sessions.resume(request.cookies, 'portal', 'navigation')
      if (resumed === null) return redirect('/login', [])
      const { session } = resumed
      const outcome = await sessions.choose(session.id, claims, request.form?.get('choice') ?? '')
      switch (outcome.kind) {
        case 'over':
          return redirect('/login', [])
        case 'not-theirs':
          throw new GatewayError('portal.not-a-choice', 'POST /choice with a value that the session does not offer')
        case 'chosen':
          return redirect('/', memorise(request, session, outcome.chosen))
      }
    },
  }

  function memoryOf(request: PortalRequest, person: Identity, device: Device): MyChoicesData['memory'] {
    switch (keepsFor(request, device)) {
      case 'yes':
        return { kind: 'kept' }
      case 'no':
        return { kind: 'not' }
      case 'if-asked':
        return { kind: 'asked', kept: remembered.read(request.cookies, person) !== null }
    }
  }

  /** @returns Set-Cookie lines */
  function memorise(request: PortalRequest, { identity, device }: Session, all: Chosen): readonly string[] {
    switch (keepsFor(request, device)) {
      case 'yes':
        return [remembered.remember(identity, all)]
      case 'no':
        return []
      case 'if-asked':
        return request.form?.get('remember') === 'yes'
          ? [remembered.remember(identity, all)]
          : remembered.forget(request.cookies)
    }
  }
}

function holding({ claims }: Identity, claim: string): string | undefined {
  return Object.hasOwn(claims, claim) ? claims[claim]?.[0] : undefined
}

export function choiceRoutes(mine: MyChoices): readonly Route[] {
  return [{ method: 'POST', path: '/choice', body: 'form', csrf: true, answer: mine.choose }]
}

function redirect(to: string, cookies: readonly string[]): Answer {
  return { kind: 'redirect', to, cookies }
}
