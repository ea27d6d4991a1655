import { describe, expect, it, vi } from 'vitest'
import type { Claims } from '../../src/model/identity.ts'
import { authorize } from '../../src/policy/authorize.ts'
import { createSitesByValue } from '../../src/portal/sites-by-value.ts'
import { aSession } from '../policy/a-session.ts'
import { aResource } from '../resource/a-resource.ts'

const biology = aResource({ id: 'biology', policy: [{ domain: ['INSB', 'INEE'] }] })
const ecology = aResource({ id: 'ecology', policy: [{ domain: 'INEE' }] })
const staff = aResource({ id: 'staff', policy: [{ domain: 'INSB', affiliation: 'staff' }, { email: '*@cnrs.fr' }] })
const everybody = aResource({ id: 'everybody', policy: 'signed-in' })
const notGuests = aResource({ id: 'not-guests', policy: [{ not: { domain: 'GUEST' } }] })
const sites = [biology, ecology, staff, everybody, notGuests]

function listed(claims: Claims, more = {}) {
  const session = { ...aSession(claims), ...more }
  const open = sites.filter(
    resource =>
      authorize({ resource, access: resource.access, context: { method: 'GET', address: '192.0.2.7' } }, session)
        .effect !== 'deny',
  )
  const { groups, others, unlisted } = createSitesByValue(authorize)(open, session, 'domain', '192.0.2.7')
  return {
    groups: groups.map(({ value, sites }) => [value, sites.map(({ id }) => id)]),
    others: others.map(({ id }) => id),
    unlisted,
  }
}

describe('the sites of a person, by value', () => {
  it('stand under each value that opens them, in the order of the claim; what opens anyway stands apart', () => {
    expect(listed({ domain: ['INEE', 'INSB'], affiliation: ['staff'] })).toEqual({
      groups: [
        ['INEE', ['biology', 'ecology']],
        ['INSB', ['biology', 'staff']],
      ],
      others: ['everybody', 'not-guests'],
      unlisted: 0,
    })
  })

  it('stand under no value where another claim opens them too', () => {
    expect(listed({ domain: ['INSB'], affiliation: ['staff'], email: ['anna@cnrs.fr'] })).toMatchObject({
      groups: [['INSB', ['biology']]],
      others: ['staff', 'everybody', 'not-guests'],
    })
  })

  it('are grouped by nothing for somebody without any, also where a claim is called as objects call their own', () => {
    expect(listed({})).toEqual({ groups: [], others: ['everybody', 'not-guests'], unlisted: 0 })
    const { groups } = createSitesByValue(authorize)(sites, aSession({}), 'constructor', '192.0.2.7')
    expect(groups).toEqual([])
  })

  it('are still those of their value where the person has closed one for themselves', () => {
    expect(listed({ domain: ['INEE'] }, { left: ['ecology'] }).groups).toEqual([['INEE', ['biology', 'ecology']]])
  })

  it('stand under what the person chose first, also beyond what is listed; a favourite that they do not have is none', () => {
    const domain = [...Array.from({ length: 30 }, (_, index) => `D${index}`), 'INEE']
    const by = (favourite: string | null) =>
      createSitesByValue(authorize)([ecology], aSession({ domain }), 'domain', '192.0.2.7', favourite)
    const { groups, others, unlisted } = by('INEE')
    expect([groups.length, unlisted, others]).toEqual([20, 11, []])
    expect(groups.slice(0, 2)).toEqual([
      { value: 'INEE', sites: [ecology] },
      { value: 'D0', sites: [] },
    ])
    for (const none of [null, 'INSMI', '']) expect(by(none).groups[0]?.value).toBe('D0')
  })

  it('cost a bounded number of decisions, however many values an idp names', () => {
    const domain = Array.from({ length: 1_000 }, (_, index) => `D${index}`)
    const session = aSession({ domain: [...domain, 'INEE'] })
    const decide = vi.fn(authorize)
    const { groups, others, unlisted } = createSitesByValue(decide)([biology, ecology], session, 'domain', '192.0.2.7')
    expect([groups.length, unlisted]).toEqual([20, 981])
    expect(others).toEqual([biology, ecology])
    expect(decide.mock.calls.length).toBeLessThanOrEqual(21 * 2)
  })
})
