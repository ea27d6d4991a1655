/**
 * A self-signed certificate, made on the spot: tests of TLS need no openssl and no key in the repository.
 * X.509 v3 (RFC 5280 §4.1) in DER, with a P-256 key; it is its own authority.
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

export interface Certificate {
  /** PEM, both. */
  readonly certificate: string
  readonly key: string
}

/**
 * @param names     DNS names that it holds for
 * @param notAfter  its end; an hour from now unless said
 */
export function selfSigned(names: readonly string[], notAfter: Date = new Date(Date.now() + 3_600_000)): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const notBefore = new Date(Math.min(Date.now(), notAfter.getTime()) - 3_600_000)
  const algorithm = sequence(objectId('2a8648ce3d040302')) // ecdsa-with-SHA256
  const name = sequence(der(0x31, sequence(objectId('550403'), der(0x0c, Buffer.from(names[0] ?? 'nobody')))))
  const toBeSigned = sequence(
    der(0xa0, integer(2)), // v3
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    name,
    sequence(time(notBefore), time(notAfter)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(
      0xa3,
      sequence(
        extension('551d13', sequence(der(0x01, Buffer.from([0xff])))), // basicConstraints: an authority
        extension('551d11', sequence(...names.map(dns => der(0x82, Buffer.from(dns))))), // subjectAltName
      ),
    ),
  )
  const signature = sign('sha256', toBeSigned, privateKey)
  const whole = sequence(toBeSigned, algorithm, der(0x03, Buffer.concat([Buffer.from([0]), signature])))
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines(whole.toString('base64'))}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content)
  const long = body.length.toString(16).padStart(body.length > 0xff ? 4 : 2, '0')
  const length =
    body.length < 0x80
      ? Buffer.from([body.length])
      : Buffer.concat([Buffer.from([0x80 | (long.length / 2)]), Buffer.from(long, 'hex')])
  return Buffer.concat([Buffer.from([tag]), length, body])
}

function sequence(...content: readonly Buffer[]): Buffer {
  return der(0x30, ...content)
}

function integer(value: number): Buffer {
  return der(0x02, Buffer.from([value]))
}

function objectId(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'))
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(objectId(id), der(0x04, value))
}

/** GeneralizedTime, to the second. */
function time(date: Date): Buffer {
  return der(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]|\.\d+/g, '')}`))
}

function lines(base64: string): string {
  return base64.match(/.{1,64}/g)?.join('\n') ?? ''
}
