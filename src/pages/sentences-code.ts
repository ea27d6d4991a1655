/** What a person reads when an access code does not open anything: on its own form, mostly, and else on a page of failure. */
import type { ErrorCode } from '../errors.ts'
import { html } from './escape.ts'
import type { Sentences } from './sentence.ts'

type Code = Extract<ErrorCode, `code.${string}`>

export const ofCodes: Sentences<Code> = {
  'code.wrong': {
    fr: () => ({
      title: html`Ce code d’accès n’est pas reconnu`,
      lead: html`Un code a vingt signes, chiffres et lettres. Comparez-le à celui que vous avez reçu, puis ressaisissez-le en entier&nbsp;: majuscules, espaces et tirets ne comptent pas.`,
    }),
    en: () => ({
      title: html`This access code is not known`,
      lead: html`A code has twenty characters, digits and letters. Compare it with the one that you were given, then type the whole of it again: capitals, spaces and hyphens do not matter.`,
    }),
  },
  'code.locked': {
    fr: ({ wait }) => ({
      title: html`Trop d’essais avec ce code, ou depuis votre réseau`,
      lead: html`Par prudence, une pause est imposée.${wait && html` Prochain essai dans ${wait.length}.`} Le code reste valable, et les sessions déjà ouvertes continuent.`,
    }),
    en: ({ wait }) => ({
      title: html`Too many tries with this code, or from your network`,
      lead: html`To be safe, there is a pause.${wait && html` Next try in ${wait.length}.`} The code stays good, and sessions that are already open go on.`,
    }),
  },
  'code.not-yet': {
    fr: () => ({
      title: html`Ce code d’accès n’est pas encore valable`,
      lead: html`C’est le bon code, mais sa période n’a pas commencé. Qui vous l’a donné sait depuis quel jour il ouvre.`,
    }),
    en: () => ({
      title: html`This access code is not valid yet`,
      lead: html`It is the right code, but its time has not begun. Whoever gave it to you knows from which day it opens.`,
    }),
  },
  'code.expired': {
    fr: () => ({
      title: html`Ce code d’accès a expiré`,
      lead: html`C’était le bon code, mais sa période est passée. Demandez-en un autre à qui vous l’a donné.`,
    }),
    en: () => ({
      title: html`This access code has expired`,
      lead: html`It was the right code, but its time is over. Ask whoever gave it to you for another.`,
    }),
  },
  'code.used-up': {
    fr: () => ({
      title: html`Ce code d’accès a servi autant de fois que prévu`,
      lead: html`C’est le bon code, mais il ne vaut que pour un nombre de connexions, et toutes ont eu lieu. Demandez-en un autre à qui vous l’a donné.`,
    }),
    en: () => ({
      title: html`This access code has been used as often as it may be`,
      lead: html`It is the right code, but it is good for a number of sign-ins, and all of them have taken place. Ask whoever gave it to you for another.`,
    }),
  },
  'code.not-counted': {
    fr: () => ({
      title: html`Votre code d’accès n’a pas pu être utilisé`,
      lead: html`C’est le bon code, mais il ne vaut que pour un nombre de connexions, et celle-ci n’a pas pu être comptée. La panne est chez nous et nous est signalée&nbsp;: réessayez plus tard.`,
    }),
    en: () => ({
      title: html`Your access code could not be used`,
      lead: html`It is the right code, but it is good for a number of sign-ins, and this one could not be counted. The fault is ours and has been reported: try again later.`,
    }),
  },
  'code.not-offered': {
    fr: () => ({
      title: html`Les codes d’accès ne sont plus proposés`,
      lead: html`Ils remplacent un service de connexion en panne, et ce service répond de nouveau. Connectez-vous avec votre compte habituel. Les sessions déjà ouvertes continuent.`,
    }),
    en: () => ({
      title: html`Access codes are no longer offered`,
      lead: html`They stand in for a sign-in service that is away, and that service answers again. Sign in with your usual account. Sessions that are already open go on.`,
    }),
  },
}
