/** What a person reads when a site, or the way to it, fails. */
import type { ErrorCode } from '../errors.ts'
import { type Html, html } from './escape.ts'
import type { About, Sentences } from './sentence.ts'

type Code = Extract<ErrorCode, `resource.${string}` | `policy.${string}` | `origin.${string}` | `identity.${string}`>

const fr = {
  site: ({ subject }: About): string => subject ?? 'Le site',
  toSite: ({ subject }: About): Html => (subject === null ? html`au site` : html`à ${subject}`),
  sideOf: ({ subject }: About): Html => (subject === null ? html`du côté du site` : html`du côté de ${subject}`),
  rest: ({ signedIn }: About): Html =>
    signedIn
      ? html`Votre session reste ouverte et les autres sites fonctionnent.`
      : html`Les autres sites ne sont pas touchés.`,
}

const en = {
  site: ({ subject }: About): string => subject ?? 'The site',
  within: ({ subject }: About): string => subject ?? 'the site',
  rest: ({ signedIn }: About): Html =>
    signedIn ? html`Your session stays open and the other sites work.` : html`Other sites are not affected.`,
}

export const ofSites: Sentences<Code> = {
  'resource.unknown-host': {
    fr: ({ host }) => ({
      title: html`Cette adresse ne passe pas par ici`,
      lead:
        host === null
          ? html`Elle n’est pas dans la liste des sites ouverts par Passerelle.`
          : html`<b class="mono"><bdi>${host}</bdi></b> n’est pas dans la liste des sites ouverts par Passerelle.`,
      steps: {
        heading: null,
        items: [
          html`Si vous l’avez saisie, vérifiez l’orthographe.`,
          html`Si vous veniez d’une page de la bibliothèque ou d’un éditeur, il manque peut-être une adresse à notre liste&nbsp;: signalez-la, avec la référence ci-dessous.`,
        ],
      },
    }),
    en: ({ host }) => ({
      title: html`This address does not pass through here`,
      lead:
        host === null
          ? html`It is not in the list of sites that Passerelle opens.`
          : html`<b class="mono"><bdi>${host}</bdi></b> is not in the list of sites that Passerelle opens.`,
      steps: {
        heading: null,
        items: [
          html`If you typed it, check the spelling.`,
          html`If you came from a page of the library or of a publisher, an address may be missing from our list: report it, with the reference below.`,
        ],
      },
    }),
  },
  'policy.denied': {
    fr: ({ subject }) => ({
      title: html`Ce compte n’ouvre pas ${subject ?? 'ce site'}`,
      lead: html`Votre connexion a réussi. Mais ce qui est rattaché à ce compte ne remplit pas les conditions d’accès.`,
    }),
    en: ({ subject }) => ({
      title: html`This account does not open ${subject ?? 'this site'}`,
      lead: html`You signed in correctly. But what is attached to this account does not meet the conditions of access.`,
    }),
  },
  'origin.unreachable': {
    fr: about => ({
      title: html`${fr.site(about)} ne répond pas`,
      lead: html`${fr.rest(about)} La panne est ${fr.sideOf(about)}.`,
    }),
    en: about => ({
      title: html`${en.site(about)} does not answer`,
      lead: html`${en.rest(about)} The fault is on the side of ${en.within(about)}.`,
    }),
  },
  'origin.invalid-answer': {
    fr: about => ({
      title: html`${fr.site(about)} a mal répondu`,
      lead: html`Sa réponse est arrivée incomplète ou sous une forme que nous ne pouvons pas transmettre. ${fr.rest(about)}`,
    }),
    en: about => ({
      title: html`${en.site(about)} gave an answer that we cannot pass on`,
      lead: html`It came incomplete, or in a form that we cannot pass on. ${en.rest(about)}`,
    }),
  },
  'origin.timeout': {
    fr: about => ({
      title: html`${fr.site(about)} tarde trop à répondre`,
      lead: html`Nous avons cessé d’attendre. ${fr.rest(about)} La lenteur est ${fr.sideOf(about)}.`,
    }),
    en: about => ({
      title: html`${en.site(about)} takes too long to answer`,
      lead: html`We stopped waiting. ${en.rest(about)} The slowness is on the side of ${en.within(about)}.`,
    }),
  },
  'origin.refused-address': {
    fr: about => ({
      title: html`${fr.site(about)} n’est pas joignable d’ici`,
      lead: html`L’adresse où ce site conduit n’est pas de celles que Passerelle a le droit d’appeler. C’est un réglage à corriger chez nous&nbsp;: vous n’y pouvez rien. ${fr.rest(about)}`,
    }),
    en: about => ({
      title: html`${en.site(about)} cannot be reached from here`,
      lead: html`The address that this site leads to is not one that Passerelle may call. It is a setting that we have to mend: there is nothing that you can do. ${en.rest(about)}`,
    }),
  },
  'identity.unsendable': {
    fr: about => ({
      title: html`Nous ne pouvons pas dire ${fr.toSite(about)} qui vous êtes`,
      lead: html`Une information de votre compte est trop longue, ou contient un signe que ce site ne sait pas lire. Plutôt que de la déformer, nous n’avons rien transmis. ${fr.rest(about)}`,
    }),
    en: about => ({
      title: html`We cannot tell ${en.within(about)} who you are`,
      lead: html`Something in your account is too long, or has a sign that this site cannot read. Rather than garble it, we passed nothing on. ${en.rest(about)}`,
    }),
  },
}
