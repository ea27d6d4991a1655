/**
 * Files looked at again and again, by their times and sizes: the same on a local disk, on one of the network, and where Kubernetes
 * changes a link for another. What changed is acted on when it has stood still for one look, so that a file is not read while it is written.
 */
import { stat } from 'node:fs/promises'

export interface WatchParts {
  /** The files of the moment: what is read may name others than before. */
  readonly files: () => readonly string[]
  /** Never rejects. */
  readonly changed: () => Promise<unknown>
  /** Milliseconds between two looks. */
  readonly everyMs: number
}

/** What a look saw, by file. */
type Seen = ReadonlyMap<string, string>

/** The first look, from which changes count, is over when this resolves. It keeps no process alive. @returns ends it */
export async function watchFiles({ files, changed, everyMs }: WatchParts): Promise<() => void> {
  let settled = await look(files())
  let before = settled
  let timer: NodeJS.Timeout | null = null
  next()
  return () => {
    if (timer !== null) clearTimeout(timer)
    timer = null
  }

  function next(): void {
    timer = setTimeout(once, everyMs)
    timer.unref()
  }

  async function once(): Promise<void> {
    const mine = timer
    const now = await look(files())
    if (isSame(now, before) && !isSame(now, settled)) {
      settled = now
      await changed()
      // Of files that are named only now nothing was seen before they were read: the next looks act on them once more.
    }
    before = now
    if (timer === mine) next()
  }
}

async function look(files: readonly string[]): Promise<Seen> {
  return new Map(await Promise.all(files.map(async file => [file, await stateOf(file)] as const)))
}

/** Changes whenever the file does: one that is put in its place has another inode. */
async function stateOf(file: string): Promise<string> {
  try {
    const { mtimeNs, size, ino } = await stat(file, { bigint: true })
    return `${mtimeNs} ${size} ${ino}`
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}

/** Files that are not looked at any more do not count. */
function isSame(now: Seen, earlier: Seen): boolean {
  return [...now].every(([file, state]) => earlier.get(file) === state)
}
