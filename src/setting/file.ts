/**
 * A file: its path, relative to the configuration file, where it is written; what it holds, once loaded (config/load.ts). Of one
 * that is read anew while the gateway runs, a path that the process can open.
 */
import { z } from 'zod'
import { type PemContent, roles } from './role.ts'

export function pemFile(content: PemContent) {
  const path = pathOf('must be the path of a PEM file')
  roles.add(path, { role: 'file', content })
  return path.meta({ title: 'path of a file' })
}

export function tableFile() {
  const path = pathOf('must be the path of a CSV file')
  roles.add(path, { role: 'table' })
  return path.meta({ title: 'path of a file' })
}

export function codeFile() {
  const path = pathOf('must be the path of a file of access codes')
  roles.add(path, { role: 'codes' })
  return path.meta({ title: 'path of a file' })
}

export function usesFile() {
  const path = pathOf('must be the path of a file in which uses are counted')
  roles.add(path, { role: 'uses' })
  return path.meta({ title: 'path of a file' })
}

function pathOf(expected: string) {
  return z.string({ error: expected }).min(1, { error: expected })
}
