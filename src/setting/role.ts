/** What a setting is besides its shape, for those who walk the whole configuration: which texts are secrets, which are files. */
import { z } from 'zod'

export type PemContent = 'CERTIFICATE' | 'PRIVATE KEY'

export type Role =
  /** Never shown, and warned of when it stands in the file itself. */
  | { readonly role: 'secret' }
  /** The same, where the URL has a password. */
  | { readonly role: 'secret-url' }
  /** A path relative to the configuration file; the file must hold this, and its content takes the path's place. */
  | { readonly role: 'file'; readonly content: PemContent }
  /** The same, of a table of values (claims/table.ts). */
  | { readonly role: 'table' }
  /** A file that is read anew when it changes, of access codes: its path as the process can open it takes the path's place. */
  | { readonly role: 'codes' }
  /** The same, of how often these were used; the gateway writes it. */
  | { readonly role: 'uses' }

export const roles = z.registry<Role>()
