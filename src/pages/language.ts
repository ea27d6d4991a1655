/** Which of our languages a browser asks for (RFC 9110 §12.5.4). */
import { type Language, languages } from '../model/text.ts'

/** French where nothing matches. Of two languages with the same weight the first one named wins. */
export function languageOf(acceptLanguage: string | undefined): Language {
  const asked = (acceptLanguage ?? '').split(',').map(rangeOf)
  const named = new Set(asked.map(range => range.language))
  let best: Language = 'fr'
  let highest = 0
  for (const { language, weight } of asked) {
    if (weight <= highest) continue
    // `*` stands for what no other range names.
    const match = languages.find(ours => (language === '*' ? !named.has(ours) : ours === language))
    if (match === undefined) continue
    best = match
    highest = weight
  }
  return best
}

/** `fr-CH;q=0.8` is 0.8 for `fr`: we have no regional texts. A weight that cannot be read is 0. */
function rangeOf(item: string): { readonly language: string; readonly weight: number } {
  const [range = '', ...parameters] = item.split(';').map(part => part.trim().toLowerCase())
  const quality = parameters.find(parameter => parameter.startsWith('q='))
  const weight = quality === undefined ? 1 : Number(quality.slice(2))
  return { language: range.split('-', 1)[0] ?? '', weight: weight >= 0 && weight <= 1 ? weight : 0 }
}
