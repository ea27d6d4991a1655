/** What is written from the sources says what the sources say. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { generated } from '../../tools/generate.ts'

const root = join(import.meta.dirname, '../..')
const files = await generated()

describe('a generated file', () => {
  it.each(files.map(file => file.path))('%s is fresh (npm run generate)', async path => {
    const written = await readFile(join(root, path), 'utf8').catch(() => null)
    expect(written).toBe(files.find(file => file.path === path)?.text)
  })
})
