/** Where access codes are kept. */
import { z } from 'zod'
import { codeFile } from '../../setting/file.ts'

export const codesSettings = z.strictObject({
  file: codeFile().describe(
    'The file of codes, relative to this one; `passerelle codes add --file FILE` makes it. It holds hashes only, and is read anew when it changes.',
  ),
})

export type CodesSettings = z.output<typeof codesSettings>
