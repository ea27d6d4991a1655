/** The programs that the benchmark borrows from Debian, and how to get those that are missing. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

export interface Program {
  readonly name: string
  /** Searched in PATH and in the system folders that ordinary users do not have there; or one absolute path. */
  readonly file: string
  readonly debian: string
}

export const wrk: Program = { name: 'wrk', file: 'wrk', debian: 'wrk' }
export const taskset: Program = { name: 'taskset', file: 'taskset', debian: 'util-linux' }
export const nginx: Program = { name: 'nginx', file: 'nginx', debian: 'nginx' }
export const apache: Program = { name: 'Apache', file: 'apache2', debian: 'apache2' }
export const openidcModule: Program = {
  name: 'mod_auth_openidc',
  file: '/usr/lib/apache2/modules/mod_auth_openidc.so',
  debian: 'libapache2-mod-auth-openidc',
}
export const redis: Program = { name: 'Redis', file: 'redis-server', debian: 'redis-server' }

/** Makes the system folders visible to everything that is started from here. */
export function widenPath(): void {
  process.env.PATH = [process.env.PATH, '/usr/sbin', '/sbin'].filter(Boolean).join(delimiter)
}

export function missing(programs: readonly Program[]): Program[] {
  return programs.filter(program => !isInstalled(program))
}

/** The exact command for these, such as `sudo apt-get install --yes wrk`. */
export function installCommand(programs: readonly Program[]): string {
  const packages = [...new Set(programs.map(program => program.debian))]
  return `sudo apt-get install --yes --no-install-recommends ${packages.join(' ')}`
}

function isInstalled({ file }: Program): boolean {
  const places = file.startsWith('/') ? [file] : (process.env.PATH ?? '').split(delimiter).map(at => join(at, file))
  return places.some(place => {
    try {
      accessSync(place, constants.R_OK)
      return true
    } catch {
      return false
    }
  })
}
