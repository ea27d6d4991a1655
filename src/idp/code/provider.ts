/**
 * Sign-in by an access code from a file (docs/sessions.md B 16, 17): for guests, and for when an idp is away. The person is the code:
 * its subject is `code:<selector>`, and it never is more than its claims. Rests on model/ only.
 */
import { GatewayError } from '../../errors.ts'
import type { CodeOutcome, Report } from '../../model/event.ts'
import type { IdpId } from '../../model/identity.ts'
import type { IdentityProvider, SignIn } from '../../model/idp.ts'
import type { Text } from '../../model/text.ts'
import type { AccessCode, ReadCodes } from './access-code.ts'
import { matches } from './hash.ts'
import { codeIn } from './spelling.ts'
import { stampOf, useNameOf } from './stamp.ts'
import { Turns } from './turns.ts'
import { countUsesIn } from './uses-file.ts'
import { watchFile } from './watched-file.ts'

/** Paths, as the process can open them. */
export interface CodeFiles {
  readonly file: string
  /** Where uses are counted; null: the session store does it. */
  readonly state: string | null
}

export interface CodeIdpSettings {
  readonly id: IdpId
  readonly label: Text
  readonly codes: CodeFiles
}

export interface CodeNeeds {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly report: Report
  readonly codes: {
    /** Rejects where the file cannot be read. */
    readonly read: (files: CodeFiles) => Promise<ReadCodes>
    /** Counts one use, for all processes of the gateway; false: it has had as many as it may. */
    readonly countUse: (name: string, most: number) => Promise<boolean>
    readonly failures: CodeFailures
  }
}

/** Failed tries, by code and by network. */
export interface CodeFailures {
  /** Milliseconds until another try is heard; 0: now. */
  readonly wait: (selector: string, address: string) => Promise<number>
  /** Counts one, unless that is one too many; answers as `wait`. */
  readonly count: (selector: string, address: string) => Promise<number>
  /** It was none after all. */
  readonly forgive: (selector: string, address: string) => Promise<void>
}

/** One scrypt takes 32 MiB and a thread of four; those who wait do so for three seconds at most. */
const turns = new Turns(2, 50)

export function createCodeProvider(settings: CodeIdpSettings, { now, report, codes }: CodeNeeds): IdentityProvider {
  const { id } = settings
  const file = watchFile({ idp: id, file: settings.codes.file, read: () => codes.read(settings.codes), report })
  const countUse = settings.codes.state === null ? codes.countUse : countUsesIn(settings.codes.state)
  // At the start, so that a file that breaks later leaves something to go on with.
  void file.current()

  return {
    id,
    label: settings.label,
    prompt: 'access-code',

    begin: async () => ({ step: { kind: 'prompt' }, idpPending: {} }),

    hear: async ({ parameters, address }, takePending) => {
      const [typed = '', ...more] = parameters.getAll('code')
      // The form has one field: of two, nobody can say which was meant.
      const code = await codeOf(more.length === 0 ? typed : '', address)
      refuseBy(validityOf(code), code)
      await takePending()
      // After that, so that two clicks cost one use. Of this very code: one issued anew under its selector begins at none.
      if (!(await mayBeUsed(code))) refuseBy('used-up', code)
      tell('accepted', code.selector)
      return { kind: 'sign-in', signIn: signInOf(code) }
    },

    refresh: async (_identity, { stamp }) => {
      const known = await file.current()
      const code = [...known.values()].find(one => stampOf(one) === stamp)
      if (code === undefined) return { kind: 'ended', why: 'the access code was revoked or changed' }
      if (validityOf(code) !== null) return { kind: 'ended', why: 'the access code is no longer valid' }
      return { kind: 'renewed', claims: code.claims, keep: { stamp: stampOf(code) }, notAfter: code.until }
    },

    // Nothing but us knows of the sign-in.
    saysLogout: null,
    end: async () => null,
    backChannel: null,
    frontChannel: null,

    health: file.health,
    doubt: async () => void (await file.current()),
  }

  /** @throws GatewayError `code.wrong`, `code.locked`, `login.busy` */
  async function codeOf(typed: string, address: string): Promise<AccessCode> {
    const spelled = codeIn(typed)
    const selector = spelled?.selector ?? ''
    // Whoever is locked out takes nobody's turn.
    refuseLocked(selector, await codes.failures.wait(selector, address))
    return inTurn(selector, async () => {
      // Before the answer is known: else fifty at once would be fifty tries.
      refuseLocked(selector, await codes.failures.count(selector, address))
      const code = (await file.current()).get(selector) ?? null
      const right = await matches(spelled?.whole ?? '', code?.hash ?? null)
      if (code === null || !right) {
        tell('wrong', code?.selector ?? null)
        throw new GatewayError('code.wrong', code === null ? 'no such code' : `not the code ${code.selector}`)
      }
      await codes.failures.forgive(selector, address)
      return code
    })
  }

  /** @throws GatewayError `code.not-counted`, `session.store-down` */
  async function mayBeUsed(code: AccessCode): Promise<boolean> {
    if (code.uses === null) return true
    try {
      return await countUse(useNameOf(id, code), code.uses)
    } catch (error) {
      tell('uncounted', code.selector)
      throw error
    }
  }

  async function inTurn<Done>(selector: string, work: () => Promise<Done>): Promise<Done> {
    try {
      return await turns.take(work)
    } catch (error) {
      if (error instanceof GatewayError && error.code === 'login.busy') tell('busy', knownAs(selector))
      throw error
    }
  }

  /** Null: no code has this selector, and what somebody typed is nobody's business. */
  function knownAs(selector: string): string | null {
    return file.held().has(selector) ? selector : null
  }

  function refuseLocked(selector: string, waitMs: number): void {
    if (waitMs === 0) return
    tell('locked', knownAs(selector))
    throw new GatewayError('code.locked', 'too many wrong codes', { retryAfterS: Math.ceil(waitMs / 1000) })
  }

  function refuseBy(
    fault: 'not-yet' | 'expired' | 'used-up' | null,
    { selector, from, until, uses }: AccessCode,
  ): void {
    if (fault === null) return
    tell(fault, selector)
    const told = { 'not-yet': `from ${shown(from)}`, expired: `until ${shown(until)}`, 'used-up': `${uses} uses` }
    throw new GatewayError(`code.${fault}`, `the code ${selector} is good ${told[fault]}`)
  }

  function validityOf({ from, until }: AccessCode): 'not-yet' | 'expired' | null {
    if (from !== null && now() < from) return 'not-yet'
    return until !== null && now() >= until ? 'expired' : null
  }

  function signInOf(code: AccessCode): SignIn {
    const seconds = Math.floor(now() / 1000)
    return {
      identity: {
        idp: id,
        subject: `code:${code.selector}`,
        claims: code.claims,
        authenticatedAt: seconds,
        strength: { acr: null, amr: [] },
        idpSession: null,
        ...(code.hosts === null ? {} : { hosts: code.hosts }),
      },
      keep: { stamp: stampOf(code) },
      issuedAt: seconds,
      notAfter: code.until,
    }
  }

  function tell(outcome: CodeOutcome, selector: string | null): void {
    report({ name: 'code.tried', idp: id, outcome, selector })
  }
}

function shown(ms: number | null): string {
  return ms === null ? '' : new Date(ms).toISOString()
}
