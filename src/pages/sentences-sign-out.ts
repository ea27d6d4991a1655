/** What a person reads when a sign-out does not go as it should. */
import type { ErrorCode } from '../errors.ts'
import { html } from './escape.ts'
import type { Sentences } from './sentence.ts'

type Code = Extract<ErrorCode, `logout.${string}`>

export const ofSignOut: Sentences<Code> = {
  'logout.not-stored': {
    fr: () => ({
      title: html`Votre session n’est pas encore fermée`,
      lead: html`Le registre des sessions ne répond pas. En attendant, aucun site ne s’ouvre avec votre compte dans ce navigateur&#8239;; dès son retour, nous terminerons la fermeture sans vous.`,
    }),
    en: () => ({
      title: html`Your session is not closed yet`,
      lead: html`The register of sessions does not answer. Until it does, no site opens with your account in this browser; we will finish closing it by ourselves.`,
    }),
  },
  'logout.not-left': {
    fr: ({ subject }) => ({
      title: html`Rien n’est encore fermé`,
      lead: html`Le registre des sessions ne répond pas. ${subject ?? 'Ce site'} reste ouvert avec votre compte dans ce navigateur, et n’a rien reçu. Réessayez dans un instant.`,
    }),
    en: ({ subject }) => ({
      title: html`Nothing is closed yet`,
      lead: html`The register of sessions does not answer. ${subject ?? 'This site'} stays open with your account in this browser, and received nothing. Try again in a moment.`,
    }),
  },
  'logout.not-pressed': {
    fr: ({ subject }) => ({
      title: html`Cette adresse déconnecte`,
      lead: html`Elle ne le fait que si vous utilisez vous-même le lien ou le bouton de ${subject ?? 'ce site'}, dans sa propre fenêtre. Rien n’a été fermé, et le site n’a rien reçu.`,
    }),
    en: ({ subject }) => ({
      title: html`This address signs out`,
      lead: html`It does so only when you use the link or the button of ${subject ?? 'this site'} yourself, in its own window. Nothing was closed, and the site received nothing.`,
    }),
  },
  'logout.token-rejected': {
    fr: () => ({
      title: html`Cet avis de déconnexion n’est pas accepté`,
      lead: html`Un service de connexion a annoncé une déconnexion, mais rien ne prouve que l’avis vient de lui. Aucune session n’a été fermée.`,
    }),
    en: () => ({
      title: html`This notice of a sign-out is not accepted`,
      lead: html`A sign-in service announced a sign-out, but nothing proves that the notice comes from it. No session was closed.`,
    }),
  },
  'logout.too-many': {
    fr: () => ({
      title: html`Trop d’avis de déconnexion refusés`,
      lead: html`Cette adresse a envoyé trop d’avis de déconnexion sans valeur. Les suivants seront de nouveau lus dans une minute.`,
    }),
    en: () => ({
      title: html`Too many refused notices of sign-outs`,
      lead: html`This address has sent too many worthless notices of sign-outs. The next ones will be read again in a minute.`,
    }),
  },
}
