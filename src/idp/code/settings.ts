/** Where access codes are kept. */
import { z } from 'zod'
import { codeFile, usesFile } from '../../setting/file.ts'
import { orNull } from '../../setting/or-null.ts'

export const codesSettings = z.strictObject({
  file: codeFile().describe(
    'The file of codes, relative to this one; `passerelle codes add --file FILE` makes it. It holds hashes only, and is read anew when it changes.',
  ),
  state: orNull(usesFile()).describe(
    'A file in which the uses of codes that have a number of them are counted, where `session.store` is the memory of this process: they stay counted when it restarts. Make an empty one before the first start, in a folder that the gateway may write to; one that is missing or damaged later stops the start. With Redis leave it out: that counts for all processes.',
  ),
})
