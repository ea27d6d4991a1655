/** What the listeners need: where browsers find us, where we listen, whom we believe, how we stop. */
import { z } from 'zod'
import { durationBetween } from '../setting/duration.ts'
import { pemFile } from '../setting/file.ts'
import { network, socketAddress } from '../setting/network.ts'
import { orNull } from '../setting/or-null.ts'
import { keySecret } from '../setting/secret.ts'
import { webAddress } from '../setting/web-address.ts'

const tls = z.strictObject({
  certificate: pemFile('CERTIFICATE').describe('PEM file: the certificate, then its intermediates.'),
  key: pemFile('PRIVATE KEY').describe('PEM file: the private key.'),
})

const listen = z.strictObject({
  address: socketAddress
    .prefault('127.0.0.1:8080')
    .describe('The IP address and port that take requests. `0.0.0.0:8080` and `[::]:8080` stand for every address.'),
  tls: orNull(tls).describe('Absent: TLS ends at a load balancer in front.'),
  trustedProxies: z
    .array(network)
    .prefault([])
    .describe(
      'Addresses and networks whose `X-Forwarded-For` is believed. Empty: nobody’s, and behind a load balancer all readers then share its address, and its 600 sign-ins a minute.',
    ),
})

/** A header carries it as it stands (RFC 6750 §2.1). */
const bearerSecret = keySecret.superRefine((value, context) => {
  if (/^[\x21-\x7e]+$/.test(value.reveal())) return
  const message = 'must have no spaces and only ASCII characters; `openssl rand -base64 48` makes a good one'
  context.addIssue({ code: 'custom', message })
})

const operations = z.strictObject({
  address: socketAddress
    .prefault('127.0.0.1:9090')
    .describe('The IP address and port of `/livez`, `/readyz` and `/metrics`. Never a public one.'),
  secret: orNull(bearerSecret).describe(
    'What `passerelle sessions` proves itself with, at least 32 bytes. It travels in clear to that address. Absent: this listener takes no commands.',
  ),
})

const drain = z.strictObject({
  wait: durationBetween('0s', '10m')
    .prefault('5s')
    .describe(
      'After the signal to stop, `/readyz` says so for this long before connections are refused, so that load balancers notice.',
    ),
  timeout: durationBetween('1s', '1h')
    .prefault('30s')
    .describe('Requests that are still running after this long are cut.'),
})

export const topKeys = {
  portal: webAddress({ example: 'https://acces.example.org', http: 'local', path: 'none' }).describe(
    'Where people sign in and out, as browsers see it. This host is the gateway’s alone. Plain http only on this machine.',
  ),
  listen: listen.prefault({}).describe('The listener that browsers, or the load balancer in front, reach.'),
  operations: operations.prefault({}).describe('The second listener, for machines.'),
  drain: drain.prefault({}).describe('How the gateway stops.'),
}
