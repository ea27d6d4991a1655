/** Every page of ours, in every language, at every place it may stand: for the unit tests and for the browser. */
import { type ErrorCode, failures } from '../../src/errors.ts'
import { type Language, languages, type Text, textOf } from '../../src/model/text.ts'
import type { PersonsFront } from '../../src/pages/front.ts'
import {
  createPages,
  type FailureData,
  type Labels,
  type ListedSession,
  type PageContext,
  type Site,
} from '../../src/pages/pages.ts'

export const codes = Object.keys(failures) as readonly ErrorCode[]

export const places = ['portal', 'one-shot', 'site'] as const

export const site: Site = {
  name: { fr: 'Bibliothèque Exemple', en: 'Example Library' },
  portal: 'https://acces.example.org',
  contact: { address: 'acces@example.org', within: { fr: 'deux jours ouvrés', en: 'two working days' } },
  home: { label: { fr: 'Site de la bibliothèque', en: 'Library website' }, url: 'https://www.example.org/' },
  help: 'https://www.example.org/aide',
  personalData: 'https://www.example.org/donnees',
  accessibility: 'https://www.example.org/accessibilite',
}

/** Nothing is configured: what a first start shows. */
export const plainSite: Site = {
  name: textOf('Passerelle'),
  portal: 'http://acces.localhost:8080',
  contact: null,
  home: null,
  help: null,
  personalData: null,
  accessibility: null,
}

export const janus: Text = { fr: 'Compte Janus', en: 'Janus account' }
export const courses: Text = { fr: 'Cours en ligne', en: 'Online courses' }
export const nature = textOf('Nature')
export const jstor = textOf('JSTOR')

export const at = new Date('2026-11-20T08:12:00Z')

export function context(language: Language, place: PageContext['place'], more: Partial<PageContext> = {}): PageContext {
  return {
    language,
    place,
    here: place === 'portal' ? '/login?to=https%3A%2F%2Fcours.example.org%2F' : null,
    reference: '7K2M4Q',
    at,
    person: null,
    ...more,
  }
}

export function failure(code: ErrorCode, more: Partial<FailureData> = {}): FailureData {
  const ofIdp = code.startsWith('idp.')
  return {
    code,
    subject: ofIdp ? janus : courses,
    going: code.startsWith('login.') || ofIdp ? courses : null,
    host: 'www.revue-inconnue.example',
    sent: code.startsWith('origin.'),
    button: { kind: 'link', href: '/again', does: 'retry', name: null },
    other: null,
    retryAfterS: code.startsWith('session.store-') ? 5 : null,
    ...more,
  }
}

export const labels: Labels = {
  idps: { janus, renater: textOf('Fédération Renater') },
  values: {
    domain: {
      INSB: { fr: 'sciences biologiques', en: 'biological sciences' },
      INEE: { fr: 'écologie et environnement', en: 'ecology and environment' },
    },
  },
}

export const strangers = { kind: 'stranger', sites: [], accounts: [], signInHref: '/login', lastTime: null } as const
export const persons = {
  kind: 'person',
  groups: null,
  choices: null,
  open: [],
  closed: [],
  account: janus,
  lastTime: null,
} as const

/** Chosen as `favourite` among the values of `domain`, which has the labels. */
export const favouriteDomain: NonNullable<PersonsFront['choices']> = {
  of: [
    {
      claim: 'favourite',
      among: 'domain',
      values: [
        { value: 'INSB', handle: 'h-insb', chosen: true },
        { value: 'INEE', handle: 'h-inee', chosen: false },
      ],
      first: true,
    },
  ],
  token: 'T0K3N',
  memory: { kind: 'kept' },
}

const onward = { idp: janus, next: 'https://janus.example.org/end' }
export const nothingLeft = { leave: [], remembered: [], silent: [], shared: false } as const

const accessCode = {
  label: { fr: 'Ancien code d’accès portail', en: 'Portal access code' },
  going: courses,
  action: '/callback/codes/state',
  token: 'T0K3N',
  otherWay: '/login',
}

export interface Sample {
  readonly name: string
  readonly language: Language
  readonly place: PageContext['place']
  readonly html: string
}

/** As the flows use them: a page with a form never stands on a resource's host. */
export function everyPage(of: Site = site): readonly Sample[] {
  return languages.flatMap(language => [
    ...places.flatMap(place => anywhere(of, language, place)),
    ...(['portal', 'one-shot'] as const).flatMap(place => onPortal(of, language, place)),
  ])
}

function anywhere(of: Site, language: Language, place: PageContext['place']): readonly Sample[] {
  const pages = createPages(of, labels)
  const c = context(language, place)
  const known = { ...c, person: 'Anne Lefèvre' }
  const sample = (name: string, html: string): Sample => ({ name, language, place, html })
  return [
    ...codes.map(code => sample(`failure-${code}`, pages.failure(c, failure(code)))),
    sample('failure-known', pages.failure(known, failure('origin.unreachable'))),
    sample('refused', pages.refused(known, refusal)),
    sample('refused-idp', pages.refused(known, { ...refusal, reason: 'idp-not-admitted', needed: [], held: {} })),
    sample('refused-host', pages.refused(known, { ...refusal, reason: 'host-not-opened', needed: [], held: {} })),
    sample('not-sent', pages.notSent(c, { resource: courses, openAgain: '/forum' })),
    sample('framed', pages.framed(c, { resource: courses, open: 'https://cours.example.org/forum' })),
  ]
}

function onPortal(of: Site, language: Language, place: 'portal' | 'one-shot'): readonly Sample[] {
  const pages = createPages(of, labels)
  const c = context(language, place)
  const known = { ...c, person: 'Anne Lefèvre' }
  const sample = (name: string, html: string): Sample => ({ name, language, place, html })
  const two = { kind: 'post', action: '/logout', token: 'T0K3N', does: 'close-both' } as const
  return [
    sample(
      'front',
      pages.front(c, { ...strangers, sites, accounts: idps, lastTime: { idp: janus, change: '/login?choose=1' } }),
    ),
    sample('front-signed-in', pages.front(known, { ...persons, open: sites, closed: [atNature] })),
    sample(
      'front-remembered',
      pages.front(known, {
        ...persons,
        open: sites,
        lastTime: { idp: janus, change: '/login?again=1&choose=1', token: 't' },
      }),
    ),
    sample('front-empty', pages.front(known, persons)),
    sample('front-domains', pages.front(known, { ...persons, groups: domains, open: [atJstor], closed: [atNature] })),
    sample(
      'front-choice',
      pages.front(known, {
        ...persons,
        groups: domains,
        choices: favouriteDomain,
        open: [atJstor],
        closed: [atNature],
      }),
    ),
    sample(
      'front-choice-asked',
      pages.front(known, { ...persons, choices: { ...favouriteDomain, memory: { kind: 'asked', kept: false } } }),
    ),
    sample(
      'front-one-domain',
      pages.front(known, { ...persons, groups: { ...domains, of: domains.of.slice(0, 1) }, open: [] }),
    ),
    sample(
      'front-no-domain',
      pages.front(known, { ...persons, groups: { ...domains, of: [] }, open: [atJstor], closed: [atNature] }),
    ),
    sample('chooser', pages.chooser(c, { ...choosing, question: null, group: null })),
    sample('chooser-asking', pages.chooser(c, choosing)),
    sample(
      'chooser-search',
      pages.chooser(c, { ...choosing, search: { action: '/enter', fields: { who: '1' }, query: 'lorr', among: 412 } }),
    ),
    sample(
      'chooser-nothing',
      pages.chooser(c, {
        ...choosing,
        idps: [],
        search: { action: '/enter', fields: { who: '1' }, query: 'lorr', among: 412 },
      }),
    ),
    sample(
      'choose-group',
      pages.chooseGroup(c, {
        going: courses,
        groups,
        email: null,
        help: idps,
        token: 't',
      }),
    ),
    sample(
      'choose-group-email',
      pages.chooseGroup(c, { going: courses, groups, email: asksForEmail, help: idps, token: 't' }),
    ),
    sample(
      'choose-group-unknown',
      pages.chooseGroup(c, {
        going: courses,
        groups,
        email: {
          ...asksForEmail,
          typed: 'anne.lefevre@exemple.fr',
          failed: { kind: 'unknown', domain: 'exemple.fr' },
        },
        help: [],
        token: 't',
      }),
    ),
    sample(
      'chooser-email',
      pages.chooser(c, { ...choosing, group: null, question: null, email: { ...asksForEmail, question: null } }),
    ),
    sample(
      'chooser-no-address',
      pages.chooser(c, {
        ...choosing,
        group: null,
        email: { ...asksForEmail, typed: 'anne.lefevre', failed: { kind: 'no-address' } },
      }),
    ),
    sample(
      'as-last-time',
      pages.asLastTime(c, {
        going: courses,
        idp: janus,
        change: '/enter?choose=1',
        carried: { idp: 'janus' },
        token: 't',
      }),
    ),
    sample(
      'ask-logout',
      pages.askLogout(known, { visited: [nature, jstor, courses], idp: janus, token: 't', cancel: '/' }),
    ),
    sample('access-code', pages.accessCode(c, { ...accessCode, failed: null })),
    sample(
      'access-code-wrong',
      pages.accessCode(c, { ...accessCode, failed: { code: 'code.wrong', retryAfterS: null } }),
    ),
    sample(
      'access-code-locked',
      pages.accessCode(c, { ...accessCode, failed: { code: 'code.locked', retryAfterS: 180 } }),
    ),
    sample('ask-logout-plain', pages.askLogout(known, { visited: [], idp: null, token: 't', cancel: '/' })),
    sample(
      'ask-site',
      pages.askSite(known, {
        resource: courses,
        token: 't',
        action: '/logout/courses',
        fields: { at: '/logout.php' },
        cancel: '/',
      }),
    ),
    sample(
      'site-left',
      pages.siteLeft(known, {
        resource: courses,
        leave: null,
        token: 't',
        action: '/open',
        fields: { to: 'https://cours.example.org/' },
      }),
    ),
    sample('closing', pages.closing(c, { ...onward, ...nothingLeft })),
    sample('closing-shared', pages.closing(c, { ...onward, ...nothingLeft, shared: true, silent: [courses] })),
    ...(['closed', 'not-closed', 'unknown'] as const).map(outcome =>
      sample(
        `closed-idp-${outcome}`,
        pages.closed(c, {
          known: true,
          idp: { label: janus, outcome },
          closedSites: [nature, jstor],
          ...nothingLeft,
          again: '/login',
        }),
      ),
    ),
    sample(
      'closed-unknown',
      pages.closed(c, { known: false, idp: null, closedSites: [], ...nothingLeft, again: '/login' }),
    ),
    sample(
      'closed-shared',
      pages.closed(c, { known: true, idp: null, closedSites: [nature], ...nothingLeft, shared: true, again: '/login' }),
    ),
    sample(
      'closed-silent',
      pages.closed(c, {
        known: true,
        idp: { label: janus, outcome: 'closed' },
        closedSites: [nature, jstor],
        ...nothingLeft,
        silent: [courses],
        remembered: [nature],
        again: '/login',
      }),
    ),
    sample('my-sessions', pages.mySessions(known, { here, others: [elsewhere, unknown], token: 't' })),
    sample('my-sessions-only-here', pages.mySessions(known, { here, others: [], token: 't' })),
    sample(
      'choose-session',
      pages.chooseSession(c, {
        others: [elsewhere, unknown],
        going: courses,
        carried: { to: 'https://cours.example.org/', a: '1', asked: '1' },
        again: '/enter?to=https%3A%2F%2Fcours.example.org%2F&a=1',
        until: new Date('2026-11-20T08:22:00Z'),
        token: 't',
      }),
    ),
    sample('two-sessions', pages.failure(c, failure('session.ambiguous', { button: two }))),
    sample('front-offered', pages.failure(c, failure('portal.not-found', { button: null }))),
  ]
}

export const refusal = {
  resource: nature,
  needed: [
    [
      { kind: 'claim', claim: 'domain', anyOf: ['INSB', 'INEE'], negated: false },
      { kind: 'claim', claim: 'profile', anyOf: ['invite'], negated: true },
    ],
    [{ kind: 'claim', claim: 'email', anyOf: ['*@partner.example.org'], negated: false }],
    [{ kind: 'address', anyOf: ['192.0.2.0/24'], negated: false }],
  ],
  held: { domain: ['INSHS'], email: ['anne.lefevre@example.org'] },
  account: { idp: janus, name: 'anne.lefevre@example.org' },
  policy: 'life-sciences',
  reason: 'no-rule-matched',
  otherAccount: 'https://acces.example.org/login?again=1',
  frontPage: 'https://acces.example.org/',
} as const

const here: ListedSession = {
  handle: 'h1',
  browser: 'Firefox',
  system: 'Linux',
  network: '192.0.2.0/24',
  account: janus,
  shared: false,
  openedAt: new Date('2026-11-20T08:02:00Z'),
  usedAt: at,
  until: new Date('2026-11-20T18:02:00Z'),
}
const elsewhere: ListedSession = {
  ...here,
  handle: 'h2',
  browser: 'Safari',
  system: 'iPhone',
  network: '2001:db8:7::/48',
  openedAt: new Date('2026-11-20T06:50:00Z'),
  usedAt: new Date('2026-11-20T07:47:00Z'),
}
const unknown: ListedSession = { ...here, handle: 'h3', browser: null, system: null, shared: true, usedAt: null }

const atCourses = { title: courses, href: 'https://cours.example.org/' }
const atIntranet = { title: textOf('Intranet'), href: 'https://apps.example.org/intranet/' }
const atJstor = { title: jstor, href: 'https://jstor.example.org/' }
const atNature = { title: nature, href: 'https://nature.example.org/' }
const sites = [atCourses, atIntranet, atJstor]

const domains = {
  claim: 'domain',
  of: [
    { value: 'INSB', sites: [atCourses, atIntranet] },
    { value: 'INEE', sites: [atIntranet] },
    { value: 'IN2P3', sites: [] },
  ],
  unlisted: 0,
}

const groups = [
  { label: { fr: 'Élève ou parent', en: 'Pupil or parent' }, description: null, href: '/enter?who=0' },
  { label: { fr: 'Enseignant', en: 'Teacher' }, description: null, href: '/enter?who=1' },
  {
    label: { fr: 'Personnel non enseignant', en: 'Non-teaching staff' },
    description: {
      fr: 'Direction, vie scolaire, administration, agents',
      en: 'Management, school life, administration',
    },
    href: '/enter?who=2',
  },
]

const idps = [
  {
    id: 'janus',
    label: janus,
    choice: { fr: 'Avec votre compte Janus', en: 'With your Janus account' },
    available: false,
    help: {
      label: { fr: 'Demander un compte Janus', en: 'Ask for a Janus account' },
      url: 'https://sesame.example.org/',
    },
  },
  {
    id: 'renater',
    label: textOf('Fédération Renater'),
    choice: textOf('Fédération Renater'),
    available: true,
    help: null,
  },
  {
    id: 'pial',
    label: textOf('Académie de Nancy-Metz (PIAL)'),
    choice: textOf('Académie de Nancy-Metz (PIAL)'),
    available: true,
    help: null,
  },
]

const choosing = {
  going: courses,
  group: { fr: 'Enseignant', en: 'Teacher' },
  change: '/enter?choose=1',
  idps,
  chosen: null,
  question: { remember: false, sharedIdleMs: 600_000 },
  search: null,
  email: null,
  carried: { to: 'https://cours.example.org/' },
  token: 't',
}

const asksForEmail = {
  typed: '',
  failed: null,
  question: { remember: false, sharedIdleMs: 600_000 },
  carried: { to: 'https://cours.example.org/' },
} as const
