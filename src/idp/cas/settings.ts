/** What a CAS server needs to be found by. */
import { z } from 'zod'
import { webAddress } from '../../setting/web-address.ts'

export const casSettings = z.strictObject({
  server: webAddress({ example: 'https://cas.example.edu/cas', http: 'local', path: 'any' })
    .refine(({ href }) => !/[?#]/.test(href), { error: 'must not have a query or a fragment' })
    .describe(
      'The address below which it has `/login`, `/logout` and `/serviceValidate`. Plain http only on this machine.',
    ),
  version: z
    .union([z.literal(2), z.literal(3)], { error: 'must be 2 or 3' })
    .prefault(3)
    .describe('Of the protocol: 3 asks for attributes at `/p3/serviceValidate`, 2 at `/serviceValidate`.'),
})
