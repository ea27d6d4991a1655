/** What a person reads when a sign-in or a session does not go as it should. */
import type { ErrorCode } from '../errors.ts'
import { type Html, html } from './escape.ts'
import type { About, Sentences } from './sentence.ts'
import type { CircleCode } from './sentences-circle.ts'

type Code = Exclude<Extract<ErrorCode, `session.${string}` | `login.${string}` | `idp.${string}`>, CircleCode>

/** The idp's label is a name of any gender and shape, so it stands in quotes after a word of ours. */
const service = {
  fr: ({ subject }: About): Html =>
    subject === null ? html`service de connexion` : html`service «&nbsp;${subject}&nbsp;»`,
  en: ({ subject }: About): Html => (subject === null ? html`sign-in service` : html`service “${subject}”`),
}

const kept = {
  fr: ({ going }: About): Html | null =>
    going ? html` La page que vous demandiez est gardée&nbsp;: elle s’affichera après la connexion.` : null,
  en: ({ going }: About): Html | null =>
    going ? html` We have kept the page you asked for: it will open once you are signed in.` : null,
}

/** Ours, and that of the site: by its name where it is known, which it is on the site's own pages. */
const cookieHosts = {
  fr: ({ portal, host, going }: About): Html => {
    if (host !== null && host !== portal) return html`${mono(portal)} et de ${mono(host)}`
    return html`${mono(portal)}${going ? ' et du site où vous allez' : null}`
  },
  en: ({ portal, host, going }: About): Html => {
    if (host !== null && host !== portal) return html`${mono(portal)} and of ${mono(host)}`
    return html`${mono(portal)}${going ? ' and of the site you are going to' : null}`
  },
}

function mono(host: string): Html {
  return html`<b class="mono">${host}</b>`
}

export const ofSignIn: Sentences<Code> = {
  'session.ambiguous': {
    fr: () => ({
      title: html`Deux sessions dans ce navigateur`,
      lead: html`Votre navigateur présente deux sessions à la fois, et rien ne dit laquelle est la vôtre. Par prudence, nous n’avons ouvert ni l’une ni l’autre.`,
    }),
    en: () => ({
      title: html`Two sessions in this browser`,
      lead: html`Your browser shows two sessions at once, and nothing tells which one is yours. To be safe, we opened neither.`,
    }),
  },
  'session.store-down': {
    fr: () => ({
      title: html`Un instant&nbsp;: nous ne pouvons pas vérifier votre session`,
      lead: html`Le registre des sessions ne répond pas. Par prudence, rien ne passe sans vérification. Votre session n’est pas perdue&nbsp;: inutile de vous reconnecter.`,
    }),
    en: () => ({
      title: html`One moment: we cannot check your session`,
      lead: html`The register of sessions does not answer. To be safe, nothing passes unchecked. Your session is not lost: no need to sign in again.`,
    }),
  },
  'session.store-full': {
    fr: () => ({
      title: html`Il y a trop de sessions ouvertes en ce moment`,
      lead: html`Pour vous faire une place, il faudrait fermer la session de quelqu’un d’autre, et nous ne le faisons pas. Les sessions déjà ouvertes continuent&#8239;; une place se libère dès que l’une d’elles se ferme.`,
    }),
    en: () => ({
      title: html`Too many sessions are open at the moment`,
      lead: html`To make room for you we would have to close somebody else’s session, and we do not do that. Open sessions go on; there is room again as soon as one of them closes.`,
    }),
  },
  'login.too-many-sessions': {
    fr: about => ({
      title: html`Votre compte est déjà ouvert ailleurs`,
      lead: html`Il l’est dans autant de navigateurs que votre établissement le permet. Cette connexion n’a donc pas ouvert de session ici, et les autres n’ont pas changé.`,
      steps: {
        heading: html`Pour l’ouvrir ici`,
        items: [
          html`Dans un navigateur où il est ouvert, allez sur ${mono(about.portal)}&nbsp;: «&nbsp;Mes sessions&nbsp;» les montre toutes, et permet d’en fermer une.`,
          html`Revenez ensuite ici et reprenez la connexion.`,
          html`Si plus aucun de ces navigateurs n’est à votre portée, attendez&nbsp;: une session que personne n’utilise se ferme d’elle-même.`,
        ],
      },
      after: html`Le service qui a vérifié votre compte peut garder sa propre connexion dans ce navigateur. Sur un ordinateur partagé, fermez-en toutes les fenêtres.`,
    }),
    en: about => ({
      title: html`Your account is already open elsewhere`,
      lead: html`It is open in as many browsers as your institution permits. This sign-in has therefore opened no session here, and the others are unchanged.`,
      steps: {
        heading: html`To open it here`,
        items: [
          html`In a browser where it is open, go to ${mono(about.portal)}: “My sessions” shows them all, and lets you close one.`,
          html`Then come back here and sign in again.`,
          html`If none of these browsers is within your reach, wait: a session that nobody uses closes by itself.`,
        ],
      },
      after: html`The service that checked your account may keep its own sign-in in this browser. On a shared computer, close all its windows.`,
    }),
  },
  'login.required': {
    fr: ({ subject }) => ({
      title: html`Connectez-vous pour continuer`,
      lead: html`${subject ?? 'Ce site'} s’ouvre avec un compte, et aucune session n’est ouverte dans ce navigateur.`,
    }),
    en: ({ subject }) => ({
      title: html`Sign in to continue`,
      lead: html`${subject ?? 'This site'} opens with an account, and no session is open in this browser.`,
    }),
  },
  'login.not-sent': {
    fr: ({ subject }) => ({
      title: html`Votre envoi n’a pas été transmis`,
      lead: html`Votre session est fermée ou a expiré, et ${subject ?? 'ce site'} ne reçoit rien sans elle. Ce que vous envoyiez n’est pas parti.`,
      steps: {
        heading: null,
        items: [
          html`Le bouton Précédent du navigateur rend souvent ce que vous aviez écrit&nbsp;: copiez-le d’abord.`,
          html`Ouvrez ensuite la page de nouveau, et envoyez.`,
        ],
      },
    }),
    en: ({ subject }) => ({
      title: html`What you sent was not passed on`,
      lead: html`You are not signed in: your session is closed or has expired, and ${subject ?? 'this site'} receives nothing without it. What you sent has not left us.`,
      steps: {
        heading: null,
        items: [
          html`The browser’s Back button often brings back what you had written: copy it first.`,
          html`Then open the page again, and send.`,
        ],
      },
    }),
  },
  'login.stale': {
    fr: () => ({
      title: html`Reprenons la connexion`,
      lead: html`Cette étape a déjà servi ou a expiré. Cela arrive avec le bouton Précédent, avec un favori posé sur la page de connexion ou avec deux onglets à la fois. Rien n’est perdu.`,
    }),
    en: () => ({
      title: html`Let us take up the sign-in again`,
      lead: html`This step was already used or has expired. That happens with the Back button, with a bookmark on the sign-in page or with two tabs at once. Nothing is lost.`,
    }),
  },
  'login.foreign': {
    fr: () => ({
      title: html`Cette connexion a commencé ailleurs`,
      lead: html`Elle a commencé dans un autre navigateur, dans une autre fenêtre, ou le lien vient de quelqu’un d’autre. Par prudence, nous ne la terminons pas ici. Rien n’est perdu&nbsp;: recommencez simplement dans cette fenêtre.`,
    }),
    en: () => ({
      title: html`This sign-in began elsewhere`,
      lead: html`It began in another browser, in another window, or the link comes from somebody else. To be safe, we do not finish it here. Nothing is lost: simply start again in this window.`,
    }),
  },
  'login.cookies': {
    fr: about => ({
      title: html`Votre navigateur a refusé notre cookie`,
      lead: html`Sans ce petit fichier, Passerelle vous oublie entre deux pages et vous renverrait sans fin à la connexion. Nous nous sommes donc arrêtés ici.`,
      steps: {
        heading: html`À vérifier, dans cet ordre`,
        items: [
          html`Dans les réglages du navigateur, les cookies de ${cookieHosts.fr(about)} sont autorisés. Ceux d’autres sites ne sont pas nécessaires.`,
          html`Aucune extension ne les bloque sur cette page.`,
          html`L’heure de l’appareil est juste&nbsp;: nous sommes le ${about.now}.`,
        ],
      },
      after: html`Nos cookies ne servent qu’à tenir votre session. Aucun ne mesure ce que vous lisez.`,
    }),
    en: about => ({
      title: html`Your browser refused our cookie`,
      lead: html`Without this small file, Passerelle forgets you between two pages and would send you back to sign in without end. So we stopped here.`,
      steps: {
        heading: html`To check, in this order`,
        items: [
          html`In the browser’s settings, the cookies of ${cookieHosts.en(about)} are allowed. Those of other sites are not needed.`,
          html`No extension blocks them on this page.`,
          html`The clock of the device is right: it is ${about.now}.`,
        ],
      },
      after: html`Our cookies only hold your session. None of them measures what you read.`,
    }),
  },
  'login.too-many': {
    fr: about => ({
      title: html`Trop de connexions à la fois depuis votre réseau`,
      lead: html`Plus de 600 connexions ont commencé en une minute depuis l’adresse que votre réseau montre au dehors. Une courte pause laisse la place à tout le monde.${kept.fr(about)}`,
      steps: {
        heading: null,
        items: [
          html`Attendez quelques secondes, puis reprenez&nbsp;: il n’y a rien d’autre à faire.`,
          html`Dans une salle de classe, les connexions d’autres personnes comptent aussi. Un autre réseau n’est pas concerné.`,
          html`Les sessions déjà ouvertes continuent.`,
        ],
      },
    }),
    en: about => ({
      title: html`Too many sign-ins at once from your network`,
      lead: html`More than 600 sign-ins began within a minute from the address that your network shows to the outside. A short pause leaves room for everybody.${kept.en(about)}`,
      steps: {
        heading: null,
        items: [
          html`Wait a few seconds, then go on: there is nothing else to do.`,
          html`In a classroom the sign-ins of others count as well. Another network is not concerned.`,
          html`Sessions that are already open go on.`,
        ],
      },
    }),
  },
  'login.busy': {
    fr: about => ({
      title: html`Trop de personnes se connectent à cet instant`,
      lead: html`Nous n’ouvrons pas plus de connexions à la fois que nous ne pouvons en suivre. Les sessions déjà ouvertes continuent, et la place revient en quelques secondes.${kept.fr(about)}`,
    }),
    en: about => ({
      title: html`Too many people are signing in at this moment`,
      lead: html`We begin no more sign-ins at once than we can keep up with. Sessions that are already open go on, and there is room again within seconds.${kept.en(about)}`,
    }),
  },
  'login.ended-meanwhile': {
    fr: () => ({
      title: html`Cette connexion a été fermée entre-temps`,
      lead: html`Pendant que vous vous connectiez, la fermeture de vos sessions a été demandée&nbsp;: par vous dans un autre onglet, ou par le service qui gère votre compte. Par prudence, c’est la fermeture qui l’emporte.`,
    }),
    en: () => ({
      title: html`The sign-in was ended meanwhile`,
      lead: html`While you were signing in, your sessions were asked to close: by you in another tab, or by the service that looks after your account. To be safe, the closing wins.`,
    }),
  },
  'idp.rejected': {
    fr: about => ({
      title: html`La connexion n’a pas abouti`,
      lead: html`Le ${service.fr(about)} ne l’a pas confirmée, ou sa réponse n’a pas passé nos vérifications. Aucune session n’a été ouverte.${kept.fr(about)}`,
      steps: {
        heading: null,
        items: [
          html`Si vous avez interrompu la connexion, il suffit de la reprendre.`,
          html`Si vous avez un autre compte, essayez avec celui-là.`,
        ],
      },
    }),
    en: about => ({
      title: html`The sign-in did not succeed`,
      lead: html`The ${service.en(about)} did not confirm it, or its answer did not pass our checks. No session was opened.${kept.en(about)}`,
      steps: {
        heading: null,
        items: [
          html`If you broke off the sign-in, just take it up again.`,
          html`If you have another account, try with that one.`,
        ],
      },
    }),
  },
  'idp.unreachable': {
    fr: about => ({
      title: html`Le ${service.fr(about)} ne répond pas`,
      lead: html`Impossible, pour le moment, d’ouvrir une session par ce moyen. Les sessions déjà ouvertes continuent.${kept.fr(about)}`,
    }),
    en: about => ({
      title: html`The ${service.en(about)} does not answer`,
      lead: html`You cannot sign in this way for the moment. Sessions that are already open go on.${kept.en(about)}`,
    }),
  },
  'idp.invalid-answer': {
    fr: about => ({
      title: html`Le ${service.fr(about)} a mal répondu`,
      lead: html`Sa réponse n’a pas de sens pour nous&nbsp;: par prudence, aucune session n’a été ouverte. La panne est de son côté ou dans nos réglages, pas du vôtre.${kept.fr(about)}`,
    }),
    en: about => ({
      title: html`The ${service.en(about)} gave an answer that we cannot use`,
      lead: html`It makes no sense to us: to be safe, no session was opened. The fault is on its side or in our settings, not on yours.${kept.en(about)}`,
    }),
  },
}
