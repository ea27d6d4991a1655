/** Our front page: the sites, and, for somebody who is signed in, which of them this account opens. */
import type { Language, Text } from '../model/text.ts'
import { clip, type Html, href, html } from './escape.ts'
import { frame, heading, type Level, type View } from './frame.ts'
import { mySpace } from './my-space.ts'
import type { PageContext, Site } from './site.ts'
import { homeLink } from './ways-out.ts'

export interface FrontData {
  readonly sites: readonly ListedSite[]
  /** Null when somebody is signed in. */
  readonly signInHref: string | null
  /** The account that this browser remembers; null: it would ask. */
  readonly lastTime: { readonly idp: Text; readonly change: string } | null
}

export interface ListedSite {
  readonly title: Text
  readonly href: string
  /** This person's claims admit them; says nothing while nobody is signed in. */
  readonly open: boolean
}

export function frontPage(site: Site, c: PageContext, d: FrontData): string {
  return frame(site, c, (language, level) => tell(site, c, d, language, level))
}

function tell(site: Site, c: PageContext, d: FrontData, language: Language, level: Level): View {
  const words = wordsOf[language]
  const home = homeLink(site, language)
  if (d.signInHref !== null) {
    const main = html`${heading(level, 0, words.welcome(clip(site.name[language], 80)))}
<p class="lead">${words.lead}</p>
<p class="act"><a class="btn" href="${href(d.signInHref)}">${words.signIn}</a>${home}</p>
${lastTime(d, language)}${d.sites.length === 0 ? null : heading(level, 1, words.sites)}
${list(d.sites, language)}`
    return { title: words.front, main, quotesReference: false }
  }
  const open = d.sites.filter(one => one.open)
  const closed = d.sites.filter(one => !one.open)
  const hello = c.person ? words.hello(clip(c.person, 60)) : words.mine
  const main = html`${mySpace(language, '/')}
${heading(level, 0, hello)}
${open.length === 0 ? html`<p class="lead">${words.nothing}</p>` : heading(level, 1, words.open)}
${list(open, language)}
${closed.length === 0 ? null : html`${heading(level, 1, words.closed)}<p class="soft">${words.closedHelp}</p>`}
${list(closed, language)}
${home && html`<p class="act">${home}</p>`}`
  return { title: words.mine, main, quotesReference: false }
}

/** Nobody is led on by a memory without a place where it can be seen, and changed. */
function lastTime({ lastTime }: FrontData, language: Language): Html | null {
  if (lastTime === null) return null
  const words = wordsOf[language]
  return html`<p class="soft">${words.lastTime(clip(lastTime.idp[language], 80))} <a href="${href(lastTime.change)}">${words.change}</a></p>
`
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
    sites: html`Les sites`,
    mine: html`Mes ressources`,
    hello: (person: string) => html`Bonjour <bdi>${person}</bdi>`,
    open: html`Ouverts à votre compte`,
    nothing: html`Aucun site n’est ouvert à votre compte pour le moment.`,
    closed: html`Fermés à ce compte`,
    closedHelp: html`Chacun vous dira ce qu’il demande, et à qui vous adresser.`,
  },
  en: {
    front: html`Front page`,
    welcome: (name: string) => html`Welcome – ${name}`,
    lead: html`One sign-in opens all the sites that your account gives access to, and one sign-out closes them again.`,
    signIn: 'Sign in',
    lastTime: (idp: string) => html`As last time: <b>${idp}</b>.`,
    change: 'Choose another account',
    sites: html`The sites`,
    mine: html`My resources`,
    hello: (person: string) => html`Hello <bdi>${person}</bdi>`,
    open: html`Open to your account`,
    nothing: html`No site is open to your account for the moment.`,
    closed: html`Closed to this account`,
    closedHelp: html`Each will tell you what it asks for, and whom to turn to.`,
  },
} as const
