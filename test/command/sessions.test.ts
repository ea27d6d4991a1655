import { describe, expect, it } from 'vitest'
import { sessions } from '../../src/command/sessions.ts'

describe('passerelle sessions', () => {
  it.each([
    [[], 'usage: passerelle sessions'],
    [['stop'], 'there is no "stop"'],
    [['end'], 'say whose sessions shall end'],
    [['end', '--all', '--idp', 'op'], 'exclude each other'],
    [['end', '--person', 'alice'], '--person must be IDP/SUBJECT'],
    [['end', '--session', 'x'], '--session must be a reference'],
    [['end', '--all', '--limit', '3'], '--limit is for lists'],
    [['list', '--limit', 'many'], '--limit must be a number'],
    [['list', '--address', 'localhost'], '--address must be an IP address and a port'],
    [['list', '--everybody'], 'everybody'],
  ])('is not understood: %j', async (args, sentence) => {
    const [out, err]: [string[], string[]] = [[], []]
    const code = await sessions(args, { write: text => out.push(text) }, { write: text => err.push(text) }, {})
    expect([code, out]).toEqual([2, []])
    expect(err.join('')).toContain(sentence)
  })

  it('says what is wrong with the configuration, and asks nobody', async () => {
    const [out, err]: [string[], string[]] = [[], []]
    const args = ['list', '--config', 'config/passerelle.yaml']
    const code = await sessions(args, { write: text => out.push(text) }, { write: text => err.push(text) }, {})
    expect([code, out]).toEqual([1, []])
    expect(err.join('')).toContain('session.secrets[0]')
  })
})
