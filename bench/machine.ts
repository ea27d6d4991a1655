/** Where the figures come from, in words: processor, system, versions. Never a path or a host name. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'

export function describeMachine(): string {
  const processors = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  const versions = [
    `node ${process.versions.node}`,
    version('nginx', ['-v'], /nginx\/([\d.]+)/, 'nginx'),
    version('apache2', ['-v'], /Apache\/([\d.]+)/, 'Apache'),
    version('redis-server', ['--version'], /v=([\d.]+)/, 'Redis'),
    version('wrk', ['-v'], /wrk (?:debian\/)?([\d.]+)/, 'wrk'),
  ]
  return `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown processor'}, ${memory} GiB; ${system()}, Linux ${release()}; ${versions.filter(Boolean).join(', ')}.`
}

function system(): string {
  return /^PRETTY_NAME="?(.*?)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux'
}

/** Empty where the program is missing. */
function version(program: string, args: string[], pattern: RegExp, name: string): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  const found = pattern.exec(`${stdout ?? ''}${stderr ?? ''}`)?.[1]
  return found === undefined ? '' : `${name} ${found}`
}
