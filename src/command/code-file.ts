/** A file of access codes as a command finds it: whole, or a sentence for the terminal. */
import { readFile } from 'node:fs/promises'
import { readCodes } from '../config/access-codes.ts'
import { readingFault } from '../config/substitute.ts'
import type { AccessCode } from '../idp/code/access-code.ts'
import { NotDone } from './not-done.ts'

/** @throws NotDone a file that a gateway would not read is none to write to, nor to be listed */
export function wholeCodes(file: string, content: string): readonly AccessCode[] {
  const { codes, faults } = readCodes(content, { mayCountUses: true })
  const [fault] = faults
  if (fault !== undefined) throw new NotDone(`${file}:${fault.line}:${fault.column}: ${fault.message}`)
  return codes
}

/** @throws NotDone there is none */
export async function codesIn(file: string): Promise<readonly AccessCode[]> {
  const content = await readText(file)
  if (content === null) throw new NotDone(`the file ${file} does not exist`)
  return wholeCodes(file, content)
}

/** Null: there is none. */
export async function readText(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw new NotDone(`the file ${file} ${readingFault(error)}`)
  }
}
