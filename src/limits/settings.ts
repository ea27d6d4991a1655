/** Networks that many people share: what is counted by address is counted with more patience there. */
import { z } from 'zod'
import { countBetween } from '../setting/count.ts'
import { network } from '../setting/network.ts'
import { oneOrMore } from '../setting/one-or-more.ts'

const namedNetwork = z.strictObject({
  address: oneOrMore(
    network,
    'must be an address or a network, or a list of them',
    'must name one network at least',
  ).describe('The addresses that these people come from, as the gateway sees them. They are counted together.'),
  failedCodes: countBetween(100, 100_000).describe(
    'So many wrong access codes may come from there within a quarter of an hour. Elsewhere it is 100 for each IPv4 /24 or IPv6 /64; a code that somebody goes on guessing at is protected all the same.',
  ),
})

export const topKeys = {
  networks: z
    .array(namedNetwork)
    .prefault([])
    .describe(
      'Schools, libraries and others who come from few addresses. Of several that hold an address the first counts. Behind a load balancer it needs `listen.trustedProxies`.',
    ),
}

export type NamedNetwork = z.output<typeof namedNetwork>
