/** From a path of keys to what stands there in the file. */
import type { Located, Position } from './document.ts'
import type { KeyPath } from './problem.ts'

/** Null: nothing stands there. */
export function nodeAt(root: Located | null, path: KeyPath): Located | null {
  let node = root
  for (const part of path) {
    if (node?.kind === 'mapping') node = node.entries.get(String(part))?.value ?? null
    else if (node?.kind === 'list' && typeof part === 'number') node = node.items[part] ?? null
    else return null
  }
  return node
}

/**
 * Where to look: the key itself, or the item of a list. Of what is missing, the nearest thing around it that is there.
 */
export function positionAt(root: Located | null, path: KeyPath): Position {
  let node = root
  let position: Position = { line: 1, column: 1 }
  for (const part of path) {
    if (node?.kind === 'mapping') {
      const entry = node.entries.get(String(part))
      if (entry === undefined) return position
      position = entry.keyAt
      node = entry.value
    } else if (node?.kind === 'list' && typeof part === 'number') {
      const item = node.items[part]
      if (item === undefined) return position
      position = item.at
      node = item
    } else return position
  }
  return position
}
