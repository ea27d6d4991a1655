/** How the gateway reaches others: origins and identity providers. */
import { isIP } from 'node:net'
import { z } from 'zod'
import { pemFile } from '../setting/file.ts'
import { orNull } from '../setting/or-null.ts'

const localAddress = z
  .string({ error: 'must be an IP address of this machine' })
  .refine(text => isIP(text) !== 0, { error: 'must be an IP address of this machine' })

const outboundSettings = z.strictObject({
  ca: orNull(pemFile('CERTIFICATE')).describe(
    'PEM file of certificate authorities that are believed beside those of the system.',
  ),
  localAddress: orNull(localAddress).describe('The address of this machine from which connections are made.'),
})

export const topKeys = {
  outbound: outboundSettings.prefault({}).describe('How the gateway reaches origins and identity providers.'),
}
