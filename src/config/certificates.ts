/** Certificates and keys that fit nothing, or not each other: said before anything listens, and before a reload takes them over. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { KeyPath, Tell } from './problem.ts'
import type { Part, Settings } from './schema.ts'

export function checkCertificates({ listen, outbound }: Part<Settings>, tell: Tell): void {
  const [cert, key, ca] = [listen?.tls?.certificate, listen?.tls?.key, outbound?.ca]
  const ours = isRead(cert) ? certificateIn(cert, ['listen', 'tls', 'certificate'], tell) : null
  const secret = isRead(key) ? keyIn(key, tell) : null
  if (ours !== null && secret !== null && isRead(cert) && isRead(key)) checkPair(ours, secret, { cert, key }, tell)
  if (isRead(ca)) certificateIn(ca, ['outbound', 'ca'], tell)
}

/** In a configuration with other problems the name of the file may stand there still. */
function isRead(pem: string | null | undefined): pem is string {
  return typeof pem === 'string' && pem.includes('-----BEGIN ')
}

/** The first one in a PEM text: of a chain it is the one that counts. Null: it cannot be read, and that is said. */
function certificateIn(pem: string, path: KeyPath, tell: Tell): X509Certificate | null {
  try {
    return new X509Certificate(pem)
  } catch {
    tell.problem(path, 'names a file whose certificate cannot be read')
    return null
  }
}

function keyIn(pem: string, tell: Tell): KeyObject | null {
  try {
    return createPrivateKey(pem)
  } catch {
    const why = pem.includes('ENCRYPTED')
      ? 'is protected by a passphrase: the gateway needs it without'
      : 'cannot be read'
    tell.problem(['listen', 'tls', 'key'], `names a file whose private key ${why}`)
    return null
  }
}

function checkPair(ours: X509Certificate, secret: KeyObject, pair: { cert: string; key: string }, tell: Tell): void {
  if (!ours.checkPrivateKey(secret)) {
    tell.problem(
      ['listen', 'tls', 'key'],
      'names a file with the private key of another certificate than listen.tls.certificate',
    )
    return
  }
  try {
    createSecureContext(pair)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    tell.problem(['listen', 'tls', 'certificate'], `names a file that TLS cannot use: ${why}`)
  }
}
