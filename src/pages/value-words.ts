/** A value of a claim as people read it: itself, and what the configuration calls it. */
import type { Language, Text } from '../model/text.ts'
import { clip, type Html, html } from './escape.ts'

/** By claim, then by value. */
export type ValueLabels = Readonly<Record<string, Readonly<Record<string, Text>>>>

/** Null: the configuration calls it nothing else. A claim, and a value, may be called `constructor`. */
export function labelOf(labels: ValueLabels, language: Language, claim: string, value: string): string | null {
  const ofClaim = Object.hasOwn(labels, claim) ? labels[claim] : undefined
  return ofClaim !== undefined && Object.hasOwn(ofClaim, value) ? (ofClaim[value]?.[language] ?? null) : null
}

/** `INSB`, or `INSB (sciences biologiques)`. */
export function valueInWords(labels: ValueLabels, language: Language, claim: string, value: string): Html {
  const label = labelOf(labels, language, claim, value)
  return html`${boldValue(value)}${label && html` (${clip(label, 80)})`}`
}

export function boldValue(value: string): Html {
  return html`<b><bdi>${clip(value, 48)}</bdi></b>`
}
