/**
 * How often codes were used, in a file: for a gateway of one machine that keeps its sessions in memory and its promises all the same.
 * It is read and replaced at each use, under a lock, so that a restart gives nothing back and two processes count together. Whatever
 * is wrong with it refuses the use: a file that is missing or damaged must never mean that nothing was used.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { GatewayError } from '../../errors.ts'
import { changeFile, FileNotChanged } from './changed-file.ts'

const firstLine = 'passerelle-uses 1'
const entry = /^([\w-]{43}) ([1-9]\d{0,6})$/

/** From what was used, hashed, to how often; or what is wrong, as a sentence that goes on after the name of the file. */
export type Uses = ReadonlyMap<string, number> | string

/** An empty file is one in which nothing was counted yet. */
export function readUses(text: string): Uses {
  if (text === '') return new Map()
  const [, body, sum] = /^([\s\S]*\n)sha256 ([\w-]{43})\n$/.exec(text) ?? []
  if (body === undefined || sumOf(body) !== sum) return 'is damaged: its last line does not fit what stands above'
  const [first, ...lines] = body.slice(0, -1).split('\n')
  if (first !== firstLine) return `is damaged: its first line is not "${firstLine}"`
  const uses = new Map<string, number>()
  for (const line of lines) {
    const [, name, count] = entry.exec(line) ?? []
    if (name === undefined || uses.has(name)) return 'is damaged: one of its lines is no count, or stands there twice'
    uses.set(name, Number(count))
  }
  return uses
}

export function writeUses(uses: ReadonlyMap<string, number>): string {
  const body = [firstLine, ...[...uses].map(([name, count]) => `${name} ${count}`), ''].join('\n')
  return `${body}sha256 ${sumOf(body)}\n`
}

/** What to do about one that does not read. */
export const usesHint =
  'Put it back from a copy. Emptying it makes every code with a number of uses begin anew: revoke these first.'

/**
 * @returns counts one use in the file; false: it has had as many as it may
 * @throws GatewayError `code.not-counted` the file is missing, damaged, or cannot be written: nothing was counted
 */
export function countUsesIn(file: string): (name: string, most: number) => Promise<boolean> {
  return async (name, most) => {
    const key = keyOf(name)
    try {
      return await changeFile(file, text => {
        const uses = text === null ? 'does not exist' : readUses(text)
        if (typeof uses === 'string') throw uncounted(`${file} ${uses}`)
        const count = uses.get(key) ?? 0
        if (count >= most) return { text: null, result: false }
        return { text: writeUses(new Map(uses).set(key, count + 1)), result: true }
      })
    } catch (error) {
      if (!(error instanceof FileNotChanged)) throw error
      throw uncounted(`${file} could not be ${error.step === 'read' ? 'read' : 'written'}: ${error.message}`, error)
    }
  }
}

/**
 * For whoever only looks: the file is replaced whole, so it needs no lock.
 *
 * @returns how often something was used, by its name
 * @throws GatewayError `code.not-counted` the file is missing, damaged, or cannot be read
 */
export async function usedIn(file: string): Promise<(name: string) => number> {
  const uses = await readFile(file, 'utf8').then(readUses, (error: unknown) => {
    throw uncounted(`${file} could not be read: ${(error as Error).message}`, error)
  })
  if (typeof uses === 'string') throw uncounted(`${file} ${uses}`)
  return name => uses.get(keyOf(name)) ?? 0
}

function keyOf(name: string): string {
  return createHash('sha256').update(name).digest('base64url')
}

function uncounted(detail: string, cause?: unknown): GatewayError {
  return new GatewayError('code.not-counted', detail, { hint: usesHint, cause })
}

function sumOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
