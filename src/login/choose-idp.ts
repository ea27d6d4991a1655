/**
 * Which idp: the one that a link, the browser's memory or the site names, or the one that a person chooses, in one step or
 * two (docs/sessions.md B 20). What they say of the computer decides how long the session may rest, and what is remembered.
 */
import type { PortalRequest } from '../model/exchange.ts'
import type { IdpId } from '../model/identity.ts'
import type { IdentityProvider } from '../model/idp.ts'
import type { LocatedUrl } from '../model/place.ts'
import type { Device } from '../model/session.ts'
import type { Text } from '../model/text.ts'
import type { ByEmail, EmailFailure, RememberQuestion } from '../pages/by-email.ts'
import type { OfferedIdp } from '../pages/chooser.ts'
import { contextOf } from '../pages/context.ts'
import type { Pages } from '../pages/pages.ts'
import type { RememberedIdp } from '../session/remembered-idp.ts'
import { asFields, signInAt, type Wanted } from './destination.ts'
import type { EmailDomains, LoginHint } from './email-domains.ts'
import type { Offered } from './offered.ts'
import { matching, readQuery, searchedAbove } from './search-idps.ts'
import type { ChooserSettings } from './settings.ts'
import { signedOutLately } from './signed-out-lately.ts'

export interface ChooseIdpParts {
  readonly providers: ReadonlyMap<IdpId, IdentityProvider>
  readonly offered: Offered
  readonly chooser: ChooserSettings
  /** Idle limit on a shared computer, ms. */
  readonly sharedIdleMs: number
  readonly remembered: RememberedIdp
  /** What the row of an idp says; null: its label. */
  readonly choiceOf: (idp: IdpId) => Text | null
  readonly emailDomains: EmailDomains
  /** A help link under an idp's name. */
  readonly helpOf: (idp: IdpId) => { readonly label: Text; readonly url: string } | null
  readonly pages: Pages
  readonly now: () => number
}

/** What the person said of the computer, here or when the browser began to remember. */
export interface Choice {
  /** Null: nobody asked. */
  readonly device: Device | null
  readonly cookies: readonly string[]
}

/** A question in the making: for whom, where it leads, and whether the idp must ask again. */
export interface Question {
  readonly request: PortalRequest
  readonly wanted: Wanted
  readonly located: LocatedUrl | null
  readonly again: boolean
  /** What the person, or a link, said of them; null: nothing that can be read. */
  readonly hint: LoginHint | null
}

export type ChooseIdp = ReturnType<typeof createChooseIdp>

export function createChooseIdp(parts: ChooseIdpParts) {
  const { providers, chooser, remembered, emailDomains, pages, now } = parts

  return {
    admittedAt,

    /** Who is offered at this site in the place of one that is away; undefined: nobody. */
    standIn: (located: LocatedUrl | null, away: IdpId): IdentityProvider | undefined =>
      admittedAt(located).find(({ id }) => parts.offered.standsInFor(id) === away),

    /** Null: the person is asked. The memory of an idp that is gone, or not admitted here, is as none. */
    unasked({ request, located, again, hint }: Question, named: IdpId | null): IdentityProvider | null {
      const admitted = admittedAt(located)
      const asked = admitted.find(({ id }) => id === named) ?? ownerAmong(hint, admitted)
      if (asked !== null) return asked
      if (admitted.length === 1) return admitted[0] ?? null
      // "Another account", and the first page after a sign-out: somebody else may sit here now.
      if (again || wantsToChoose(request)) return null
      const memory = memoryAmong(request, admitted)
      if (memory !== null) return signedOutLately(request.cookies, now()) ? null : memory
      return admitted.find(({ id }) => id === located?.resource.defaultIdp) ?? null
    },

    /** Whom the form's answer means: the one that was chosen, or whose people have such addresses. Null: the person is asked once more. */
    meant({ located, hint }: Question, form: URLSearchParams): IdentityProvider | null {
      const admitted = admittedAt(located)
      if (form.has('email')) return ownerAmong(hint, admitted)
      return admitted.find(({ id }) => id === form.get('idp')) ?? null
    },

    /** What this idp may be told of the address: its own people's only. */
    addressFor: (hint: LoginHint | null, idp: IdpId): string | null =>
      hint !== null && emailDomains.ownerOf(hint.domain) === idp ? hint.address : null,

    /** Of a sign-in whose person was not asked this time. */
    before(request: PortalRequest): Choice {
      const isOwn = chooser.remember === 'ask' && providers.has(remembered.read(request.cookies) ?? '')
      return { device: isOwn ? 'own' : null, cookies: [] }
    },

    /** Whether anybody who comes now would be asked whose computer it is: an idp that only stands in for another counts while it does. */
    asksAboutComputers: (): boolean => chooser.remember === 'ask' && admittedAt(null).length > 1,

    /** Whether a browser may keep anything else for its person: they said that the computer is their own, could say so, or may not. */
    keepsFor({ cookies }: PortalRequest, device: Device): 'yes' | 'if-asked' | 'no' {
      if (chooser.remember === 'never' || device === 'shared') return 'no'
      return chooser.remember === 'always' || providers.has(remembered.read(cookies) ?? '') ? 'yes' : 'if-asked'
    },

    /** The form's answer. Only here is anything remembered; on a computer that is not one's own nothing stays. */
    answered({ cookies }: PortalRequest, form: URLSearchParams, idp: IdpId): Choice {
      switch (chooser.remember) {
        case 'never':
          return { device: null, cookies: [] }
        case 'always':
          return { device: null, cookies: [remembered.remember(idp)] }
        case 'ask':
          return form.get('remember') === 'yes'
            ? { device: 'own', cookies: [remembered.remember(idp)] }
            : { device: 'shared', cookies: remembered.forget(cookies) }
      }
    },

    /** The account that this browser would go to, for the front page; null: it would ask. */
    memory: (request: PortalRequest): Text | null => memoryAmong(request, admittedAt(null))?.label ?? null,

    /** Those that people may sign in by now, wherever they go. */
    everywhere: (): readonly OfferedIdp[] => admittedAt(null).map(offered),

    forget: ({ cookies }: PortalRequest): readonly string[] => remembered.forget(cookies),

    /** The page that asks: "as last time?", who one is, or which idp. */
    page(question: Question): string {
      const { request, located } = question
      const admitted = admittedAt(located)
      const memory = wantsToChoose(request) || request.method === 'POST' ? null : memoryAmong(request, admitted)
      return memory === null ? choosing(question, admitted) : asLastTime(question, memory)
    },
  }

  function asLastTime(question: Question, { id, label }: IdentityProvider): string {
    const { request, wanted, located, again } = question
    return pages.asLastTime(contextOf(request, 'portal'), {
      going: located?.resource.title ?? null,
      idp: label,
      change: addressOf(question, { choose: '1' }),
      carried: { ...asFields(wanted), ...(again ? { again: '1' } : {}), idp: id, remember: 'yes' },
      token: request.page.token(),
    })
  }

  function choosing(question: Question, admitted: readonly IdentityProvider[]): string {
    const { request, wanted, located, again } = question
    const sent = request.form ?? request.query
    // The answer to a POST has no address that could be asked again in the other language.
    const context = contextOf(request, request.method === 'POST' ? 'one-shot' : 'portal')
    const going = located?.resource.title ?? null
    const groups = groupsOf(admitted)
    const group = groups.length === 1 ? groups[0] : groups.find(({ place }) => place === sent.get('who'))
    if (groups.length > 1 && group === undefined) {
      return pages.chooseGroup(context, {
        going,
        groups: groups.map(({ label, description, place }) => ({
          label,
          description,
          href: addressOf(question, { who: place }),
        })),
        email: byEmail(question, admitted),
        help: admitted.map(offered),
        token: request.page.token(),
      })
    }
    const all = group?.idps ?? admitted
    const query = all.length > searchedAbove ? readQuery(sent.get('q')) : ''
    const second = groups.length > 1 && group !== undefined ? group : null
    const kept = { ...asFields(wanted), ...(again ? { again: '1' } : {}), ...(second && { who: second.place }) }
    return pages.chooser(context, {
      going,
      group: second?.label ?? null,
      change: addressOf(question, { choose: '1' }),
      idps: matching(all.map(offered), query, emailDomains),
      chosen: request.form?.get('idp') ?? null,
      question: questionFor(request),
      search:
        all.length > searchedAbove
          ? { action: pathOf(question), fields: { ...kept, choose: '1' }, query, among: all.length }
          : null,
      email: second === null ? byEmail(question, admitted) : null,
      carried: { ...kept, ...(query === '' ? {} : { q: query }) },
      token: request.page.token(),
    })
  }

  /** Where an address can lead anywhere, the page asks for it; what was typed and led nowhere stands there again, and the page says so. */
  function byEmail({ request, wanted, again, hint }: Question, admitted: readonly IdentityProvider[]): ByEmail | null {
    if (!admitted.some(({ id }) => emailDomains.of(id).length > 0)) return null
    const typed = request.form?.get('email') ?? null
    return {
      typed: (typed ?? '').slice(0, 254),
      failed: typed === null || ownerAmong(hint, admitted) !== null ? null : failedBy(hint, typed),
      question: questionFor(request),
      carried: { ...asFields(wanted), ...(again ? { again: '1' } : {}) },
    }
  }

  function ownerAmong(hint: LoginHint | null, admitted: readonly IdentityProvider[]): IdentityProvider | null {
    const owner = hint && emailDomains.ownerOf(hint.domain)
    return admitted.find(({ id }) => id === owner) ?? null
  }

  function questionFor(request: PortalRequest): RememberQuestion | null {
    return chooser.remember === 'ask' ? { remember: remembersOwn(request), sharedIdleMs: parts.sharedIdleMs } : null
  }

  /** What stands chosen when the page opens: as answered before; `no` for whoever never said that the computer is theirs. */
  function remembersOwn({ form, cookies }: PortalRequest): boolean {
    const sent = form?.get('remember') ?? null
    if (sent !== null) return sent === 'yes'
    // A box that was sent unmarked is not in the form.
    return form?.has('email') !== true && providers.has(remembered.read(cookies) ?? '')
  }

  /** Where none of the groups has an idp for this site, there are no groups. */
  function groupsOf(admitted: readonly IdentityProvider[]) {
    return chooser.groups
      .map(({ label, description, idps }, index) => ({
        label,
        description,
        place: String(index),
        idps: idps.flatMap(id => admitted.find(provider => provider.id === id) ?? []),
      }))
      .filter(({ idps }) => idps.length > 0)
  }

  function admittedAt(located: LocatedUrl | null): readonly IdentityProvider[] {
    const all = [...providers.values()]
    const admitted = located?.resource.idps ?? null
    return all.filter(({ id }) => (admitted === null || admitted.includes(id)) && parts.offered.now(id))
  }

  function memoryAmong(request: PortalRequest, admitted: readonly IdentityProvider[]): IdentityProvider | null {
    if (chooser.remember === 'never') return null
    const memory = remembered.read(request.cookies)
    return admitted.find(({ id }) => id === memory) ?? null
  }

  function offered({ id, label, health }: IdentityProvider): OfferedIdp {
    return { id, label, choice: parts.choiceOf(id) ?? label, available: health() !== 'down', help: parts.helpOf(id) }
  }
}

/** The page repeats the domain as it was typed, `université.fr`, not as it is compared. */
function failedBy(hint: LoginHint | null, typed: string): EmailFailure {
  return hint === null
    ? { kind: 'no-address' }
    : { kind: 'unknown', domain: typed.slice(typed.lastIndexOf('@') + 1).trim() }
}

function wantsToChoose({ query }: PortalRequest): boolean {
  return query.get('choose') === '1' || query.has('who')
}

function pathOf({ wanted, again }: Question): '/login' | '/enter' {
  return again ? '/login' : signInAt(wanted)
}

/** This question once more, with an answer to a part of it. */
function addressOf(question: Question, part: Readonly<Record<string, string>>): string {
  const again: Record<string, string> = question.again ? { again: '1' } : {}
  return `${pathOf(question)}?${new URLSearchParams({ ...asFields(question.wanted), ...again, ...part })}`
}
