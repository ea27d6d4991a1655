/** Settings of a Redis by which sessions, or the marks of ended ones, may be lost: what is wrong with them, in sentences. */
import { type Connection, mastersOf } from './redis-connection.ts'

/** Empty for a user who may not CONFIG GET: then somebody knows these settings. */
export async function cautionsOf(redis: Connection): Promise<readonly string[]> {
  const found = await Promise.all(mastersOf(redis).map(server => cautionsOfServer(server).catch(() => [])))
  return [...new Set(found.flat())]
}

async function cautionsOfServer(server: Connection): Promise<readonly string[]> {
  const [policy, save, appendOnly] = await Promise.all(
    ['maxmemory-policy', 'save', 'appendonly'].map(async name => {
      const reply = (await server.config('GET', name)) as string[]
      return reply[1] ?? null
    }),
  )
  const cautions: string[] = []
  if (policy != null && policy !== 'noeviction' && !policy.startsWith('volatile-')) {
    cautions.push(
      `maxmemory-policy is ${policy}: when memory is short, sessions and the marks of ended ones may go; noeviction is right`,
    )
  }
  if (save === '' && appendOnly === 'no') {
    cautions.push('neither appendonly nor save is on: a restart of Redis signs everybody out')
  }
  return cautions
}
