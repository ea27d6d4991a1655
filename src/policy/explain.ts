/**
 * Why a person was let in or refused, in lines for an operator. It does not judge: authorize does, and is watched.
 */
import type { Decision } from '../model/decision.ts'
import type { Condition } from '../model/resource.ts'
import type { Session } from '../model/session.ts'
import { type Asked, admits, authorizeAloud } from './authorize.ts'
import { valuesOf } from './compile.ts'

export interface Explained {
  readonly decision: Decision
  readonly lines: readonly string[]
}

/** Where things stand in the configuration (`config/passerelle.yaml:31`); null where nobody knows. */
export interface Positions {
  readonly resource: string | null
  /** Of the path rule that applies. */
  readonly path: string | null
  /** Of the policy's own rules, where it has some; else of the key that names it. */
  readonly policy: string | null
}

export function explain(asked: Asked, session: Session | null, positions: Positions): Explained {
  const { resource, access } = asked
  const answers = new Map<Condition, boolean>()
  const decision = authorizeAloud(asked, session, (_rule, condition, holds) => answers.set(condition, holds))

  const lines = [row('resource', resource.id, [`host ${resource.at.host}`, positions.resource])]
  if (access.match !== null) lines.push(row('path', access.match, [positions.path]))
  if (resource.idps !== null) lines.push(idpsLine(asked, session))
  lines.push(row('policy', access.policy.name, [positions.policy]))
  lines.push(...ruleLines(asked, session, answers))
  lines.push(`${'decision'.padEnd(labelWidth)}${outcome(asked, decision)}`)
  return { decision, lines: lines.map(line => line.trimEnd()) }
}

const labelWidth = 11
const valueWidth = 19
const conditionWidth = 35

function row(label: string, value: string, notes: readonly (string | null)[]): string {
  const known = notes.filter(note => note !== null)
  const note = known.length === 0 ? '' : `(${known.join(', ')})`
  return `${label.padEnd(labelWidth)}${`${value} `.padEnd(valueWidth)}${note}`
}

function idpsLine({ resource }: Asked, session: Session | null): string {
  const answer = session === null ? null : admits(resource, session.identity)
  const held = session === null ? '' : `idp = ${printable(session.identity.idp)}`
  return answered('idps'.padEnd(labelWidth), (resource.idps ?? []).join(', '), answer, held, conditionWidth)
}

function ruleLines(asked: Asked, session: Session | null, answers: ReadonlyMap<Condition, boolean>): string[] {
  const { rules } = asked.access.policy
  const told = rules.flatMap(({ conditions }, index) =>
    conditions.map((condition, place) => ({
      label: place === 0 ? `${`${index + 1}`.padStart(3)} permit ` : '    and    ',
      words: wordsOf(condition),
      answer: answers.get(condition) ?? null,
      held: heldBy(condition, asked, session),
    })),
  )
  const width = told.reduce((widest, { words }) => Math.max(widest, words.length + 2), conditionWidth)
  return told.map(({ label, words, answer, held }) => answered(label, words, answer, held, width))
}

/** `-`: nobody asked, because an earlier rule had permitted or another condition of this one had failed. */
function answered(label: string, words: string, answer: boolean | null, held: string, width: number): string {
  const said = answer === null ? '-' : answer ? 'yes' : 'no'
  return `${label}${words.padEnd(width)}${said.padEnd(6)}${held}`
}

function wordsOf(condition: Condition): string {
  const not = condition.negated ? 'not ' : ''
  switch (condition.kind) {
    case 'claim':
      return `${condition.claim} is ${not}${condition.anyOf.map(value => JSON.stringify(value)).join(' or ')}`
    case 'idp':
      return `idp is ${not}${condition.anyOf.join(' or ')}`
    case 'method':
      return `method is ${not}${condition.anyOf.join(' or ')}`
    case 'address':
      return `address is ${not}in ${condition.anyOf.join(' or ')}`
  }
}

function heldBy(condition: Condition, { context }: Asked, session: Session | null): string {
  switch (condition.kind) {
    case 'claim': {
      const values = session === null ? [] : valuesOf(session.identity, condition.claim)
      return `${condition.claim} = [${values.map(printable).join(', ')}]`
    }
    case 'idp':
      return session === null ? 'idp = none' : `idp = ${printable(session.identity.idp)}`
    case 'method':
      return `method = ${context.method}`
    case 'address':
      return `address = ${context.address === '' ? 'unknown' : context.address}`
  }
}

function outcome({ access }: Asked, decision: Decision): string {
  switch (decision.effect) {
    case 'challenge':
      return 'challenge  not signed in'
    case 'deny':
      return `deny  ${decision.reason}`
    case 'permit':
      if (decision.rule !== null) return `permit  rule ${decision.rule + 1}`
      if (access.policy.kind === 'optional') {
        return `permit  optional, ${decision.session === null ? 'without identity' : 'with identity'}`
      }
      return `permit  ${access.policy.kind}`
  }
}

/** A claim is somebody else's text: it must not move the operator's cursor. */
export function printable(value: string): string {
  return value.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, character => {
    const code = character.codePointAt(0) ?? 0
    return `\\u{${code.toString(16)}}`
  })
}
