/** What a person reads where a sign-in went round in circles and was stopped. */
import { html } from './escape.ts'
import type { Sentences } from './sentence.ts'

export type CircleCode = 'login.loop' | 'login.silent-loop'

export const ofCircles: Sentences<CircleCode> = {
  'login.loop': {
    fr: () => ({
      title: html`La connexion tourne en rond`,
      lead: html`Trois connexions ont réussi en une minute, et chaque fois votre navigateur est revenu sans sa session. Nous nous sommes arrêtés ici plutôt que de vous renvoyer encore.`,
      steps: {
        heading: html`À essayer, dans cet ordre`,
        items: [
          html`Fermez les autres onglets de ce site, puis reprenez la connexion.`,
          html`Effacez dans les réglages du navigateur les cookies de ce site, ou essayez une fenêtre privée.`,
          html`Si rien n’y fait, signalez-le avec la référence ci-dessous&nbsp;: la panne est peut-être de notre côté.`,
        ],
      },
    }),
    en: () => ({
      title: html`The sign-in goes round in circles`,
      lead: html`Three sign-ins succeeded within a minute, and each time your browser came back without its session. We stopped here rather than send you round once more.`,
      steps: {
        heading: html`To try, in this order`,
        items: [
          html`Close the other tabs of this site, then sign in again.`,
          html`Clear the cookies of this site in the browser’s settings, or try a private window.`,
          html`If nothing helps, report it with the reference below: the fault may be on our side.`,
        ],
      },
    }),
  },
  'login.silent-loop': {
    fr: ({ going }) => ({
      title: html`Un site vous renvoie ici sans cesse`,
      lead: html`${going ? 'Ce site' : 'Une page'} demande encore et encore si vous êtes connecté, et vous ne l’êtes pas. Nous nous sommes arrêtés ici plutôt que de vous renvoyer encore.`,
      steps: {
        heading: html`À essayer, dans cet ordre`,
        items: [
          html`Connectez-vous par le bouton ci-dessous&nbsp;: le site saura alors qui vous êtes.`,
          html`Ou attendez dix minutes, et ouvrez le site de nouveau.`,
          html`Si cela revient, signalez-le avec la référence ci-dessous&nbsp;: la panne est du côté du site, pas du vôtre.`,
        ],
      },
    }),
    en: ({ going }) => ({
      title: html`A site keeps sending you here`,
      lead: html`${going ? 'This site' : 'A page'} asks again and again whether you are signed in, and you are not. We stopped here rather than send you back once more.`,
      steps: {
        heading: html`Try, in this order`,
        items: [
          html`Sign in by the button below: the site will then know who you are.`,
          html`Or wait ten minutes, and open the site again.`,
          html`If it comes back, report it with the reference below: the fault is the site’s, not yours.`,
        ],
      },
    }),
  },
}
