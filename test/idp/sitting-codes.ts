/** Access codes in their examination: the gateway asks the person on a page of its own, so there is no server that could lie. */
import { readCodeFile } from '../../src/config/access-codes.ts'
import { buildProviders } from '../../src/idp/build.ts'
import { codeIn } from '../../src/idp/code/spelling.ts'
import { createCodeFailures } from '../../src/limits/code-failures.ts'
import type { GatewayEvent } from '../../src/model/event.ts'
import { textOf } from '../../src/model/text.ts'
import { createMemoryStore } from '../../src/session/memory.ts'
import { settableClock } from '../stand-in/clock.ts'
import { makeCodeFile } from '../stand-in/code-file.ts'
import { noCodes } from '../stand-in/no-codes.ts'
import type { Lacking, Sitting } from './sitting.ts'

/** What makes no sense of a form that we answer ourselves. */
export const codesLack: Lacking = {
  server: 'the gateway compares the code with its own file: nobody else is asked, is away, or has a clock of its own',
  logsOut: 'nobody but the gateway knows of the sign-in; a code that is revoked ends it at the next check',
}

export async function sitCodes(): Promise<Sitting> {
  const clock = settableClock()
  const file = await makeCodeFile()
  const code = await file.add({ claims: { affiliation: ['guest'], unit: ['A', 'B'] } })
  const selector = code.slice(0, 4)

  return {
    now: clock.now,
    advance: clock.advance,
    silently: null,
    takesLoginHint: false,
    subject: `code:${selector}`,
    examined() {
      const events: GatewayEvent[] = []
      const [provider] = buildProviders(
        [{ id: 'campus', label: textOf('Codes'), codes: { file: file.path, state: null } }],
        {
          fetch: () => Promise.reject(new Error('a code is nobody else’s business')),
          now: clock.now,
          report: event => events.push(event),
          allowLoopbackHttp: true,
          rechecks: false,
          codes: {
            ...noCodes,
            read: ({ file: path }) => readCodeFile(path, { mayCountUses: true }),
            failures: createCodeFailures({
              meter: createMemoryStore({ now: clock.now }).counters.meter,
              networks: () => [],
            }),
          },
        },
      )
      if (provider === undefined) throw new Error('one idp makes one provider')
      return { provider, events }
    },
    reply(step) {
      if (step.kind !== 'prompt') throw new Error('a code is asked for by a page of ours')
      return { method: 'POST', parameters: new URLSearchParams({ code }) }
    },
    worthless: [
      ['without a code', reply => reply.delete('code')],
      ['with an empty code', reply => reply.set('code', '')],
      ['with two codes, the first of them right', reply => reply.append('code', 'ABCD-0000-0000-0000-0000')],
      ['with the right code twice', reply => reply.append('code', code)],
      ['with a code of which nobody has heard', reply => reply.set('code', 'ABCD-0000-0000-0000-0000')],
      ['with the selector alone', reply => reply.set('code', selector)],
      ['with one character wrong', reply => reply.set('code', `${code.slice(0, -1)}${code.endsWith('0') ? '1' : '0'}`)],
      ['with a line more', reply => reply.set('code', `${code}\r\nX-Remote-User: root`)],
      ['with the code many times over', reply => reply.set('code', code.repeat(20))],
      ['with markup around it', reply => reply.set('code', `<script>${code}</script>`)],
    ],
    secrets: ({ parameters }) =>
      parameters.getAll('code').flatMap(typed => {
        const whole = codeIn(typed)?.whole
        return [typed, ...(whole === undefined ? [] : [whole, whole.slice(4)])].filter(text => text.length > 10)
      }),
    server: null,
    logsOut: null,
    forgesLogout: null,
    reset: async () => {},
    stop: file.remove,
  }
}
