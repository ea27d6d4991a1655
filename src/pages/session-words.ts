/** The words of the pages about a person's sessions. */
import { type Html, html } from './escape.ts'

export const sessionWords = {
  fr: {
    mine: html`Mes sessions ouvertes`,
    mineLead: html`Chaque ligne est un navigateur où votre compte est ouvert en ce moment. Fermez celles que vous ne reconnaissez pas.`,
    thisDevice: html`Cet appareil`,
    here: 'Ici',
    shared: 'Ordinateur partagé',
    openedUntil: (from: Html, until: Html) => html`Ouverte le ${from}, se fermera au plus tard le ${until}`,
    signMeOut: 'Me déconnecter',
    elsewhere: html`Ailleurs`,
    notAllShown: (shown: number, count: number) => html`Les ${shown} plus récentes de ${count} sessions.`,
    noneElsewhere: html`Aucune autre session n’est ouverte avec ce compte.`,
    opened: (from: Html, used: Html | null) =>
      html`${used && html`${used}, `}${used ? 'ouverte' : 'Ouverte'} le ${from}`,
    used: (ago: Html) => html`Utilisée il y a ${ago} au plus`,
    close: 'Fermer',
    theSession: 'la session',
    closeOthers: (count: number) => html`Fermer les ${count}&nbsp;autres sessions`,
    surprised: html`Une session vous étonne&#8239;?`,
    surprisedHelp: html`Fermez-la, puis changez le mot de passe de votre compte. La fermeture vaut aussitôt, sur tous les sites. Le navigateur et le réseau sont ceux de la connexion&nbsp;; ils aident à reconnaître une session et ne prouvent rien.`,
    closeEverything: html`Tout fermer, ici compris`,
    which: html`Quelle session fermer&#8239;?`,
    whichLead: (count: number) =>
      count > 1
        ? html`Votre compte est déjà ouvert dans ${count}&nbsp;autres navigateurs, et c’est le maximum. Fermez l’une de ces sessions pour l’ouvrir ici&nbsp;: elle se fermera sur tous les sites.`
        : html`Votre compte est déjà ouvert dans un autre navigateur, et c’est le maximum. Fermez cette session pour l’ouvrir ici&nbsp;: elle se fermera sur tous les sites.`,
    openNow: html`Ouvertes en ce moment`,
    waits: (until: Html) => html`Votre connexion attend ce choix ici jusqu’au ${until}.`,
    closeNone: 'Ne rien fermer',
    closedElsewhere: html`J’en ai fermé une ailleurs`,
    going: (going: string) => html`Vous alliez vers <b>${going}</b>. Cette adresse est gardée.`,
    unknownBrowser: 'Navigateur inconnu',
    on: (browser: string, system: string) => html`${browser} sur ${system}`,
    account: (account: string, network: string) => html`${account}, réseau ${network}`,
  },
  en: {
    mine: html`My open sessions`,
    mineLead: html`Each line is a browser in which your account is open at the moment. Close those that you do not recognise.`,
    thisDevice: html`This device`,
    here: 'Here',
    shared: 'Shared computer',
    openedUntil: (from: Html, until: Html) => html`Opened ${from}, will close ${until} at the latest`,
    signMeOut: 'Sign me out',
    elsewhere: html`Elsewhere`,
    notAllShown: (shown: number, count: number) => html`The latest ${shown} of ${count} sessions.`,
    noneElsewhere: html`No other session is open with this account.`,
    opened: (from: Html, used: Html | null) => html`${used && html`${used}, `}${used ? 'opened' : 'Opened'} ${from}`,
    used: (ago: Html) => html`Used ${ago} ago at most`,
    close: 'Close',
    theSession: 'the session',
    closeOthers: (count: number) => html`Close the ${count}&nbsp;other sessions`,
    surprised: html`Does a session surprise you?`,
    surprisedHelp: html`Close it, then change the password of your account. Closing holds at once, on all sites. The browser and the network are those of the sign-in; they help to recognise a session and prove nothing.`,
    closeEverything: html`Close everything, here too`,
    which: html`Which session shall we close?`,
    whichLead: (count: number) =>
      count > 1
        ? html`Your account is already open in ${count}&nbsp;other browsers, and that is the most there may be. Close one of these sessions to open it here: it will close on all sites.`
        : html`Your account is already open in another browser, and that is the most there may be. Close this session to open it here: it will close on all sites.`,
    openNow: html`Open at the moment`,
    waits: (until: Html) => html`Your sign-in waits here for your choice until ${until}.`,
    closeNone: 'Close none',
    closedElsewhere: html`I have closed one elsewhere`,
    going: (going: string) => html`You were going to <b>${going}</b>. We have kept this address.`,
    unknownBrowser: 'Unknown browser',
    on: (browser: string, system: string) => html`${browser} on ${system}`,
    account: (account: string, network: string) => html`${account}, network ${network}`,
  },
} as const
