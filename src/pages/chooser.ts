/**
 * Which account? One form: a button for each idp, a single step for the keyboard; or, where the page also asks about the
 * computer, one idp to mark and one button. A long list has a search box, a form of its own.
 */
import type { Language, Text } from '../model/text.ts'
import { type ByEmail, byEmail, emailError, emailNotice, type RememberQuestion } from './by-email.ts'
import { clip, type Html, href, html } from './escape.ts'
import { frame, heading, type Level, type View, whither } from './frame.ts'
import type { PageContext, Site } from './site.ts'
import { form, frontLink, homeLink } from './ways-out.ts'

export interface ChooserData {
  readonly going: Text | null
  /** Who the person said they are; null: there are no groups. */
  readonly group: Text | null
  /** The same question from its beginning. */
  readonly change: string
  /** Those to choose from, or that a search found. */
  readonly idps: readonly OfferedIdp[]
  /** The id that stands marked when the page opens. */
  readonly chosen: string | null
  /** "Remember this choice?"; null: not asked. */
  readonly question: RememberQuestion | null
  /** Null: the list is short enough to read. */
  readonly search: Search | null
  /** Null: no idp is known by the addresses of its people, or this is the second step. */
  readonly email: ByEmail | null
  /** Hidden fields that travel with the choice. */
  readonly carried: Readonly<Record<string, string>>
  readonly token: string
}

export interface Search {
  /** A path of the portal, asked with GET. */
  readonly action: string
  readonly fields: Readonly<Record<string, string>>
  readonly query: string
  /** How many there are to search in. */
  readonly among: number
}

export interface OfferedIdp {
  readonly id: string
  readonly label: Text
  /** What its row says. */
  readonly choice: Text
  /** False: it did not answer lately. It goes last, and can still be tried. */
  readonly available: boolean
  readonly help: { readonly label: Text; readonly url: string } | null
}

export function chooserPage(site: Site, c: PageContext, d: ChooserData): string {
  return frame(site, c, (language, level) => tell(site, c, d, language, level))
}

function tell(site: Site, c: PageContext, d: ChooserData, language: Language, level: Level): View {
  const words = wordsOf[language]
  const going = d.going && clip(d.going[language], 80)
  const group = d.group && clip(d.group[language], 80)
  const change = html`<a href="${href(d.change)}">${words.change}</a>`
  const whereTo = group === null ? going && words.going(going) : words.as(going, group, change)
  const title = group === null ? words.title : words.institution
  const main = html`${whereTo && whither(whereTo)}${
    group &&
    html`<p class="step">${words.step}</p>
`
  }${heading(level, 0, title)}
${d.email && emailNotice(d.email, language, level)}<p class="lead">${words.lead}</p>
${d.search && searchBox(d.search, language)}${d.idps.length === 0 ? nothingFound(d, language) : choices(d, language)}
${d.email && byEmail(d.email, d.token, language, level)}${help(d.idps, language, level)}<p class="act">${frontLink(site, c, language, 'link')}${homeLink(site, language)}</p>`
  const error = emailError(d.email, language)
  return {
    title: d.search?.query ? html`${words.results(d.idps.length, d.search)} – ${title}` : html`${error}${title}`,
    main,
    quotesReference: false,
  }
}

function choices(d: ChooserData, language: Language): Html {
  const words = wordsOf[language]
  const idps = [...d.idps.filter(idp => idp.available), ...d.idps.filter(idp => !idp.available)]
  const found = d.search?.query ? words.results(idps.length, d.search) : null
  if (d.question === null) {
    const list = html`${
      found &&
      html`<p role="status">${found}</p>
`
    }<ul class="ways">
${idps.map(idp => choice(idp, language))}</ul>`
    return form('/login', d.token, d.carried, list)
  }
  // Where there is nothing to choose it stands chosen: the person only says whose computer this is.
  const chosen = idps.length === 1 ? idps[0]?.id : d.chosen
  const options = html`<fieldset>
<legend${found === null ? html` class="aside"` : null}>${found ?? words.account}</legend>
${idps.map(idp => option(idp, idp.id === chosen, language))}</fieldset>
${remember(d.question, d.group !== null, language)}
<p class="act"><button class="btn">${words.confirm}</button></p>`
  return form('/login', d.token, d.carried, options)
}

function choice(idp: OfferedIdp, language: Language): Html {
  return html`<li><button name="idp" value="${idp.id}"><span><b>${clip(idp.choice[language], 80)}</b>${down(idp, language)}</span></button></li>
`
}

function option(idp: OfferedIdp, chosen: boolean, language: Language): Html {
  const checked = chosen ? html` checked` : null
  return html`<label class="option"><input type="radio" name="idp" value="${idp.id}" required${checked}><span><b>${clip(idp.choice[language], 80)}</b>${down(idp, language)}</span></label>
`
}

function down(idp: OfferedIdp, language: Language): Html | null {
  const words = wordsOf[language]
  return idp.available
    ? null
    : html`<small>${words.tryAnyway} <span class="tag warn">${words.doesNotAnswer}</span></small>`
}

/** @param severalProfiles people are asked who they are: one person may be two of them */
function remember({ remember, sharedIdleMs }: RememberQuestion, severalProfiles: boolean, language: Language): Html {
  const words = wordsOf[language]
  const [no, yes] = remember ? [null, html` checked`] : [html` checked`, null]
  return html`<fieldset>
<legend>${words.remember}</legend>
<label class="option"><input type="radio" name="remember" value="no"${no}><span><b>${words.no}</b><small>${severalProfiles ? words.noMeansProfiles : words.noMeans}</small></span></label>
<label class="option"><input type="radio" name="remember" value="yes"${yes}><span><b>${words.yes}</b><small>${words.yesMeans}</small></span></label>
<p class="hint">${words.shared(Math.max(1, Math.round(sharedIdleMs / 60_000)))}</p>
</fieldset>`
}

function searchBox({ action, fields, query }: Search, language: Language): Html {
  const words = wordsOf[language]
  const hidden = Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )
  return html`<form method="get" action="${href(action)}" role="search" aria-label="${words.find}">${hidden}
<div class="row"><label class="field">${words.search}<input name="q" type="search" value="${query}" autocomplete="organization" spellcheck="false"></label><button class="btn plain">${words.find}</button></div>
</form>
`
}

function nothingFound(d: ChooserData, language: Language): Html {
  const words = wordsOf[language]
  const all =
    d.search &&
    html` <a href="${href(`${d.search.action}?${new URLSearchParams(d.search.fields)}`)}">${words.wholeList}</a>`
  return html`<p role="status">${words.nothing(clip(d.search?.query ?? '', 80))} ${words.tryOther}${all}</p>`
}

/** "No account yet?": where those who look after an account give one. */
export function help(
  idps: readonly Pick<OfferedIdp, 'label' | 'help'>[],
  language: Language,
  level: Level,
): Html | null {
  const links = idps.flatMap(({ help: link, label }) =>
    link === null
      ? []
      : [
          html`<li>${clip(label[language], 80)}${wordsOf[language].colon}<a href="${href(link.url)}">${link.label[language]}</a></li>`,
        ],
  )
  if (links.length === 0) return null
  return html`${heading(level, 1, wordsOf[language].noAccount)}
<ul>${links}</ul>
`
}

const wordsOf = {
  fr: {
    going: (going: string) => html`Vous allez vers <b>${going}</b>. Connectez-vous pour continuer.`,
    as: (going: string | null, group: string, change: Html) =>
      html`${going && html`Vous allez vers <b>${going}</b>. `}Votre profil&nbsp;: <b>${group}</b>. ${change}`,
    change: 'Modifier',
    step: 'Étape 2 sur 2',
    title: html`Choisissez votre compte`,
    institution: html`Votre académie ou votre établissement`,
    lead: html`Le mot de passe vous sera demandé par le service qui gère ce compte, jamais par cette page.`,
    account: html`Compte`,
    tryAnyway: 'Essayer quand même.',
    doesNotAnswer: 'Ne répond pas',
    remember: html`Mémoriser ce choix`,
    no: 'Non',
    noMeans: 'J’utilise un ordinateur public ou partagé, ou je me connecte avec différents comptes.',
    noMeansProfiles:
      'J’utilise un ordinateur public ou partagé, ou je me connecte avec différents profils (par exemple, enseignant et parent).',
    yes: 'Oui',
    yesMeans: 'J’utilise mon propre ordinateur.',
    shared: (minutes: number) =>
      html`Avec «&nbsp;Non&nbsp;», votre session se ferme après ${minutes}&nbsp;minute${minutes > 1 ? 's' : ''} sans activité, ou avec le navigateur.`,
    confirm: 'Valider',
    search: 'Nom ou ville de votre établissement',
    find: 'Chercher',
    results: (found: number, { query, among }: Search) =>
      html`${found}&nbsp;résultat${found > 1 ? 's' : ''} sur ${among} pour «&nbsp;${clip(query, 60)}&nbsp;»`,
    nothing: (query: string) => html`Rien ne correspond à «&nbsp;${query}&nbsp;».`,
    tryOther: 'Essayez le nom officiel ou celui de la ville, sans abréviation.',
    wholeList: 'Voir toute la liste',
    noAccount: html`Pas encore de compte, ou besoin d’aide&#8239;?`,
    colon: html`&nbsp;: `,
  },
  en: {
    going: (going: string) => html`You are going to <b>${going}</b>. Sign in to continue.`,
    as: (going: string | null, group: string, change: Html) =>
      html`${going && html`You are going to <b>${going}</b>. `}You are: <b>${group}</b>. ${change}`,
    change: 'Change',
    step: 'Step 2 of 2',
    title: html`Choose your account`,
    institution: html`Your academy or institution`,
    lead: html`The service that looks after the account will ask for your password; this page never does.`,
    account: html`Account`,
    tryAnyway: 'Try anyway.',
    doesNotAnswer: 'Does not answer',
    remember: html`Remember this choice`,
    no: 'No',
    noMeans: 'I use a public or shared computer, or I sign in with different accounts.',
    noMeansProfiles:
      'I use a public or shared computer, or I sign in as different people (a teacher and a parent, for example).',
    yes: 'Yes',
    yesMeans: 'I use my own computer.',
    shared: (minutes: number) =>
      html`With “No”, your session closes after ${minutes} minute${minutes > 1 ? 's' : ''} without activity, or with the browser.`,
    confirm: 'Continue',
    search: 'Name or town of your institution',
    find: 'Search',
    results: (found: number, { query, among }: Search) =>
      html`${found} result${found === 1 ? '' : 's'} out of ${among} for “${clip(query, 60)}”`,
    nothing: (query: string) => html`Nothing is called “${query}”.`,
    tryOther: 'Try the official name or that of the town, without abbreviations.',
    wholeList: 'See the whole list',
    noAccount: html`No account yet, or need help?`,
    colon: html`: `,
  },
} as const
