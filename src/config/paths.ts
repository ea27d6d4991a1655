/** Rules for parts of a site, and its own logout link: each can be reached, and no two rules claim the same requests. */
import type { Tell } from './problem.ts'
import type { Part, ResourceSettings, Settings } from './schema.ts'

export function checkPaths({ resources }: Part<Settings>, tell: Tell): void {
  for (const [index, resource] of (resources ?? []).entries()) {
    if (resource === undefined) continue
    checkMounted(resource, index, tell)
    checkUnique(resource, index, tell)
  }
}

/** Rules and logout links are whole paths, as the browser asks for them. */
function checkMounted({ at, paths, logout }: Part<ResourceSettings>, index: number, tell: Tell): void {
  const rules = (paths ?? []).map((path, place) => ({ written: path?.match, where: ['paths', place, 'match'] }))
  const links = (logout?.intercept ?? []).map((path, place) => ({
    written: path,
    where: ['logout', 'intercept', place],
  }))
  for (const { written = '', where } of [...rules, ...links]) {
    const path = ['resources', index, ...where]
    if (written.startsWith('/.passerelle')) {
      tell.problem(path, 'must not begin with /.passerelle: those paths are the gateway’s own')
    } else if (written !== '' && at !== undefined && !written.startsWith(at.pathname)) {
      const mount = `${at.pathname}, where the resource is mounted (${tell.place(['resources', index, 'at'])})`
      tell.problem(path, `is "${written}", must begin with ${mount}`)
    }
  }
  for (const [place, link] of (logout?.intercept ?? []).entries()) {
    // `/` is refused by the setting itself, and once is enough.
    if (link === at?.pathname && link !== '/')
      tell.problem(['resources', index, 'logout', 'intercept', place], `is "${link}", must not be the whole site`)
  }
}

function checkUnique({ paths, caseInsensitive }: Part<ResourceSettings>, index: number, tell: Tell): void {
  const seen = new Map<string, number>()
  for (const [place, path] of (paths ?? []).entries()) {
    if (path?.match === undefined || path.methods === undefined) continue
    const match = caseInsensitive === true ? path.match.toLowerCase() : path.match
    const taken = methodsOf(path.methods).map(method => ({ key: `${match} ${method}`, method }))
    const double = taken.find(({ key }) => seen.has(key))
    if (double !== undefined) {
      const earlier = seen.get(double.key) ?? 0
      const other = `paths[${earlier}] (${tell.place(['resources', index, 'paths', earlier, 'match'])})`
      tell.problem(['resources', index, 'paths', place, 'match'], `is the rule of ${other} again, for ${double.method}`)
    }
    for (const { key } of taken) if (!seen.has(key)) seen.set(key, place)
  }
}

function methodsOf(methods: readonly (string | undefined)[] | null): readonly string[] {
  if (methods === null) return ['any method']
  const named = methods.filter(method => method !== undefined)
  return named.includes('GET') ? Array.from(new Set([...named, 'HEAD'])) : named
}
