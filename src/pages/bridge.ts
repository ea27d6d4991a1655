/**
 * A failure or a refusal, drawn as the bridge itself: three piers and two spans. The first span always holds, since the
 * person is reading this; the second has a gap (does not answer) or a gate (closed to this account). The drawing only
 * repeats what the title says.
 */
import type { Language } from '../model/text.ts'
import { clip, type Html, html } from './escape.ts'

export type Span = 'cut' | 'gate'

/** @param far what stands on the other side, in the reader's language */
export function bridge(language: Language, span: Span, far: string): Html {
  const you = language === 'fr' ? 'Vous' : 'You'
  return html`<figure class="bridge"><svg viewBox="0 0 390 92" width="390" height="92" fill="none" stroke="currentColor" role="img" aria-label="${told[language][span](far)}"><path class="whole" d="M40 44Q110 8 180 44"/><path d="M40 32Q110 -4 180 32M75 18v13M110 14v12M145 18v13"/>${spans[span]}<path d="M40 32v36M180 32v36M320 32v36M22 70h36M162 70h36M302 70h36"/><text x="40" y="88">${you}</text><text x="180" y="88">Passerelle</text><text x="320" y="88">${clip(far, 15)}</text></svg></figure>`
}

const spans: Record<Span, Html> = {
  cut: html`<path class="cut" d="M180 44Q204 32 228 27.5M320 44Q296 32 272 27.5"/><path class="gone" d="M236 26.5Q250 25 264 26.5"/><path d="M180 32Q204 20 224 15.5M215 18v13M320 32Q296 20 276 15.5M285 18v13"/>`,
  gate: html`<path class="idle" d="M180 44Q250 8 320 44"/><path d="M180 32Q250 -4 320 32M215 18v13M285 18v13"/><circle class="gate" cx="250" cy="20" r="13"/><path class="cut" d="M243 20h14"/>`,
}

const told: Record<Language, Record<Span, (far: string) => Html>> = {
  fr: {
    cut: far =>
      html`De votre appareil à Passerelle, le passage est ouvert&#8239;; de Passerelle à ${far}, il est coupé.`,
    gate: far =>
      html`De votre appareil à Passerelle, le passage est ouvert&#8239;; de Passerelle à ${far}, il est fermé pour ce compte.`,
  },
  en: {
    cut: far => html`The way from your device to Passerelle is open; from Passerelle to ${far} it is cut.`,
    gate: far =>
      html`The way from your device to Passerelle is open; from Passerelle to ${far} it is closed for this account.`,
  },
}
