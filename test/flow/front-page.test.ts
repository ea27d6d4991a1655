/** The front page of a person by what their claims open (issue: claims and the chooser), at the assembled gateway. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'

let world: TestGateway

const site = (id: string, policy: string) => `
  - { id: ${id}, title: Site ${id}, at: "http://${id}.localhost:$PORT", origin: "$ORIGIN", policy: ${policy} }`

beforeAll(async () => {
  world = await startTestGateway({
    resources: [
      site('biology', '[{ domain: [INSB, INEE] }]'),
      site('ecology', '[{ domain: INEE }]'),
      site('maths', '[{ domain: INSMI }]'),
      site('common', 'signed-in'),
    ].join(''),
    more: `
claims:
  domain: { from: [affiliation], values: { 53: INSB, 55: INEE, 59: INSMI }, labels: { INSB: { fr: sciences biologiques, en: biology } } }
front: { groupBy: domain }
site: { contact: { address: acces@example.org } }`,
  })
})
afterAll(() => world.stop())

/** The page of somebody of whom the provider says this. */
async function frontOf(ou: readonly string[], language: 'fr' | 'en' = 'fr') {
  world.provider.say('alice', { name: 'Anne Lefèvre', affiliation: ou })
  world.provider.person('alice')
  const browser = new Browser({ language })
  await browser.navigate(world.portal('/login'))
  return browser.navigate(world.portal('/'))
}

describe('the front page by domain', () => {
  it('names the person, their domains with the favourite first, and the sites of each', async () => {
    const page = await frontOf(['55', '53'])
    expect(page.status).toBe(200)
    const from = (text: string) => page.visibleText.indexOf(text)
    const order = [
      'Bonjour Anne Lefèvre',
      'INEE',
      'Site ecology',
      'sciences biologiques',
      'Autres sites',
      'Site common',
      'Fermés à ce compte',
      'Site maths',
    ]
    expect(order.map(from)).toEqual(order.map(from).toSorted((a, b) => a - b))
    expect(order.map(from)).not.toContain(-1)
    expect(page.visibleText.match(/Site biology/g)).toHaveLength(2)
    expect(page.text).toMatch(/class="star".*<bdi>INEE<\/bdi>.*Favori/)
  })

  it('tells somebody without a domain what to do, with a reference that is in the log', async () => {
    const page = await frontOf(['999'])
    expect(page.visibleText).toContain('votre compte ne nous a transmis aucun domaine')
    const [, reference = 'none'] = /en citant la référence ([0-9A-Z]{6})/.exec(page.visibleText) ?? []
    expect(world.log.some(line => line.includes(`"ref":"${reference}"`))).toBe(true)
    expect((await frontOf([], 'en')).visibleText).toContain('your account sent us no domain')
  })

  it('is the same page after the provider says something else of the person: what it said last counts', async () => {
    expect((await frontOf(['59'])).text).toContain('<bdi>INSMI</bdi>')
    const page = await frontOf(['53'])
    expect(page.text).not.toContain('<bdi>INSMI</bdi>')
    expect(page.text).not.toContain('Favori')
  })
})
