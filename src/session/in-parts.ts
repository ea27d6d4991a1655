/** A long list of sessions in pieces: each is a command or more, and all at once would leave the store no room for anybody else. */
export function inParts<Item>(items: readonly Item[], atOnce = 100): readonly (readonly Item[])[] {
  const parts: Item[][] = []
  for (let from = 0; from < items.length; from += atOnce) parts.push(items.slice(from, from + atOnce))
  return parts
}
