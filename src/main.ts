/** The command line: argument → command; exit code out. */
import { readFile } from 'node:fs/promises'

const usage = `usage: passerelle COMMAND

  serve FILE    run the gateway with this configuration; --watch reads it anew when it changes
  check FILE    say everything that is wrong with a configuration
  explain URL   say who may open an address, and why
  sessions      list or end sessions of a running gateway
  codes         add, list or revoke access codes
  --version
  --help
`

/**
 * @param args  without node and script
 * @returns     the exit code
 */
async function main([command = '--help', ...args]: readonly string[]): Promise<number> {
  // A command loads only what it needs: `check` need not wait for a web server.
  switch (command) {
    case 'serve': {
      // Heard while all the rest is still being loaded.
      const { hearSignals } = await import('./command/signals.ts')
      const signals = hearSignals(process.stdout.isTTY)
      const { serve } = await import('./command/serve.ts')
      return serve(args, process.stdout, process.env, signals)
    }
    case 'check': {
      const { check } = await import('./command/check.ts')
      return check(args, process.stdout, process.env)
    }
    case 'explain': {
      const { explain } = await import('./command/explain.ts')
      return explain(args, process.stdout, process.env)
    }
    case 'sessions': {
      const { sessions } = await import('./command/sessions.ts')
      return sessions(args, process.stdout, process.stderr, process.env)
    }
    case 'codes': {
      const { codes } = await import('./command/codes.ts')
      return codes(args, process.stdout, process.stderr, process.env)
    }
    case '--version':
      process.stdout.write(`${await version()}\n`)
      return 0
    case '--help':
    case '-h':
      process.stdout.write(usage)
      return 0
    default:
      process.stderr.write(`passerelle: there is no command "${command}"\n\n${usage}`)
      return 2
  }
}

async function version(): Promise<string> {
  // src/ and dist/ both stand beside package.json.
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(text) as { readonly version: string }
  return version
}

process.exitCode = await main(process.argv.slice(2))
