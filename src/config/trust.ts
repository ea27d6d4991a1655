/** What is trusted, and for how long: secrets, sessions, and settings that give something away. */

import type { KeyPath, Tell } from './problem.ts'
import { conditionsInUse } from './references.ts'
import type { Part, Settings } from './schema.ts'

type Written = Part<Settings>

export function checkTrust(settings: Written, tell: Tell): void {
  checkSession(settings, tell)
  checkWildcards(settings, tell)
  checkGenerosity(settings, tell)
}

function checkSession(settings: Written, tell: Tell): void {
  const { session } = settings
  const { idleTimeout, absoluteTimeout } = session ?? {}
  const shared = session?.sharedComputer?.idleTimeout
  if (idleTimeout !== undefined && absoluteTimeout !== undefined && idleTimeout > absoluteTimeout)
    tell.problem(
      ['session', 'idleTimeout'],
      'must not be longer than absoluteTimeout, which ends the session in any case',
    )
  if (shared !== undefined && idleTimeout !== undefined && shared > idleTimeout)
    tell.warning(
      ['session', 'sharedComputer', 'idleTimeout'],
      'is longer than session.idleTimeout: people stay signed in for longer on a shared computer than on their own',
    )
  if (session?.recheck != null && absoluteTimeout !== undefined && session.recheck >= absoluteTimeout)
    tell.warning(
      ['session', 'recheck'],
      'is not shorter than absoluteTimeout: every session is over before it is checked',
    )
  if (settings.chooser?.remember === 'always' && session?.assume === 'shared')
    tell.problem(
      ['chooser', 'remember'],
      'contradicts session.assume: on a shared computer nothing is remembered; say `ask` or `never`',
    )
  const seen = new Map<string, number>()
  for (const [index, secret] of (session?.secrets ?? []).entries()) {
    if (secret === undefined) continue
    const earlier = seen.get(secret.reveal())
    if (earlier === undefined) seen.set(secret.reveal(), index)
    else tell.problem(['session', 'secrets', index], `is the same as secrets[${earlier}]`)
  }
}

function checkWildcards(settings: Written, tell: Tell): void {
  for (const { path, condition } of conditionsInUse(settings)) {
    for (const [index, value] of condition.anyOf.entries()) {
      if (condition.kind === 'claim' && /^\*+$/.test(value))
        tell.warning(
          [...path, index],
          `"${value}" is any value: everybody who has the claim "${condition.claim}" at all`,
        )
    }
  }
}

function checkGenerosity({ resources, idps }: Written, tell: Tell): void {
  for (const [index, idp] of (idps ?? []).entries()) {
    if (idp !== undefined && 'frontChannel' in idp && idp.frontChannel?.sid === 'subject')
      tell.warning(
        ['idps', index, 'frontChannel', 'sid'],
        'lets anybody who knows the name of a user sign that user out; the back channel of the identity provider needs no such trust',
      )
  }
  for (const [index, resource] of (resources ?? []).entries()) {
    const at = (...path: readonly string[]): KeyPath => ['resources', index, ...path]
    if (resource?.serviceWorkers === 'allow')
      tell.warning(at('serviceWorkers'), "lets a script of this site take its visitors' sessions for this site away")
    if (resource?.cookies?.domain === 'keep')
      tell.warning(at('cookies', 'domain'), 'lets this site set cookies that other sites of its domain receive')
    if (resource?.sharedSubjects === true && (resource.idps?.length ?? idps?.length ?? 0) > 1)
      tell.warning(at('sharedSubjects'), 'trusts every admitted identity provider with the names of all the others')
  }
}
