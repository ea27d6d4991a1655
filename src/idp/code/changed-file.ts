/**
 * Changes to a file that several processes change, commands and gateways of one machine: each sees what the one before it wrote, and a
 * file stands there whole or not at all, whatever breaks off in between.
 *
 * A lock (`FILE.lock`, made with O_EXCL) keeps them apart for the milliseconds of one change. One that has not moved for ten seconds was
 * left by somebody who died: it is taken away. An editor knows no lock; so the file is compared once more before it is replaced, and
 * the change is made anew on what stands there then.
 */
import { randomBytes } from 'node:crypto'
import type { Stats } from 'node:fs'
import { chmod, type FileHandle, link, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Says which half failed: what an operator does about it is not the same. */
export class FileNotChanged extends Error {
  readonly step: 'read' | 'write'

  constructor(step: 'read' | 'write', cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.step = step
  }
}

export interface Change<Result> {
  /** Null: the file stays as it is. */
  readonly text: string | null
  readonly result: Result
}

/** Milliseconds: after which a lock that does not move is nobody's, and how long one is waited for. */
const patience = { staleMs: 10_000, givenUpMs: 30_000 }
/** Between two looks at a lock that somebody holds. */
const pauseMs = 25
/** Somebody who saves without end is waited for no longer. */
const mostTries = 20

/**
 * @param edit gets what the file holds, null where there is none; asked again where somebody else was faster
 * @throws FileNotChanged, and whatever `edit` throws: the file is then as it was
 */
export async function changeFile<Result>(
  file: string,
  edit: (text: string | null) => Change<Result>,
  waits = patience,
): Promise<Result> {
  // A link stays one: what it leads to is replaced.
  const place = await realpath(file).catch(() => file)
  const lock = await locked(`${place}.lock`, waits)
  try {
    for (let tries = 0; tries < mostTries; tries++) {
      const before = await stateOf(place)
      const text = await textOf(place)
      const change = edit(text)
      if (change.text === null) return change.result
      const unchanged = async () => (await stateOf(place)) === before && (await lock.isHeld())
      if (await replace(place, change.text, unchanged)) return change.result
    }
    throw new FileNotChanged('write', new Error('somebody else changes it all the time'))
  } finally {
    await lock.release()
  }
}

/** Changes whenever the file does, also where another takes its place. */
export async function stateOf(file: string): Promise<string> {
  try {
    const { mtimeNs, size, ino } = await stat(file, { bigint: true })
    return `${mtimeNs} ${size} ${ino}`
  } catch (error) {
    return String(error)
  }
}

async function textOf(place: string): Promise<string | null> {
  try {
    return await readFile(place, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw new FileNotChanged('read', error)
  }
}

/**
 * A new file in the place of the old one, on disk when this returns. Nobody reads it but its owner and, where it did before, its group:
 * a gateway may be no more than that. False: somebody was faster.
 */
async function replace(place: string, text: string, unchanged: () => Promise<boolean>): Promise<boolean> {
  const beside = `${place}.${randomBytes(6).toString('hex')}.new`
  try {
    const old = await stat(place).catch(() => null)
    let mode = 0o600
    const handle = await open(beside, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      // An administrator who edits it does not take it from the gateway.
      if (old !== null && (await isGivenTo(handle, old))) mode |= old.mode & 0o040
      await handle.sync()
    } finally {
      await handle.close()
    }
    await chmod(beside, mode)
    if (!(await unchanged())) {
      await rm(beside, { force: true })
      return false
    }
    await rename(beside, place)
    await syncFolder(dirname(place))
    return true
  } catch (error) {
    await rm(beside, { force: true })
    throw new FileNotChanged('write', error)
  }
}

/** False: its group is another one now, for only root may give files away, and others to groups of their own. */
async function isGivenTo(handle: FileHandle, { uid, gid }: Stats): Promise<boolean> {
  const own = process.getuid?.() ?? 0
  try {
    await handle.chown(own === 0 ? uid : own, gid)
    return true
  } catch (error) {
    if (hasCode(error, 'EPERM')) return false
    throw error
  }
}

/** Until then a crash of the machine may bring the old file back. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

interface Lock {
  /** False: somebody thought us dead, and took it. */
  readonly isHeld: () => Promise<boolean>
  readonly release: () => Promise<void>
}

async function locked(lock: string, { staleMs, givenUpMs }: typeof patience): Promise<Lock> {
  const begun = performance.now()
  let seen = { state: '', at: begun }
  for (;;) {
    const mine = await taken(lock)
    if (mine !== null) {
      const isHeld = async () => (await stateOf(lock)) === mine
      return { isHeld, release: async () => void ((await isHeld()) && (await rm(lock, { force: true }))) }
    }
    const state = await stateOf(lock)
    // By our own clock, which no other machine that shares the disk has.
    const at = performance.now()
    if (state !== seen.state) seen = { state, at }
    else if (at - seen.at >= staleMs) await takeAway(lock, state)
    if (at - begun > givenUpMs)
      throw new FileNotChanged('write', new Error(`${lock} is held; remove it if nobody changes the file`))
    await new Promise(resolve => setTimeout(resolve, pauseMs * (0.5 + Math.random())))
  }
}

/** The state by which we know it again; null: somebody has it. */
async function taken(lock: string): Promise<string | null> {
  try {
    const handle = await open(lock, 'wx', 0o600)
    // Whoever finds it left behind may want to know by whom.
    await handle.writeFile(`${process.pid}\n`)
    await handle.close()
    return await stateOf(lock)
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return null
    throw new FileNotChanged('write', error)
  }
}

/** Two who do this at the same moment must not take away what a third has made since: it is moved first, and looked at. */
async function takeAway(lock: string, stale: string): Promise<void> {
  const aside = `${lock}.${randomBytes(6).toString('hex')}`
  try {
    await rename(lock, aside)
    if ((await stateOf(aside)) !== stale) await link(aside, lock)
  } catch {
    // Somebody else took it away, or has it again.
  }
  await rm(aside, { force: true })
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
