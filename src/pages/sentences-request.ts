/** What a person reads when the request itself cannot be carried on, or when the fault is ours. */
import type { ErrorCode } from '../errors.ts'
import { html } from './escape.ts'
import type { Sentences } from './sentence.ts'

type Code = Extract<ErrorCode, `request.${string}` | `portal.${string}` | 'internal'>

export const ofRequests: Sentences<Code> = {
  'request.malformed': {
    fr: () => ({
      title: html`Cette demande est illisible`,
      lead: html`Ce que votre navigateur a envoyé n’a pas la forme d’une demande que nous sachions lire. Rien n’a été transmis.`,
      steps: {
        heading: null,
        items: [
          html`Si vous avez saisi ou collé l’adresse, vérifiez qu’elle est entière.`,
          html`Si vous avez suivi un lien, revenez à la page qui le porte et essayez de nouveau.`,
        ],
      },
    }),
    en: () => ({
      title: html`This request cannot be read`,
      lead: html`What your browser sent is not in a form that we can read. Nothing was passed on.`,
      steps: {
        heading: null,
        items: [
          html`If you typed or pasted the address, check that it is complete.`,
          html`If you followed a link, go back to the page that has it and try again.`,
        ],
      },
    }),
  },
  'request.ambiguous': {
    fr: () => ({
      title: html`Cette adresse peut se lire de deux façons`,
      lead: html`Elle contient des signes que deux programmes ne comprendraient pas de la même manière. Par prudence, nous ne l’avons pas transmise.`,
      steps: {
        heading: null,
        items: [
          html`Si vous l’avez saisie, vérifiez les barres, les points et les signes&nbsp;%.`,
          html`Si vous avez suivi un lien du site, signalez-le avec la référence ci-dessous&nbsp;: il est à corriger.`,
        ],
      },
    }),
    en: () => ({
      title: html`This address can be read in two ways`,
      lead: html`It has signs that two programs would not understand alike. To be safe, we did not pass it on.`,
      steps: {
        heading: null,
        items: [
          html`If you typed it, check the slashes, the dots and the % signs.`,
          html`If you followed a link of the site, report it with the reference below: it needs mending.`,
        ],
      },
    }),
  },
  'request.upgrade': {
    fr: () => ({
      title: html`Cette liaison continue ne s’ouvre pas`,
      lead: html`La page a demandé une liaison permanente avec le site, sous une forme que nous n’acceptons pas. Le reste de la page peut fonctionner sans elle.`,
    }),
    en: () => ({
      title: html`This lasting connection does not open`,
      lead: html`The page asked for a lasting connection to the site, in a form that we do not accept. The rest of the page may work without it.`,
    }),
  },
  'request.cross-origin': {
    fr: () => ({
      title: html`Cet envoi venait d’un autre site`,
      lead: html`La page d’un autre site a voulu agir ici avec votre compte. Cela n’est permis à aucun autre site&nbsp;: rien n’a été transmis.`,
      steps: {
        heading: null,
        items: [
          html`Si c’est bien ce que vous vouliez faire, ouvrez le site lui-même et recommencez depuis sa propre page.`,
          html`Sinon, vous n’avez rien à faire.`,
        ],
      },
    }),
    en: () => ({
      title: html`This was sent from another site`,
      lead: html`A page of another site tried to act here with your account. No other site may do so: nothing was passed on.`,
      steps: {
        heading: null,
        items: [
          html`If it is what you wanted to do, open the site itself and start again from its own page.`,
          html`If not, there is nothing to do.`,
        ],
      },
    }),
  },
  'request.method': {
    fr: () => ({
      title: html`Cette action n’existe pas ici`,
      lead: html`Cette adresse répond, mais pas à la sorte de demande que votre navigateur a faite. Rien n’a été changé.`,
    }),
    en: () => ({
      title: html`This action does not exist here`,
      lead: html`This address answers, but not to the kind of request that your browser made. Nothing was changed.`,
    }),
  },
  'request.timeout': {
    fr: () => ({
      title: html`L’envoi s’est interrompu`,
      lead: html`Votre appareil a cessé d’envoyer avant la fin, et nous avons cessé d’attendre. Une liaison lente ou coupée en est souvent la cause.`,
    }),
    en: () => ({
      title: html`The sending broke off`,
      lead: html`Your device stopped sending before the end, and we stopped waiting. A slow or broken connection is often the cause.`,
    }),
  },
  'request.too-large': {
    fr: () => ({
      title: html`Cet envoi est trop grand`,
      lead: html`Ce que votre navigateur envoyait dépasse ce que nous acceptons à cette adresse. Nous ne l’avons pas retenu.`,
      steps: { heading: null, items: [html`Si vous joigniez un fichier, essayez avec un fichier plus petit.`] },
    }),
    en: () => ({
      title: html`This is too large`,
      lead: html`What your browser was sending is more than we accept at this address. We did not keep it.`,
      steps: { heading: null, items: [html`If you were attaching a file, try with a smaller one.`] },
    }),
  },
  'request.target-too-long': {
    fr: () => ({
      title: html`Cette adresse est trop longue`,
      lead: html`Elle dépasse ce que nous pouvons lire. Rien n’a été transmis.`,
      steps: {
        heading: null,
        items: [
          html`Si elle vient d’un formulaire de recherche, essayez avec moins de critères.`,
          html`Si vous avez suivi un lien, ouvrez plutôt la page d’accueil du site.`,
        ],
      },
    }),
    en: () => ({
      title: html`This address is too long`,
      lead: html`It is longer than what we can read. Nothing was passed on.`,
      steps: {
        heading: null,
        items: [
          html`If it comes from a search form, try with fewer criteria.`,
          html`If you followed a link, open the front page of the site instead.`,
        ],
      },
    }),
  },
  'request.expectation': {
    fr: () => ({
      title: html`Une condition que nous ne pouvons pas remplir`,
      lead: html`Le programme que vous utilisez a posé à son envoi une condition que nous ne connaissons pas. Rien n’a été transmis. Un navigateur à jour n’en pose pas.`,
    }),
    en: () => ({
      title: html`A condition that we cannot meet`,
      lead: html`The program that you use made its request on a condition that we do not know. Nothing was passed on. An up-to-date browser makes none.`,
    }),
  },
  'request.misdirected': {
    fr: () => ({
      title: html`Cette demande a frappé à la mauvaise porte`,
      lead: html`Votre navigateur a posé sa question par une liaison ouverte pour un autre site. Rien n’a été transmis.`,
      steps: { heading: null, items: [html`Ouvrez la page de nouveau, dans un nouvel onglet si besoin.`] },
    }),
    en: () => ({
      title: html`This request knocked at the wrong door`,
      lead: html`Your browser asked through a connection that was opened for another site. Nothing was passed on.`,
      steps: { heading: null, items: [html`Open the page again, in a new tab if need be.`] },
    }),
  },
  'request.headers-too-large': {
    fr: () => ({
      title: html`Trop de cookies pour ce site`,
      lead: html`Votre navigateur joint à chaque demande plus de cookies que nous ne pouvons en lire. Rien n’a été transmis.`,
      steps: {
        heading: html`À essayer, dans cet ordre`,
        items: [
          html`Ouvrez la page de nouveau&nbsp;: nous avons demandé à votre navigateur d’oublier nos propres cookies.`,
          html`Si cela ne suffit pas, effacez dans ses réglages les cookies et les données de ce site. Ceux que d’autres ont posés, nous ne pouvons pas les effacer.`,
        ],
      },
    }),
    en: () => ({
      title: html`Too many cookies for this site`,
      lead: html`With each request your browser sends more cookies than we can read. Nothing was passed on.`,
      steps: {
        heading: html`To try, in this order`,
        items: [
          html`Open the page again: we asked your browser to forget our own cookies.`,
          html`If that is not enough, clear the cookies and data of this site in its settings. We cannot clear those that others have set.`,
        ],
      },
    }),
  },
  'portal.not-found': {
    fr: () => ({
      title: html`Cette page n’existe pas`,
      lead: html`L’adresse est incomplète, ou la page a changé de place.`,
    }),
    en: () => ({
      title: html`This page does not exist`,
      lead: html`The address is incomplete, or the page has moved.`,
    }),
  },
  'portal.form-expired': {
    fr: () => ({
      title: html`Cette page attendait depuis trop longtemps`,
      lead: html`Le formulaire que vous avez envoyé n’est plus valable, ou votre navigateur n’a pas gardé notre cookie. Rien n’a été fait&nbsp;: ouvrez la page de nouveau et recommencez.`,
    }),
    en: () => ({
      title: html`This page had been waiting for too long`,
      lead: html`The form that you sent is no longer valid, or your browser did not keep our cookie. Nothing was done: open the page again and start anew.`,
    }),
  },
  'portal.not-a-choice': {
    fr: () => ({
      title: html`Ce choix n’est pas, ou n’est plus, possible`,
      lead: html`Votre compte n’a pas cette valeur, ou ne l’a plus depuis que la page s’est affichée. Rien n’a été changé&nbsp;: ouvrez la page de nouveau, elle montre ce qui est à choisir maintenant.`,
    }),
    en: () => ({
      title: html`This cannot be chosen, or not any more`,
      lead: html`Your account does not have this value, or lost it since the page was shown. Nothing was changed: open the page again, which shows what there is to choose from now.`,
    }),
  },
  internal: {
    fr: () => ({
      title: html`Une erreur s’est produite chez nous`,
      lead: html`Elle vient de nous, pas de vous. Elle est inscrite dans notre journal avec la référence ci-dessous, qui permet de la retrouver.`,
    }),
    en: () => ({
      title: html`An error happened on our side`,
      lead: html`It comes from us, not from you. It stands in our log with the reference below, by which it can be found.`,
    }),
  },
}
