/** Our front page: the sites, and, for somebody who is signed in, which of them this account opens, and by what. */
import type { Language, Text } from '../model/text.ts'
import { help, type OfferedIdp } from './chooser.ts'
import { claimWords } from './claim-words.ts'
import { star, triangle } from './drawings.ts'
import { clip, type Html, href, html } from './escape.ts'
import { frame, heading, type Level, type View } from './frame.ts'
import { type MyChoices, myChoices } from './my-choices.ts'
import { mySpace } from './my-space.ts'
import { mailto, type PageContext, type Site } from './site.ts'
import { labelOf, type ValueLabels, valueInWords } from './value-words.ts'
import { answerWithin, form, homeLink } from './ways-out.ts'

export type FrontData = StrangersFront | PersonsFront

export interface StrangersFront {
  readonly kind: 'stranger'
  readonly sites: readonly ListedSite[]
  /** Where one gets an account, as far as those who give them say so. */
  readonly accounts: readonly Pick<OfferedIdp, 'label' | 'help'>[]
  readonly signInHref: string
  /** The account that this browser remembers; null: it would ask. */
  readonly lastTime: { readonly idp: Text; readonly change: string } | null
}

export interface PersonsFront {
  readonly kind: 'person'
  /** Null: sites are not listed by what opens them. */
  readonly groups: {
    readonly claim: string
    /** The favourite first. */
    readonly of: readonly { readonly value: string; readonly sites: readonly ListedSite[] }[]
    readonly unlisted: number
  } | null
  /** Null: there is nothing to choose. */
  readonly choices: MyChoices | null
  /** In no group. */
  readonly open: readonly ListedSite[]
  /** This person's claims do not admit them. */
  readonly closed: readonly ListedSite[]
  /** By which they signed in. */
  readonly account: Text
  /** The account to which this browser leads without a question; null: it asks. */
  readonly lastTime: { readonly idp: Text; readonly change: string; readonly token: string } | null
}

export interface ListedSite {
  readonly title: Text
  readonly href: string
}

export function frontPage(site: Site, labels: ValueLabels, c: PageContext, d: FrontData): string {
  return frame(site, c, (language, level) =>
    d.kind === 'stranger' ? welcome(site, d, language, level) : mine(site, labels, c, d, language, level),
  )
}

function welcome(site: Site, d: StrangersFront, language: Language, level: Level): View {
  const words = wordsOf[language]
  const main = html`${heading(level, 0, words.welcome(clip(site.name[language], 80)))}
<p class="lead">${words.lead}</p>
<p class="act"><a class="btn" href="${href(d.signInHref)}">${words.signIn}</a>${homeLink(site, language)}</p>
${lastTime(d, language)}${d.sites.length === 0 ? null : heading(level, 1, words.sites)}
${list(d.sites, language)}
${help(d.accounts, language, level)}`
  return { title: words.front, main, quotesReference: false }
}

function mine(
  site: Site,
  labels: ValueLabels,
  c: PageContext,
  d: PersonsFront,
  language: Language,
  level: Level,
): View {
  const words = wordsOf[language]
  const home = homeLink(site, language)
  const hello = c.person ? words.hello(clip(c.person, 60)) : words.mine
  const nothing = d.open.length === 0 && (d.groups === null || d.groups.of.every(({ sites }) => sites.length === 0))
  const none = d.groups !== null && d.groups.of.length === 0 && d.groups.claim
  const main = html`${mySpace(language, '/')}
${heading(level, 0, hello)}
${none ? withoutValue(site, c, none, language) : null}${nothing ? html`<p class="lead">${words.nothing}</p>` : null}${d.groups && byValue(labels, d.groups, language, level)}
${d.open.length === 0 ? null : heading(level, 1, grouped(d) ? words.others : words.open)}
${list(d.open, language)}
${d.closed.length === 0 ? null : html`${heading(level, 1, words.closed)}<p class="soft">${words.closedHelp}</p>`}
${list(d.closed, language)}
${d.choices && myChoices(labels, d.choices, language, level)}${known(site, labels, c, d, language, level)}${home && html`<p class="act">${home}</p>`}`
  return { title: words.mine, main, quotesReference: false }
}

function grouped({ groups }: PersonsFront): boolean {
  return groups !== null && groups.of.length > 0
}

/** The favourite first; it is one only where there are others. */
function byValue(
  labels: ValueLabels,
  { claim, of, unlisted }: NonNullable<PersonsFront['groups']>,
  language: Language,
  level: Level,
): Html | null {
  if (of.length === 0) return null
  const words = wordsOf[language]
  const parts = of.map(({ value, sites }, index) => {
    const label = labelOf(labels, language, claim, value)
    const favourite = index === 0 && of.length > 1
    const title = html`${favourite ? star : null}<bdi>${clip(value, 60)}</bdi>${label && html`, ${clip(label, 80)}`}${favourite ? html` <span class="tag">${words.favourite}</span>` : null}`
    return html`${heading(level, 2, title)}
${sites.length === 0 ? html`<p class="soft">${words.noneOfIts}</p>` : list(sites, language)}
`
  })
  const more = unlisted === 0 ? null : html`<p class="soft">${words.unlisted(unlisted)}</p>`
  return html`${heading(level, 1, words.opened)}
${parts}${more}`
}

/** What somebody can do whose account says nothing of it, before they meet closed doors. */
function withoutValue(site: Site, c: PageContext, claim: string, language: Language): Html {
  const words = wordsOf[language]
  return html`<div class="notice warn">${triangle}<div><p><b>${words.sentNone(claimWords(language, claim).sentNone)}</b></p>
<p>${words.dependsOnIt} ${whom(site, c, language)}</p></div></div>
`
}

function whom(site: Site, c: PageContext, language: Language): Html {
  const words = wordsOf[language]
  const reference = html`<b class="mono">${c.reference}</b>`
  if (site.contact === null) return words.ask(reference)
  const within = answerWithin(site, language)
  const address = html`<a href="${mailto(site.contact.address, words.subject(c.reference))}">${site.contact.address}</a>`
  return words.write(html`${address}${within && html` (${within})`}`, reference)
}

/** So that people can see what we were told of them, and say when it is wrong. */
function known(
  site: Site,
  labels: ValueLabels,
  c: PageContext,
  d: PersonsFront,
  language: Language,
  level: Level,
): Html {
  const words = wordsOf[language]
  const name = c.person ? html`<dt>${words.name}</dt><dd><bdi>${clip(c.person, 120)}</bdi></dd>` : null
  const { contact } = site
  const wrong =
    contact === null
      ? null
      : html`
<p>${words.wrong} <a href="${mailto(contact.address, words.subject(c.reference))}">${words.writeTo(contact.address)}</a></p>`
  return html`<section class="card">${heading(level, 1, words.known)}
<dl class="facts pair">${name}<dt>${words.account}</dt><dd>${clip(d.account[language], 80)}</dd>${valuesOf(labels, d, language)}</dl>${wrong}${remembered(d, language)}</section>
`
}

function valuesOf(labels: ValueLabels, { groups }: PersonsFront, language: Language): Html | null {
  if (groups === null || groups.of.length === 0) return null
  const { claim, of, unlisted } = groups
  const values = of.map(({ value }) => html`<dd>${valueInWords(labels, language, claim, value)}</dd>`)
  const more = unlisted === 0 ? null : html`<dd>${wordsOf[language].andMore(unlisted)}</dd>`
  return html`<dt>${claimWords(language, claim).heading(of.length + unlisted)}</dt>${values}${more}`
}

/** Nobody is led on by a memory without a place where it can be seen, and changed. */
function lastTime({ lastTime }: StrangersFront, language: Language): Html | null {
  if (lastTime === null) return null
  const words = wordsOf[language]
  return html`<p class="soft">${words.lastTime(clip(lastTime.idp[language], 80))} <a href="${href(lastTime.change)}">${words.change}</a></p>
`
}

/** The same for somebody who is signed in, who may also have it forgotten. */
function remembered({ lastTime }: PersonsFront, language: Language): Html | null {
  if (lastTime === null) return null
  const words = wordsOf[language]
  const ways = html`<p>${words.remembered(clip(lastTime.idp[language], 80))}</p>
<p class="act"><button class="btn plain small" name="forget" value="1">${words.forget}</button><a href="${href(lastTime.change)}">${words.change}</a></p>`
  return form('/login', lastTime.token, { stay: '1' }, ways)
}

function list(sites: readonly ListedSite[], language: Language): Html | null {
  if (sites.length === 0) return null
  const rows = sites.map(
    one => html`<li><a href="${href(one.href)}"><b>${clip(one.title[language], 120)}</b></a></li>
`,
  )
  return html`<ul class="ways">
${rows}</ul>`
}

const wordsOf = {
  fr: {
    front: html`Accueil`,
    welcome: (name: string) => html`Bienvenue – ${name}`,
    lead: html`Une seule connexion ouvre tous les sites auxquels votre compte donne droit, et une seule déconnexion les referme.`,
    signIn: 'Se connecter',
    lastTime: (idp: string) => html`Comme la dernière fois&nbsp;: <b>${idp}</b>.`,
    change: 'Choisir un autre compte',
    remembered: (idp: string) =>
      html`Ce navigateur a mémorisé votre choix, <b>${idp}</b>, et vous y mène sans question.`,
    forget: 'Oublier ce choix',
    sites: html`Les sites`,
    mine: html`Mes ressources`,
    hello: (person: string) => html`Bonjour <bdi>${person}</bdi>`,
    open: html`Ouverts à votre compte`,
    opened: html`Ce que votre compte ouvre`,
    favourite: 'Favori',
    noneOfIts: 'Aucun site n’en dépend ici.',
    unlisted: (count: number) => (count === 1 ? html`Et une autre valeur.` : html`Et ${count}&nbsp;autres valeurs.`),
    andMore: (count: number) => (count === 1 ? html`et une autre` : html`et ${count}&nbsp;autres`),
    others: html`Autres sites ouverts à votre compte`,
    nothing: html`Aucun site n’est ouvert à votre compte pour le moment.`,
    closed: html`Fermés à ce compte`,
    closedHelp: html`Chacun vous dira ce qu’il demande, et à qui vous adresser.`,
    sentNone: (sentNone: Html) => html`Votre connexion a réussi, mais ${sentNone}.`,
    dependsOnIt: 'Les sites qui en dépendent restent fermés.',
    write: (whom: Html, reference: Html) =>
      html`Pour y remédier, écrivez à ${whom} en citant la référence ${reference}.`,
    ask: (reference: Html) =>
      html`Pour y remédier, demandez de l’aide à votre établissement, en citant la référence ${reference}.`,
    known: html`Ce que nous savons de vous`,
    name: 'Nom',
    account: 'Compte',
    wrong: html`Une erreur&#8239;?`,
    writeTo: (address: string) => `Écrire à ${address}`,
    subject: (reference: string) => `Référence ${reference}`,
  },
  en: {
    front: html`Front page`,
    welcome: (name: string) => html`Welcome – ${name}`,
    lead: html`One sign-in opens all the sites that your account gives access to, and one sign-out closes them again.`,
    signIn: 'Sign in',
    lastTime: (idp: string) => html`As last time: <b>${idp}</b>.`,
    change: 'Choose another account',
    remembered: (idp: string) =>
      html`This browser remembers your choice, <b>${idp}</b>, and leads you there without a question.`,
    forget: 'Forget this choice',
    sites: html`The sites`,
    mine: html`My resources`,
    hello: (person: string) => html`Hello <bdi>${person}</bdi>`,
    open: html`Open to your account`,
    opened: html`What your account opens`,
    favourite: 'Favourite',
    noneOfIts: 'No site here depends on it.',
    unlisted: (count: number) => (count === 1 ? html`And one more value.` : html`And ${count} more values.`),
    andMore: (count: number) => (count === 1 ? html`and one more` : html`and ${count} more`),
    others: html`Other sites open to your account`,
    nothing: html`No site is open to your account for the moment.`,
    closed: html`Closed to this account`,
    closedHelp: html`Each will tell you what it asks for, and whom to turn to.`,
    sentNone: (sentNone: Html) => html`You signed in correctly, but ${sentNone}.`,
    dependsOnIt: 'The sites that depend on it stay closed.',
    write: (whom: Html, reference: Html) =>
      html`To put that right, write to ${whom} and quote the reference ${reference}.`,
    ask: (reference: Html) =>
      html`To put that right, ask your institution for help, and quote the reference ${reference}.`,
    known: html`What we know of you`,
    name: 'Name',
    account: 'Account',
    wrong: html`Something wrong?`,
    writeTo: (address: string) => `Write to ${address}`,
    subject: (reference: string) => `Reference ${reference}`,
  },
} as const
