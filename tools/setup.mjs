/**
 * Makes a fresh clone ready: `npm run demo` and `npm test` call it first, `bench` too.
 * Plain JavaScript without dependencies, because it runs before anything is installed, on any Node from 20 up.
 *
 *   node tools/setup.mjs            npm packages, and a Node of at least 24 for the scripts
 *   node tools/setup.mjs --tests    also redis-server and chromium, by apt where that is allowed
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const stampFile = join(root, 'node_modules', '.passerelle-setup')
const wantedNode = 24

installPackages()
requireNode()
if (process.argv.includes('--tests')) installPrograms()

function installPackages() {
  // The platform is part of the stamp: a checkout shared between two machines holds native parts of the other one.
  const lock = readFileSync(join(root, 'package-lock.json'))
  const stamp = createHash('sha256').update(lock).update(`${process.platform} ${process.arch}`).digest('hex')
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return
  console.log('Installing the npm packages of package-lock.json …')
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const done = spawnSync(npm, ['ci', '--no-audit', '--no-fund'], { cwd: root, stdio: 'inherit' })
  if (done.status !== 0) stop('npm ci failed; its own message is above.')
  mkdirSync(dirname(stampFile), { recursive: true })
  writeFileSync(stampFile, stamp)
}

function requireNode() {
  // npm puts node_modules/.bin first in the PATH of a script, so this is the `node` that the next script line gets.
  const local = join(root, 'node_modules', '.bin', 'node')
  const node = existsSync(local) ? local : process.execPath
  let version = ''
  try {
    version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
  } catch {
    // A package without a build for this platform leaves a file that cannot run.
  }
  if (Number(version.slice(1).split('.')[0]) >= wantedNode) return
  stop(
    `Node ${wantedNode} or later is needed; found ${version || 'none'}, and the npm package "node" has no build for ${process.platform} ${process.arch}. Install Node ${wantedNode} from https://nodejs.org/ and try again.`,
  )
}

function installPrograms() {
  const needed = [
    { program: ['redis-server'], debian: 'redis-server', mac: 'redis' },
    {
      program: ['chromium', 'chromium-browser', 'google-chrome', ...macChromium()],
      debian: 'chromium',
      mac: '--cask chromium',
    },
  ]
  const missing = needed.filter(one => !one.program.some(found))
  if (missing.length === 0) return
  const packages = missing.map(one => one.debian)
  const mayUseApt = found('apt-get') && process.getuid?.() === 0
  if (!mayUseApt) {
    const command =
      process.platform === 'darwin'
        ? missing.map(one => `brew install ${one.mac}`).join(' && ')
        : `sudo apt-get update && sudo apt-get install --yes --no-install-recommends ${packages.join(' ')}`
    stop(`The tests need ${packages.join(' and ')}. Install with:\n\n  ${command}\n`)
  }
  console.log(`Installing ${packages.join(', ')} by apt …`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  spawnSync('apt-get', ['update', '-qq'], { stdio: 'inherit', env })
  const done = spawnSync('apt-get', ['install', '--yes', '-qq', '--no-install-recommends', ...packages], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env,
  })
  if (done.status !== 0) stop(`apt-get install ${packages.join(' ')} failed; its own message is above.`)
}

function macChromium() {
  return [
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ]
}

function found(program) {
  const places = program.startsWith('/')
    ? [program]
    : (process.env.PATH ?? '').split(delimiter).map(folder => join(folder, program))
  return places.some(place => {
    try {
      accessSync(place, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function stop(sentence) {
  console.error(`\n${sentence}`)
  process.exit(1)
}
