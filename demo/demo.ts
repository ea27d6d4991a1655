/** `npm run demo`: starts the little world (world.ts), says what there is to see, and stops everything at Ctrl-C. */
import { parseArgs } from 'node:util'
import { PortBusy, startWorld, type World } from './world.ts'

const usage = `npm run demo -- [--port N] [--log]

  --port N   the gateway's port, 8080 unless said; its operations listener is 1010 above
  --log      show the gateway's log, one JSON object a line
`

interface Wish {
  readonly port: number
  readonly log: boolean
}

/** Null: the command was not understood, or asked for help. */
function wishOf(args: string[]): Wish | null {
  try {
    const { values } = parseArgs({
      args,
      options: { port: { type: 'string' }, log: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    })
    const port = Number(values.port ?? 8080)
    const fits = Number.isInteger(port) && port >= 1 && port + 1_010 <= 65_535
    return values.help === true || !fits ? null : { port, log: values.log === true }
  } catch {
    return null
  }
}

function story({ addresses, accounts }: World): string {
  const { portal, journal, courses, intranet, provider, operations, direct } = addresses
  const people = accounts.map(({ name, password, summary }) => `  ${name.padEnd(7)} ${password.padEnd(7)} ${summary}`)
  return `
Passerelle is running. Open these in Chromium, Chrome, Edge or Firefox, on this machine:

  ${portal.padEnd(42)} the portal: sign in, sign out
  ${journal.padEnd(42)} a journal         (biologists)
  ${courses.padEnd(42)} a school's site   (teachers)
  ${intranet.padEnd(42)} an intranet       (anyone who signed in)

People, with their passwords:

${people.join('\n')}

Things to try:

  1. A deep link. Without being signed in, open
       ${journal}article/12?view=full
     and sign in as alice: you land on that very page, and the journal knows your name.
     Then open the intranet: nobody asks again.
  2. A refusal. Still as alice, open ${courses}
     The page says what is missing. In a private window, bruno may enter and alice's journal refuses him;
     chloe sees the intranet only.
  3. One sign-out for all. As bruno, open the chat, ${courses}chat
     In another tab sign out at ${portal} and watch the chat close by itself.
     From then on every site asks for a sign-in again.
     The course site's own logout link, "Quitter", does the same, and the site forgets its own session, too.
  4. The other language. The gateway's pages follow your browser, and have a switch, français / English.
  5. A long download. ${journal}pdf/12.pdf is 5 MB, and can be continued.
  6. What a site is told: ${intranet}whoami
     The same sites without the gateway in front, where no identity comes:
       ${direct.journal}
       ${direct.courses}
       ${direct.intranet}
  7. For machines: ${operations}/readyz and ${operations}/metrics
     The configuration of all this is demo/passerelle.yaml.

The identity provider is ${provider}. curl finds *.localhost but drops its Secure cookies, Node does not
find it on every system, and Safari refuses Secure cookies on http: hence Chromium or Firefox.

Ctrl-C stops everything.
`
}

async function main(): Promise<void> {
  const wish = wishOf(process.argv.slice(2))
  if (wish === null) {
    process.stdout.write(usage)
    process.exitCode = process.argv.includes('--help') || process.argv.includes('-h') ? 0 : 2
    return
  }
  try {
    // As 9090 is above 8080.
    const ports = [wish.port, wish.port + 1_010] as const
    const world = await startWorld({ ports, log: wish.log ? 'info' : 'error' })
    process.stdout.write(story(world))
    // npm passes Ctrl-C on although the terminal has sent it already: the second one changes nothing.
    const stop = () => {
      world.stop().catch(error => {
        console.error(error)
        process.exitCode = 1
      })
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
  } catch (error) {
    if (!(error instanceof PortBusy)) throw error
    console.error(`Port ${error.port} is in use. Choose another: npm run demo -- --port ${wish.port + 101}`)
    process.exitCode = 1
  }
}

await main()
