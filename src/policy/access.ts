/** From what a resource's settings say about who may enter to compiled access: its own, and that of its paths. */
import type { Access, PathRule } from '../model/resource.ts'
import { compileNamed, compilePolicy } from './compile.ts'
import type { PathSettings, PolicySetting, PolicySettings } from './settings.ts'

export interface AccessSettings {
  readonly policy: PolicySetting
  readonly paths: readonly PathSettings[]
}

export interface BuiltAccess {
  readonly access: Access
  readonly paths: readonly PathRule[]
}

/**
 * @param policies the named ones; each becomes one Policy, whoever refers to it
 * @returns a function of a resource's settings and its place in the configuration, which names the policies that have no name
 */
export function createAccessOf(policies: PolicySettings): (settings: AccessSettings, index: number) => BuiltAccess {
  const named = compileNamed(Object.entries(policies))

  function compiled(setting: PolicySetting, source: string) {
    return compilePolicy(setting.kind === 'rules' ? { ...setting, source } : setting, named)
  }

  return function accessOf({ policy, paths }, index) {
    const at = `resources[${index}]`
    return {
      access: { policy: compiled(policy, `${at}.policy`), match: null },
      paths: paths.map((path, place): PathRule => {
        return {
          policy: compiled(path.policy, `${at}.paths[${place}].policy`),
          match: path.match,
          methods: path.methods,
        }
      }),
    }
  }
}
