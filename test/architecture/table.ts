/**
 * The shape of src/ as data: who is above whom, and which file may know which third-party package.
 * docs/architecture.md explains it; a change here is a change of the design and wants a word there.
 */

/**
 * A row imports only rows above it in this list, and its own folder; members of one row are strangers to each other.
 * Rank 0 stands as three rows, because errors, nouns and the alphabet of the configuration build on each other in this order.
 */
export const ranks: readonly { readonly rank: number; readonly members: readonly string[] }[] = [
  { rank: 0, members: ['errors.ts'] },
  { rank: 0, members: ['model'] },
  { rank: 0, members: ['setting'] },
  {
    rank: 1,
    members: ['outbound', 'resource', 'policy', 'claims', 'session', 'idp', 'proxy', 'pages', 'observe', 'limits'],
  },
  { rank: 2, members: ['access', 'login', 'logout', 'portal'] },
  { rank: 3, members: ['server'] },
  { rank: 4, members: ['config'] },
  // Rank 5 stands as three rows: the planes, the one file that puts them together, and who changes them while it runs.
  { rank: 5, members: ['assembly'] },
  { rank: 5, members: ['gateway.ts'] },
  { rank: 5, members: ['reload.ts'] },
  { rank: 6, members: ['command'] },
  { rank: 7, members: ['main.ts'] },
]

/** Folders whose sub-folders are strangers too: deleting idp/oidc/ must break nothing but the lines that list it. */
export const apart: readonly string[] = ['idp']

/** Package to the places that may import it: a file, or a folder with `/` at its end; `*` is any one path segment. */
export const corners: Readonly<Record<string, readonly string[]>> = {
  'connect-redis': ['server/'],
  express: ['server/'],
  'express-session': ['server/'],
  helmet: ['server/'],
  ioredis: ['session/redis-connection.ts'],
  'openid-client': ['idp/oidc/client.ts'],
  pino: ['observe/log.ts'],
  'prom-client': ['observe/metrics.ts'],
  saxes: ['idp/cas/xml.ts'],
  undici: ['outbound/'],
  yaml: ['config/'],
  zod: ['setting/', '*/settings.ts', '*/*/settings.ts', 'config/'],
}

/** Names that hold everything and say nothing, for folders and for files. */
export const emptyNames: readonly string[] = [
  'common',
  'constants',
  'helper',
  'helpers',
  'index',
  'lib',
  'misc',
  'services',
  'shared',
  'types',
  'util',
  'utils',
]

export const grantor = 'policy/authorize.ts'

/** Where the environment may be read; main.ts hands it to config/. */
export const readersOfEnvironment: readonly string[] = ['config/', 'main.ts']

/** Where a line may be written to the terminal. Everything else reports (model/event.ts). */
export const speakers: readonly string[] = ['command/', 'main.ts']

export const longestFile = 320
