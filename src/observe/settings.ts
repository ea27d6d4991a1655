/** What is written to the log. */
import { z } from 'zod'
import { flag } from '../setting/flag.ts'

const logSettings = z.strictObject({
  level: z
    .enum(['info', 'warn', 'error', 'silent'])
    .prefault('info')
    .describe('The least that is written. `silent`: nothing at all.'),
  requests: flag.prefault(true).describe('One line for each request.'),
})

export const topKeys = {
  log: logSettings.prefault({}).describe('What is written to the log, on standard output, one JSON object a line.'),
}
