/** What must be in no log line, no metric and no event: noted as it comes by, looked for at the end (attack case LG-01). */
import type { Reply } from './browser-reply.ts'
import type { TestGateway } from './gateway.ts'

/** Parameters of our addresses that name, or are, something that opens. */
const telling = ['code', 'state', 'nonce', 'code_challenge', 'r', 't', 'n', 'o', 'id_token_hint', 'token', 'ticket']

export interface NotedSecrets {
  readonly note: (what: string, value: unknown) => void
  /** Cookies, references, codes and form tokens of an answer and of all that led to it. */
  readonly noteAll: (reply: Reply) => Reply
  /** How many, and of how many kinds. */
  readonly count: () => { readonly secrets: number; readonly kinds: number }
  /** Each that stands in the log, in the metrics or in what was reported, and where. */
  readonly found: (world: TestGateway) => Promise<readonly string[]>
}

export function notedSecrets(): NotedSecrets {
  /** The secret, and what it is. */
  const secrets = new Map<string, string>()

  function note(what: string, value: unknown): void {
    if (typeof value !== 'string' || value.length < 8) return
    // The second of a sign-out opens nothing, and may well be the one in which a process began.
    if (/^\d{10}$/.test(value)) return
    for (const spelled of [value, encodeURIComponent(value), decodeURIComponent(value)]) secrets.set(spelled, what)
  }

  return {
    note,

    noteAll(reply) {
      for (const hop of [...reply.hops, reply]) {
        for (const line of hop.cookiesSet) note('a cookie', /^[^=]+=([^;]+)/.exec(line)?.[1])
        for (const url of [hop.url, hop.redirect].filter(one => one !== null)) {
          for (const name of telling) note(`the ${name} of an address`, url.searchParams.get(name))
          note('the state in a path', /^\/callback\/[^/]+\/([^/]+)$/.exec(url.pathname)?.[1])
        }
        for (const form of hop.forms)
          for (const [name, value] of form.fields) if (name === 'token') note('a form’s token', value)
      }
      return reply
    },

    count: () => ({ secrets: secrets.size, kinds: new Set(secrets.values()).size }),

    async found(world) {
      const metrics = await (await fetch(`http://127.0.0.1:${world.operationsPort}/metrics`)).text()
      const outputs = { log: world.log.join(''), metrics, events: JSON.stringify(world.events) }
      return Object.entries(outputs).flatMap(([output, text]) =>
        [...secrets]
          .filter(([secret]) => text.includes(secret))
          .map(([secret, what]) => `${what} in ${output}: ${secret}`),
      )
    },
  }
}
