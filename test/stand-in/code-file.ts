/** A file of access codes on disk, as `passerelle codes add` writes it. */
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type WrittenCode, withCode } from '../../src/config/access-code-edit.ts'
import { hashOf, writeHash } from '../../src/idp/code/hash.ts'
import { inGroups, newCode } from '../../src/idp/code/spelling.ts'

export interface CodeFile {
  readonly path: string
  /** @returns the code as it is handed out */
  readonly add: (more?: Omit<WrittenCode, 'selector' | 'hash'>) => Promise<string>
  readonly text: () => Promise<string>
  readonly write: (text: string) => Promise<void>
  readonly remove: () => Promise<void>
}

export async function makeCodeFile(): Promise<CodeFile> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-codes-'))
  const path = join(folder, 'access-codes.yaml')
  const taken = new Set<string>()
  const text = () => readFile(path, 'utf8')
  // As the command does it: another file in the place of the old one.
  const write = async (content: string) => {
    await writeFile(`${path}.new`, content)
    await rename(`${path}.new`, path)
  }
  await write('')
  return {
    path,
    text,
    write,
    async add(more = {}) {
      const code = newCode(taken)
      taken.add(code.selector)
      await write(
        withCode(await text(), { selector: code.selector, hash: writeHash(await hashOf(code.whole)), ...more }),
      )
      return inGroups(code)
    },
    remove: () => rm(folder, { recursive: true }),
  }
}
