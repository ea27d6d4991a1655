/** "This account does not open X": what is needed, what the account has, and what the person can do now. */
import type { DenyReason } from '../model/decision.ts'
import type { Claims } from '../model/identity.ts'
import type { Condition } from '../model/resource.ts'
import type { Language, Text } from '../model/text.ts'
import { bridge } from './bridge.ts'
import { claimWords } from './claim-words.ts'
import { clip, type Html, href, html, join } from './escape.ts'
import { frame, heading, type Level, type View } from './frame.ts'
import { moment } from './moment.ts'
import { claimsAsked, heldInWords, type Labels, neededInWords, valuesOf } from './requirement.ts'
import { mailto, type PageContext, type Site } from './site.ts'
import { answerWithin } from './ways-out.ts'

export interface RefusedData {
  readonly resource: Text
  /** What would have sufficed: one list of conditions for each rule. Empty for idp-not-admitted and host-not-opened. */
  readonly needed: readonly (readonly Condition[])[]
  /** Only the claims that a rule asks for are shown. */
  readonly held: Claims
  readonly account: { readonly idp: Text; readonly name: string | null }
  /** As the operator named it: the last line. */
  readonly policy: string
  readonly reason: DenyReason
  /** Signs in again, as somebody else. */
  readonly otherAccount: string
  readonly frontPage: string
}

export function refusedPage(site: Site, labels: Labels, c: PageContext, d: RefusedData): string {
  return frame(site, c, (language, level) => tell(site, labels, c, d, language, level))
}

function tell(site: Site, labels: Labels, c: PageContext, d: RefusedData, language: Language, level: Level): View {
  const words = wordsOf[language]
  const resource = clip(d.resource[language], 80)
  const main = html`${bridge(language, 'gate', resource)}${heading(level, 0, words.doesNotOpen(resource))}
<p class="lead">${words.signedIn} ${why(d, language, resource)}</p>
<div class="card"><dl class="facts pair">
${facts(labels, d, language)}
</dl></div>
${heading(level, 1, words.whatNow)}
<ul class="ways">
${ways(site, c, d, language)}
</ul>
<p class="ref">${words.quote} <b>${c.reference}</b><br>${moment(language, c.at)}, ${words.rule(clip(d.policy, 80))}</p>`
  return { title: words.state(resource), main, quotesReference: true }
}

function why(d: RefusedData, language: Language, resource: string): Html {
  const words = wordsOf[language]
  if (d.reason === 'idp-not-admitted') return words.wrongIdp(resource, clip(d.account.idp[language], 80))
  if (d.reason === 'host-not-opened') return words.otherHosts(resource)
  const conditions = d.needed.flat()
  if (conditions.length > 0 && conditions.every(one => one.kind === 'address')) return words.wrongNetwork(resource)
  const [claim, ...others] = claimsAsked(d.needed)
  const onlyThat = conditions.every(one => one.kind === 'claim' && !one.negated)
  if (claim === undefined || others.length > 0 || !onlyThat) return words.somethingElse(resource)
  const { yours, sentNone } = claimWords(language, claim)
  return valuesOf(d.held, claim).length === 0
    ? words.nothingSent(resource, sentNone)
    : words.wrongValue(resource, yours)
}

function facts(labels: Labels, d: RefusedData, language: Language): Html {
  const words = wordsOf[language]
  const idp = clip(d.account.idp[language], 80)
  const needed = neededOf(labels, d, language)
  const held = heldInWords(language, claimsAsked(d.needed), d.held, labels.values)
  const name = d.account.name === null ? null : html`, <bdi>${clip(d.account.name, 80)}</bdi>`
  const rows = [
    needed.length === 0
      ? null
      : html`<dt>${words.needed}</dt>${needed.map((one, index) => html`<dd>${index === 0 ? null : words.orElse}${one}</dd>`)}`,
    held.length === 0 ? null : html`<dt>${words.held}</dt>${held.map(one => html`<dd>${one}</dd>`)}`,
    html`<dt>${words.account}</dt><dd>${idp}${name}</dd>`,
  ]
  return join(
    rows.filter(row => row !== null),
    html`
`,
  )
}

function neededOf(labels: Labels, d: RefusedData, language: Language): readonly Html[] {
  const words = wordsOf[language]
  switch (d.reason) {
    case 'idp-not-admitted':
      return [words.anotherIdp(clip(d.account.idp[language], 80))]
    case 'host-not-opened':
      return [words.anotherCode]
    case 'no-rule-matched':
      return neededInWords(language, d.needed, labels)
  }
}

function ways(site: Site, c: PageContext, d: RefusedData, language: Language): readonly Html[] {
  const words = wordsOf[language]
  const within = answerWithin(site, language)
  return [
    way(d.otherAccount, words.otherAccount, html`${words.otherAccountHelp}`),
    ...(site.contact === null
      ? []
      : [
          way(
            mailto(site.contact.address, words.subject(d.resource[language], c.reference)),
            words.write(site.contact.address),
            html`${words.writeHelp}${within && html`${words.colon}${within}`}`,
          ),
        ]),
    way(d.frontPage, words.front, html`${words.frontHelp}`),
  ]
}

function way(to: string, name: string, help: Html): Html {
  return html`<li><a href="${href(to)}"><span><b>${name}</b><small>${help}</small></span></a></li>
`
}

const wordsOf = {
  fr: {
    state: (resource: string) => html`Accès refusé&nbsp;: ${resource}`,
    doesNotOpen: (resource: string) => html`Ce compte n’ouvre pas ${resource}`,
    signedIn: 'Votre connexion a réussi.',
    wrongIdp: (resource: string, idp: string) =>
      html`Mais ${resource} ne s’ouvre pas par le service «&nbsp;${idp}&nbsp;».`,
    otherHosts: (resource: string) =>
      html`Mais votre code d’accès n’ouvre que certains sites, et ${resource} n’en fait pas partie.`,
    wrongNetwork: (resource: string) => html`Mais ${resource} ne s’ouvre que depuis certains réseaux.`,
    nothingSent: (resource: string, sentNone: Html) => html`Mais ${sentNone}, et ${resource} en dépend.`,
    wrongValue: (resource: string, yours: Html) => html`Mais ${yours} ne donne pas accès à ${resource}.`,
    somethingElse: (resource: string) =>
      html`Mais ce qui est rattaché à votre compte ne remplit pas les conditions d’accès à ${resource}.`,
    needed: 'Il faut',
    anotherIdp: (idp: string) => html`une connexion par un autre service que «&nbsp;${idp}&nbsp;»`,
    anotherCode: html`un code d’accès qui vaut aussi pour ce site, ou un autre compte`,
    orElse: 'ou bien ',
    held: 'Vous avez',
    account: 'Compte',
    whatNow: html`Ce que vous pouvez faire`,
    otherAccount: 'Changer de compte',
    otherAccountHelp: 'Si vous avez un autre compte, dans une autre unité par exemple',
    write: (address: string) => `Écrire à ${address}`,
    writeHelp: 'Si ce qui est rattaché à votre compte est faux ou a changé',
    colon: html`&nbsp;: `,
    front: 'Voir ce qui m’est ouvert',
    frontHelp: 'Tous les sites, et ceux que ce compte ouvre',
    quote: html`Référence à citer&nbsp;:`,
    rule: (policy: string) => html`règle «&nbsp;${policy}&nbsp;»`,
    subject: (resource: string, reference: string) => `${resource} – référence ${reference}`,
  },
  en: {
    state: (resource: string) => html`Access refused: ${resource}`,
    doesNotOpen: (resource: string) => html`This account does not open ${resource}`,
    signedIn: 'You signed in correctly.',
    wrongIdp: (resource: string, idp: string) => html`But ${resource} does not open through the service “${idp}”.`,
    otherHosts: (resource: string) =>
      html`But your access code is for certain sites only, and ${resource} is not one of them.`,
    wrongNetwork: (resource: string) => html`But ${resource} opens only from certain networks.`,
    nothingSent: (resource: string, sentNone: Html) => html`But ${sentNone}, and ${resource} depends on it.`,
    wrongValue: (resource: string, yours: Html) => html`But ${yours} does not give access to ${resource}.`,
    somethingElse: (resource: string) =>
      html`But what is attached to your account does not meet the conditions of access to ${resource}.`,
    needed: 'What is needed',
    anotherIdp: (idp: string) => html`a sign-in through another service than “${idp}”`,
    anotherCode: html`an access code that is good for this site too, or another account`,
    orElse: 'or else ',
    held: 'What you have',
    account: 'Your account',
    whatNow: html`What you can do`,
    otherAccount: 'Use another account',
    otherAccountHelp: 'If you have one, in another unit for example',
    write: (address: string) => `Write to ${address}`,
    writeHelp: 'If what is attached to your account is wrong or has changed',
    colon: html`: `,
    front: 'See what is open to me',
    frontHelp: 'All sites, and those that this account opens',
    quote: html`Reference to quote:`,
    rule: (policy: string) => html`rule “${policy}”`,
    subject: (resource: string, reference: string) => `${resource} – reference ${reference}`,
  },
} as const
