/** A PEM file: its path, relative to the configuration file, where it is written; what it holds, once loaded (config/load.ts). */
import { z } from 'zod'
import { type PemContent, roles } from './role.ts'

export function pemFile(content: PemContent) {
  const path = z.string({ error: 'must be the path of a PEM file' }).min(1, { error: 'must be the path of a PEM file' })
  roles.add(path, { role: 'file', content })
  return path.meta({ title: 'path of a file' })
}
