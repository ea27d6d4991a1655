/** Every page with every field hostile: markup where a name belongs, scripts and foreign hosts where an address belongs. */
import { languages, textOf } from '../../src/model/text.ts'
import { createPages, type Site } from '../../src/pages/pages.ts'
import { at, codes, context, failure, places, type Sample } from './samples.ts'

export const evil = `"'><svg onload=alert(1)></title></main><script>alert(1)</script>&amp;\u202e\u0000\ud800`

const evilText = textOf(evil)

export const evilAddresses = [
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'java\tscript:alert(1)',
  ' javascript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:x',
  '//evil.example/',
  '/\\evil.example/',
  '\\\\evil.example/',
  '" onclick="alert(1)',
]

const listed = {
  handle: evil,
  browser: evil,
  system: evil,
  network: evil,
  account: evilText,
  shared: true,
  openedAt: at,
  usedAt: at,
  until: at,
}

const evilSite = (address: string): Site => ({
  name: evilText,
  portal: 'https://acces.example.org',
  contact: { address: evil, within: evilText },
  home: { label: evilText, url: address },
  help: address,
  personalData: address,
  accessibility: address,
})

export function hostilePages(address: string): readonly Sample[] {
  const of = evilSite(address)
  const pages = createPages(of, { idps: { [evil]: evilText }, values: { [evil]: { [evil]: evilText } } })
  return languages.flatMap(language =>
    places.flatMap(place => {
      const c = context(language, place, {
        person: evil,
        here: `${address}?a="><svg onload=alert(1)>`,
        reference: evil,
      })
      const sample = (name: string, html: string): Sample => ({ name, language, place, html })
      const link = { kind: 'link', href: address, does: 'continue', name: evilText } as const
      const post = { kind: 'post', action: address, token: evil, does: 'continue', fields: { [evil]: evil } } as const
      const of = { subject: evilText, going: evilText, host: evil, button: link, other: post }
      const condition = (kind: 'idp' | 'method' | 'address') => ({ kind, anyOf: [evil], negated: false })
      const claim = { kind: 'claim', claim: evil, anyOf: [evil, `${evil}*`], negated: true } as const
      const idp = {
        id: evil,
        label: evilText,
        choice: evilText,
        available: false,
        help: { label: evilText, url: address },
      }
      const email = {
        typed: evil,
        failed: { kind: 'unknown', domain: evil },
        question: { remember: true, sharedIdleMs: 1 },
        carried: { [evil]: evil },
      } as const
      const choosing = {
        going: evilText,
        group: evilText,
        change: address,
        idps: [idp],
        chosen: evil,
        search: { action: address, fields: { [evil]: evil }, query: evil, among: 16 },
        email,
        carried: { [evil]: evil },
        token: evil,
      }
      const listedSite = { title: evilText, href: address }
      return [
        ...codes.map(code => sample(`failure-${code}`, pages.failure(c, failure(code, of)))),
        sample(
          'front',
          pages.front(c, {
            kind: 'stranger',
            sites: [{ title: evilText, href: address }],
            accounts: [idp],
            signInHref: address,
            lastTime: { idp: evilText, change: address },
          }),
        ),
        sample(
          'front-in',
          pages.front(c, {
            kind: 'person',
            groups: { claim: evil, of: [evil, evil].map(value => ({ value, sites: [listedSite] })), unlisted: 3 },
            choices: {
              of: [{ claim: evil, among: evil, values: [{ value: evil, handle: evil, chosen: true }], first: true }],
              token: evil,
              memory: { kind: 'asked', kept: true },
            },
            open: [listedSite],
            closed: [listedSite],
            account: evilText,
            lastTime: { idp: evilText, change: address, token: evil },
          }),
        ),
        sample(
          'front-in-without',
          pages.front(c, {
            kind: 'person',
            groups: { claim: evil, of: [], unlisted: 0 },
            choices: null,
            open: [],
            closed: [listedSite],
            account: evilText,
            lastTime: { idp: evilText, change: address, token: evil },
          }),
        ),
        sample('chooser', pages.chooser(c, { ...choosing, question: null })),
        sample('chooser-asking', pages.chooser(c, { ...choosing, question: { remember: true, sharedIdleMs: 1 } })),
        sample('chooser-nothing', pages.chooser(c, { ...choosing, idps: [], question: null })),
        sample(
          'choose-group',
          pages.chooseGroup(c, {
            going: evilText,
            groups: [{ label: evilText, description: evilText, href: address }],
            email,
            help: [idp],
            token: evil,
          }),
        ),
        sample(
          'as-last-time',
          pages.asLastTime(c, {
            going: evilText,
            idp: evilText,
            change: address,
            carried: { [evil]: evil },
            token: evil,
          }),
        ),
        sample('my-sessions', pages.mySessions(c, { here: listed, others: [listed], token: evil })),
        sample(
          'choose-session',
          pages.chooseSession(c, {
            others: [listed],
            going: evilText,
            carried: { [evil]: evil },
            again: address,
            until: at,
            token: evil,
          }),
        ),
        sample('ask', pages.askLogout(c, { visited: [evilText], idp: evilText, token: evil, cancel: address })),
        sample(
          'ask-site',
          pages.askSite(c, {
            resource: evilText,
            token: evil,
            action: address,
            fields: { [evil]: evil },
            cancel: address,
          }),
        ),
        sample(
          'site-left',
          pages.siteLeft(c, {
            resource: evilText,
            leave: address,
            token: evil,
            action: address,
            fields: { [evil]: evil },
          }),
        ),
        sample(
          'closing',
          pages.closing(c, {
            idp: evilText,
            next: address,
            leave: [address],
            remembered: [evilText],
            silent: [evilText],
            shared: true,
          }),
        ),
        sample(
          'closed',
          pages.closed(c, {
            known: true,
            idp: { label: evilText, outcome: 'unknown' },
            closedSites: [evilText],
            leave: [address],
            remembered: [evilText],
            silent: [evilText],
            shared: true,
            again: address,
          }),
        ),
        sample(
          'refused',
          pages.refused(c, {
            resource: evilText,
            needed: [[condition('idp'), condition('method'), condition('address'), claim]],
            held: { [evil]: [evil] },
            account: { idp: evilText, name: evil },
            policy: evil,
            reason: 'no-rule-matched',
            otherAccount: address,
            frontPage: address,
          }),
        ),
        sample('not-sent', pages.notSent(c, { resource: evilText, openAgain: address })),
        sample('framed', pages.framed(c, { resource: evilText, open: address })),
      ]
    }),
  )
}
