/**
 * What the design knows and this version does not: said by name, so that nobody looks for a spelling mistake. Whoever
 * builds one of these takes its line away.
 */
import type { KeyPath } from './problem.ts'

const features: Readonly<Record<string, string>> = {
  zones: 'zones and rewritten hosts',
  limits: 'limits',
  audit: 'audit files',
  usage: 'usage files',
  'listen.workers': 'several workers',
  'idps.saml': 'SAML identity providers',
  'resources.zone': 'zones and rewritten hosts',
  'resources.url': 'zones and rewritten hosts',
  'resources.hosts': 'zones and rewritten hosts',
  'resources.domains': 'zones and rewritten hosts',
  'resources.include': 'included files',
  'resources.via': 'sites behind another proxy (forward authentication)',
  'resources.identity.assertion': 'signed assertions',
  'resources.identity.basic': 'Basic credentials',
  'resources.paths.stepUp': 'second factors',
  'resources.stepUp': 'second factors',
}

/** A plural, for "… are not part of this version"; null: nobody has heard of this key. */
export function laterFeature(path: KeyPath): string | null {
  const names = path.filter(part => typeof part === 'string')
  const key = names.join('.')
  return Object.hasOwn(features, key) ? (features[key] ?? null) : null
}
