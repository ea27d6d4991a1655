/**
 * `npm run bench:sessions`: what very many sessions cost. A million in Redis: bytes each, and a resume that this process does not
 * remember. Fifty thousand in memory, the default limit, and four times as many: bytes each, and whether time stays flat.
 *
 *   node bench/sessions.ts [--redis 1000000] [--memory 50000] [--write]
 *
 * Everything goes through the sessions of the gateway, against a redis-server of its own. Exits with 1 when a goal is missed.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { GatewayError } from '../src/errors.ts'
import type { SignIn } from '../src/model/idp.ts'
import { Secret } from '../src/model/secret.ts'
import type { Store } from '../src/model/store.ts'
import { createMemoryStore } from '../src/session/memory.ts'
import { createRedisStore } from '../src/session/redis.ts'
import { serverAt } from '../src/session/redis-place.ts'
import { createKeys } from '../src/session/seal.ts'
import { createSessions, type Sessions } from '../src/session/sessions.ts'
import { startRedis } from '../test/stand-in/redis.ts'
import { describeMachine } from './machine.ts'
import { median } from './result.ts'

const { values: options } = parseArgs({
  options: {
    redis: { type: 'string', default: '1000000' },
    memory: { type: 'string', default: '50000' },
    write: { type: 'boolean', default: false },
  },
})
const [inRedis, inMemory] = [Number(options.redis), Number(options.memory)]
const now = () => performance.timeOrigin + performance.now()
const keys = createKeys([new Secret('a secret of the benchmark, thirty-two bytes and more')])
const limits = { idleMs: 3_600_000, sharedIdleMs: 600_000, absoluteMs: 36_000_000 }
/** Looked up one after the other in each measurement. */
const sampled = 5_000
/** A later measurement may take this many times the first one's median before time counts as growing. */
const flat = 1.5

interface Cost {
  readonly sessions: number
  readonly bytesEach: number
  /** Microseconds. */
  readonly resumeMedian: number
  readonly resumeP99: number
  readonly establishMedian: number
}

const redisCosts = await measureRedis([Math.min(1_000, inRedis), inRedis])
const memoryCosts = await measureMemory([Math.round(inMemory / 50), Math.round(inMemory / 5), inMemory], 4 * inMemory)
const goals = [
  grows('a resume from Redis that this process does not remember', redisCosts),
  grows('a resume from memory', memoryCosts),
]
const told = `${describeMachine()}

Each session: ten claims, an ID token of 1,200 bytes, its places in the directory; in memory also what the process remembers of a session that was used. A resume here is one that the process does not remember: it reads and decrypts the record, one at a time.

| store | sessions | bytes each | resume, µs: median / p99 | sign-in stored, µs: median |
|---|---:|---:|---:|---:|
${redisCosts.map(cost => row('Redis', cost)).join('\n')}
${memoryCosts.map(cost => row('memory', cost)).join('\n')}

${goals.map(({ sentence, met }) => `- ${met ? 'met' : '**missed**'}: ${sentence}`).join('\n')}
`
console.log(told)
if (options.write) writeFileSync(new URL('sessions.md', import.meta.url), told)
if (goals.some(({ met }) => !met)) process.exitCode = 1
process.exit()

async function measureRedis(steps: readonly number[]): Promise<Cost[]> {
  const redis = await startRedis()
  try {
    const store = await createRedisStore({
      place: serverAt(new Secret(redis.url)),
      report: () => {},
    })
    const used = async () => Number(/used_memory:(\d+)/.exec(await redis.admin.info('memory'))?.[1])
    return await measure(store, steps, used)
  } finally {
    await redis.close()
  }
}

async function measureMemory(steps: readonly number[], raised: number): Promise<Cost[]> {
  const used = async () => {
    globalThis.gc?.()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  const costs = await measure(createMemoryStore({ now, limit: steps.at(-1) ?? 0 }), steps, used, 'full')
  return [...costs, ...(await measure(createMemoryStore({ now, limit: raised }), [raised], used, 'full'))]
}

async function measure(
  store: Store,
  steps: readonly number[],
  used: () => Promise<number>,
  atTheEnd: 'room' | 'full' = 'room',
): Promise<Cost[]> {
  const sessions = createSessions({
    store,
    keys,
    limits,
    perPerson: null,
    hasIdp: () => true,
    now,
    report: () => {},
    endedLate: () => {},
    recheck: null,
  })
  const ids: string[] = []
  const costs: Cost[] = []
  for (const step of steps) {
    // Most of the first ones count as overhead: each measurement starts from what is there already.
    await fill(sessions, ids, Math.max(ids.length, Math.floor(step / 10)))
    const [before, already] = [await used(), ids.length]
    await fill(sessions, ids, step)
    const bytesEach = ((await used()) - before) / (ids.length - already)
    const resumes = await time(sampled, () => sessions.read(picked(ids), 0))
    const full = atTheEnd === 'full' && step === steps.at(-1)
    const stored = full ? [Number.NaN] : await time(500, async () => void ids.push(await signIn(sessions, ids.length)))
    costs.push({
      sessions: step,
      bytesEach,
      resumeMedian: median(resumes),
      resumeP99: resumes.toSorted((a, b) => a - b)[Math.floor(resumes.length * 0.99)] ?? Number.NaN,
      establishMedian: median(stored),
    })
    console.error(`${step} sessions measured`)
  }
  if (atTheEnd === 'full') {
    const refused = await signIn(sessions, ids.length).then(
      () => false,
      () => true,
    )
    if (!refused || (await sessions.read(ids[0] ?? '', 0)) === null) throw new Error('a full store lost a session')
  }
  await sessions.close()
  await store.close()
  return costs
}

async function fill(sessions: Sessions, ids: string[], upTo: number): Promise<void> {
  const atOnce = 50
  while (ids.length < upTo) {
    const from = ids.length
    const count = Math.min(atOnce, upTo - from)
    ids.push(...(await Promise.all(Array.from({ length: count }, (_, index) => stored(sessions, from + index)))))
    if (Math.floor(from / 100_000) !== Math.floor(ids.length / 100_000)) console.error(`${ids.length} sessions stored`)
  }
}

/** Filling is not what is measured: a sign-in that a busy machine lets wait for more than the store's deadline is made again. */
async function stored(sessions: Sessions, number: number): Promise<string> {
  for (;;) {
    try {
      return await signIn(sessions, number)
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== 'session.store-down') throw error
    }
  }
}

/** As the callback and /enter do it: the session is established, and its cookie comes back. */
async function signIn(sessions: Sessions, number: number): Promise<string> {
  const made = await sessions.establish(signInOf(number), {
    device: 'own',
    browser: { family: 'Firefox', network: '192.0.2.0/24' },
  })
  if (made === null) throw new Error('overtaken')
  const cookie = `__Host-Http-passerelle=${sessions.cookieFor('portal', made.id, made.generation)}`
  if ((await sessions.resume(cookie, 'portal', 'navigation')) === null) throw new Error('not there')
  return made.id
}

function signInOf(number: number): SignIn {
  const claims = {
    email: [`person.${number}@labo.example.org`],
    givenName: ['Anne-Laure'],
    familyName: [`Martin-${number}`],
    domain: ['INSB', 'INEE'],
    profile: ['researcher'],
    institution: ['0541234A'],
    affiliation: ['member', 'staff', 'employee'],
    unit: ['UMR 7345'],
    language: ['fr'],
    eppn: [`${number}@example.org`],
  }
  return {
    identity: {
      idp: 'campus',
      subject: `subject-${number}`,
      claims,
      authenticatedAt: Math.floor(Date.now() / 1000),
      strength: { acr: null, amr: ['pwd'] },
      idpSession: { kind: 'sid', value: `sid-of-the-idp-${number}` },
    },
    keep: { idToken: 'e'.repeat(1_200) },
    issuedAt: Math.floor(Date.now() / 1000),
    notAfter: null,
  }
}

/** Microseconds of each call, one after the other. */
async function time(count: number, call: () => Promise<unknown>): Promise<number[]> {
  const taken: number[] = []
  for (let turn = 0; turn < count; turn++) {
    const begun = performance.now()
    await call()
    taken.push((performance.now() - begun) * 1_000)
  }
  return taken
}

function picked(ids: readonly string[]): string {
  return ids[Math.floor(Math.random() * ids.length)] ?? ''
}

function grows(what: string, costs: readonly Cost[]): { sentence: string; met: boolean } {
  const [first, last] = [costs[0], costs.at(-1)]
  const ratio = (last?.resumeMedian ?? Number.NaN) / (first?.resumeMedian ?? Number.NaN)
  return {
    sentence: `${what} takes as long among ${grouped(last?.sessions ?? 0)} sessions as among ${grouped(first?.sessions ?? 0)} (at most ${flat} times): ${ratio.toFixed(2)} ×`,
    met: ratio <= flat,
  }
}

function row(store: string, cost: Cost): string {
  const stored = Number.isNaN(cost.establishMedian) ? 'full' : grouped(cost.establishMedian)
  // Below some thousands the heap's own moods are larger than what is measured.
  const bytes = store === 'memory' && cost.sessions < 5_000 ? '–' : grouped(cost.bytesEach)
  return `| ${store} | ${grouped(cost.sessions)} | ${bytes} | ${grouped(cost.resumeMedian)} / ${grouped(cost.resumeP99)} | ${stored} |`
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-GB')
}
