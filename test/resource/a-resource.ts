/** Resources for tests, through the very settings that an operator's file goes through. */
import { z } from 'zod'
import type { Resource } from '../../src/model/resource.ts'
import { createAccessOf } from '../../src/policy/access.ts'
import { resourceKeys as policyKeys, topKeys as policyTopKeys } from '../../src/policy/settings.ts'
import { compileIdentityHeaders } from '../../src/proxy/identity-headers.ts'
import { resourceKeys as proxyKeys } from '../../src/proxy/settings.ts'
import { buildResources, publicAddressOf } from '../../src/resource/build.ts'
import { resourceKeys } from '../../src/resource/settings.ts'

const settingsOf = z.array(z.strictObject({ ...resourceKeys, ...policyKeys, ...proxyKeys }))
const policiesOf = z.strictObject(policyTopKeys)

export const portal = publicAddressOf(new URL('https://acces.example.org'))

/** @param written as in the file; `id`, `title`, `origin` and `policy: signed-in` are filled in where they are missing */
export function theResources(
  written: readonly Record<string, unknown>[],
  policies: Record<string, unknown> = {},
): readonly Resource[] {
  const complete = written.map((one, index) => ({
    id: `r${index}`,
    title: `Site ${index}`,
    origin: 'http://10.0.0.1',
    policy: 'signed-in',
    ...one,
  }))
  return buildResources(settingsOf.parse(complete), {
    accessOf: createAccessOf(policiesOf.parse({ policies }).policies),
    identityHeadersOf: settings => compileIdentityHeaders(settings.identity),
  })
}

export function aResource(written: Record<string, unknown>, policies: Record<string, unknown> = {}): Resource {
  return theResources([{ at: 'https://courses.example.org', ...written }], policies)[0] as Resource
}
