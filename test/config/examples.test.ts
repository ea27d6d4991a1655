/** config/examples: each one boots a gateway, deserves no second look, and makes of what idps really say what it promises. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createUnderstanding } from '../../src/claims/map.ts'
import { loadSettings } from '../../src/config/load.ts'
import type { Settings } from '../../src/config/schema.ts'
import { assemble } from '../../src/gateway.ts'
import { claimsFrom } from '../../src/idp/nested-claims.ts'

const folder = join(import.meta.dirname, '../../config/examples')
const names = readdirSync(folder).filter(name => name.endsWith('.yaml') && name !== 'access-codes.yaml')

const secret = 'mB7vQ2xK9rT4wZ1nC6yL3hJ8dF5gS0pA'
const env = { PASSERELLE_SECRET: secret, JANUS_SECRET: secret, INSERM_SECRET: secret, RELAIS_SECRET: secret }

async function settingsOf(name: string): Promise<Settings> {
  const loaded = await loadSettings(join(folder, name), env)
  if (!loaded.ok) throw new Error(loaded.problems.map(({ key, message }) => `${key} ${message}`).join('\n'))
  expect(loaded.warnings).toEqual([])
  return loaded.settings
}

/** What the claims of somebody become, who comes from the example's first idp. */
async function understood(name: string, said: Readonly<Record<string, unknown>>) {
  const { claims, idps } = await settingsOf(name)
  const asserts = new Map(idps.map(idp => [idp.id, idp.asserts]))
  const raw = claimsFrom(Object.entries(said))
  return createUnderstanding({ claims, asserts, report: () => {} }).understood(raw, idps[0]?.id ?? '').claims
}

describe('an example', () => {
  it.each(names)('%s boots a gateway', async name => {
    const settings = await settingsOf(name)
    const anywhere = { host: '127.0.0.1', port: 0 }
    const gateway = await assemble(
      {
        ...settings,
        listen: { ...settings.listen, address: anywhere },
        operations: { ...settings.operations, address: anywhere },
      },
      { writeLog: () => {} },
    )
    try {
      const { operationsPort } = await gateway.listen()
      expect((await fetch(`http://127.0.0.1:${operationsPort}/readyz`)).status).toBe(200)
    } finally {
      await gateway.close()
    }
  })
})

describe('the institutes of CNRS', () => {
  it.each([
    ['54->Institut des sciences humaines et sociales', 'INSHS'],
    ['DS53', 'INSB'],
    ['61', 'INS2I'],
  ])('are known by %s', async (said, domain) => {
    expect(await understood('cnrs.yaml', { refScientificOffice: said })).toMatchObject({
      domain: [domain],
      favourite: [domain],
    })
  })

  it('are ten, each by two codes', async () => {
    const codes = [51, 52, 53, 54, 55, 56, 57, 58, 59, 61]
    const { domain } = await understood('cnrs.yaml', { refScientificOffice: codes.map(String) })
    const again = await understood('cnrs.yaml', { refScientificOffice: codes.map(code => `DS${code}`) })
    expect(domain).toEqual(['INP', 'INC', 'INSB', 'INSHS', 'INEE', 'INSIS', 'IN2P3', 'INSU', 'INSMI', 'INS2I'])
    expect(again.domain).toEqual(domain)
  })

  it('are the union of what somebody has, the first one the favourite; a laboratory or a test account has none', async () => {
    expect(await understood('cnrs.yaml', { refScientificOffice: ['55->INEE', '53'], ou: 'UAR76' })).toMatchObject({
      domain: ['INEE', 'INSB'],
      favourite: ['INEE'],
      unit: ['UAR76'],
    })
    const nobody = await understood('cnrs.yaml', { refScientificOffice: 'TEST->test', ou: '66->INSB', sub: 'x' })
    expect(nobody.domain).toBeUndefined()
    expect(nobody.favourite).toBeUndefined()
  })

  it('come with several addresses in one value, and with the names of SAML', async () => {
    const said = { 'urn:oid:0.9.2342.19200300.100.1.3': 'Anna.M@cnrs.fr;a.m@lab.example', 'urn:oid:2.5.4.4': 'Adam' }
    expect(await understood('cnrs.yaml', said)).toMatchObject({
      email: ['anna.m@cnrs.fr', 'a.m@lab.example'],
      familyName: ['Adam'],
    })
  })
})

describe('the profiles of schools', () => {
  it.each([
    ['National_ELV', 'eleve', 'eleve-ou-parent'],
    ['National_elv', 'eleve', 'eleve-ou-parent'],
    ['NATIONAL_1', 'eleve', 'eleve-ou-parent'],
    ['National_TUT', 'parent', 'eleve-ou-parent'],
    ['National_2', 'parent', 'eleve-ou-parent'],
    ['National_3', 'enseignant'],
    ['National_ens', 'enseignant'],
    ['National_doc', 'documentaliste', 'enseignant'],
    ['National_DIR', 'direction', 'personnel'],
    ['National_EVS', 'vie-scolaire', 'personnel'],
    ['National_ETA', 'administratif', 'personnel'],
    ['National_ACA', 'academie', 'personnel'],
    ['National_COL', 'collectivite', 'personnel'],
    ['National_4', 'personnel'],
  ])('%s', async (said, ...profile) => {
    expect((await understood('school-portal.yaml', { ENTPersonProfils: said })).profile).toEqual(profile)
  })

  it('that an idp makes up, or writes as we do, are none', async () => {
    const said = { ENTPersonProfils: ['National_ADM', 'enseignant', ''], profile: 'enseignant' }
    expect((await understood('school-portal.yaml', said)).profile).toBeUndefined()
  })

  it('and the schools are read from nested values too, in the order of the portal', async () => {
    const school = [{ '@externalId': '0870003F' }, { '@externalId': '0541234A' }]
    const said = { userAttributes: { profile: 'Teacher', firstName: 'Anna', lastName: 'Adam', schools: { school } } }
    expect(await understood('school-portal.yaml', said)).toMatchObject({
      profile: ['enseignant'],
      school: ['0870003F', '0541234A'],
      givenName: ['Anna'],
    })
    const list = { ENTPersonStructRattachRNE: '0870003F,0541234A' }
    expect((await understood('school-portal.yaml', list)).school).toEqual(['0870003F', '0541234A'])
  })
})

describe('EduConnect', () => {
  it.each([
    ['eleve1d', 'eleve', 'premier-degre'],
    ['ELEVE2D', 'eleve', 'second-degre'],
    ['resp1d', 'parent', 'premier-degre'],
    ['resp2d', 'parent', 'second-degre'],
  ])('says %s', async (said, ...profile) => {
    expect((await understood('educonnect.yaml', { FrEduCtPersonAffiliation: said })).profile).toEqual(profile)
  })

  it('says by OIDs the same, and of a child nothing is kept that nobody asked for', async () => {
    const said = {
      sub: 'x',
      'urn:oid:1.3.6.1.4.1.20326.10.999.1.7': 'eleve2d',
      'urn:oid:1.3.6.1.4.1.20326.10.999.1.72': '0541234A',
      'urn:oid:1.3.6.1.4.1.20326.10.999.1.64': '0123456789abcdef0123456789abcdef',
      'urn:oid:1.3.6.1.4.1.20326.10.999.1.67': '2012-05-04',
      'urn:oid:2.5.4.4': 'Martin',
    }
    expect({ ...(await understood('educonnect.yaml', said)) }).toEqual({
      profile: ['eleve', 'second-degre'],
      school: ['0541234A'],
    })
  })
})
