/** Who may enter: named policies, and the keys of a resource that say which one holds where. */
import { METHODS } from 'node:http'
import { z } from 'zod'
import type { Condition, Rule } from '../model/resource.ts'
import { glob } from '../setting/glob.ts'
import { network } from '../setting/network.ts'
import { oneOf } from '../setting/one-of.ts'
import { oneOrMore } from '../setting/one-or-more.ts'
import { orNull } from '../setting/or-null.ts'
import { ambiguityOf } from '../setting/web-address.ts'

const methods = new Set(METHODS)

const method = z
  .string({ error: 'must be a method, such as GET' })
  .transform(text => text.toUpperCase())
  .superRefine((text, context) => {
    if (!methods.has(text)) context.addIssue({ code: 'custom', message: 'must be an HTTP method, such as GET' })
  })

const idpId = z.string({ error: 'must be the id of an identity provider' })

const conditions = {
  idp: oneOrMore(idpId, 'must be the id of an identity provider, or a list of them')
    .optional()
    .describe('Signed in by one of these identity providers.'),
  method: oneOrMore(method, 'must be a method such as GET, or a list of them')
    .optional()
    .describe('The request has one of these methods. GET includes HEAD.'),
  address: oneOrMore(network, 'must be an address or a network, or a list of them')
    .optional()
    .describe('The request comes from one of these networks. Behind a load balancer it needs `listen.trustedProxies`.'),
}

/** What headers may name and rules may not: taken for claims, they would be whatever an idp asserts under that name. */
const noClaims = ['subject', 'subjectId', 'entity']

function mustNameClaims(written: object, context: z.RefinementCtx): void {
  for (const name of noClaims) {
    if (!Object.hasOwn(written, name)) continue
    const message = 'is not the name of a claim: rules ask for an idp, a method, an address, or a claim such as sub'
    context.addIssue({ code: 'custom', path: [name], message })
  }
}

const claimValues = oneOrMore(glob, 'must be text, or a list of texts').describe(
  'Any other key is the name of a claim: the person has it with one of these values.',
)

const emptyRule = 'must not be empty: an empty rule would let everybody in; write "signed-in" if that is meant'

const negated = z
  .object(conditions)
  .catchall(claimValues)
  .refine(not => Object.keys(not).length > 0, { error: 'must not be empty' })
  .superRefine(mustNameClaims)

const rule = z
  .object({ ...conditions, not: negated.optional().describe('None of these may hold.') })
  .catchall(claimValues)
  .superRefine((written, context) => {
    if (Object.keys(written).length === 0) context.addIssue({ code: 'custom', message: emptyRule })
    mustNameClaims(written, context)
  })
  .transform(({ not, ...positive }): Rule => {
    return { conditions: [...conditionsOf(positive, false), ...(not === undefined ? [] : conditionsOf(not, true))] }
  })
  .meta({ title: 'rule' })
  .describe('Conditions that must all hold. Any key but `idp`, `method`, `address` and `not` is the name of a claim.')

function conditionsOf(written: Readonly<Record<string, unknown>>, negated: boolean): Condition[] {
  return Object.entries(written).flatMap(([key, values]): Condition[] => {
    if (values === undefined) return []
    const anyOf = values as readonly string[]
    if (key === 'idp' || key === 'method' || key === 'address') return [{ kind: key, anyOf, negated }]
    return [{ kind: 'claim', claim: key, anyOf, negated }]
  })
}

const emptyRules = 'must not be empty: a policy without rules lets nobody in'

const rules = z.array(rule).min(1, { error: emptyRules })

/** `public` and the like; a policy may not be named so. */
const builtIn = ['signed-in', 'optional', 'public'] as const

const policyName = z.string().regex(/^(?!(?:signed-in|optional|public)$)[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/, {
  error: 'must be a name of letters, digits and hyphens that is not signed-in, optional or public',
})

/** What a resource or a path says about who may enter. */
export type PolicySetting =
  | { readonly kind: 'signed-in' | 'optional' | 'public' }
  | { readonly kind: 'named'; readonly name: string }
  | { readonly kind: 'rules'; readonly rules: readonly Rule[] }

const expectedPolicy = 'must be the name of a policy, a list of rules, signed-in, optional or public'

const byName = z
  .string()
  .min(1, { error: expectedPolicy })
  .transform((name): PolicySetting => {
    const kind = builtIn.find(word => word === name)
    return kind === undefined ? { kind: 'named', name } : { kind }
  })

const inPlace = rules.transform((list): PolicySetting => ({ kind: 'rules', rules: list }))

const policy = oneOf(
  [byName, inPlace],
  input => {
    if (typeof input === 'string') return byName
    return Array.isArray(input) ? inPlace : undefined
  },
  expectedPolicy,
).meta({ title: 'policy' })

const expectedMatch = 'must be a path that begins with /, such as /admin/'

const match = z.string({ error: expectedMatch }).superRefine((path, context) => {
  const message = path.includes('*')
    ? 'must not have a wildcard: it is a prefix already, /admin/ covers everything below it'
    : ambiguityOf(path)
  if (message !== null) context.addIssue({ code: 'custom', message })
})

const pathRule = z.strictObject({
  match: match.describe('The paths that begin so. The longest match wins, on the canonical path only.'),
  methods: orNull(z.array(method).min(1, { error: 'must not be empty; leave it out for every method' })).describe(
    'Only requests with these methods. GET includes HEAD. Absent: any.',
  ),
  policy: policy.describe('Who may pass here, in the words of the resource’s own `policy`.'),
})

export const topKeys = {
  policies: z
    .record(policyName, rules)
    .prefault({})
    .describe(
      'Lists of rules by name: any of the rules lets a person in. Values compare as text; `*` in a value stands for any characters.',
    ),
}

export const resourceKeys = {
  policy: policy.describe(
    'Who may enter: the name of a policy, a list of rules, `signed-in` (anyone who signed in), `optional` (everyone, with an identity if there is one) or `public` (everyone, never with an identity).',
  ),
  paths: z.array(pathRule).prefault([]).describe('Parts of the site with a policy of their own.'),
}

export type PolicySettings = z.output<z.ZodObject<typeof topKeys>>['policies']
export type PathSettings = z.output<typeof pathRule>
