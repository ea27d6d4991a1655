/**
 * What an OpenID provider tells us in a frame of its own page. Nothing is signed and no cookie comes along: whoever knows the
 * sid may end what it stands for (SESSIONS B 6). OpenID Connect Front-Channel Logout 1.0 §2, §3.
 */
import type { IdpId } from '../../model/identity.ts'
import type { IdentityProvider } from '../../model/idp.ts'
import type { LogoutNotice } from '../../model/logout.ts'
import type { Metadata } from './metadata.ts'
import { guessedBits, secretBits } from './sid.ts'

export interface FrontChannelSettings {
  /** What a `sid` may end: the one session whose secret it is; everything of the user that it names; nothing. */
  readonly sid: 'session' | 'subject' | 'off'
}

export interface FrontChannelNeeds {
  /** As the configuration writes it. */
  readonly issuer: string
  readonly metadata: () => Promise<Metadata>
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

export function createFrontChannel(
  idp: IdpId,
  { sid: by }: FrontChannelSettings,
  { issuer, metadata, now }: FrontChannelNeeds,
): IdentityProvider['frontChannel'] {
  if (by === 'off') return null

  return {
    by,

    /** The page that signs people out may stand on another host than the issuer's name. */
    async framedBy() {
      const known = await metadata().catch(() => null)
      const pages = [known?.endSessionEndpoint, known?.authorizationEndpoint].filter(page => page != null)
      return [...new Set([issuer, ...pages].map(address => new URL(address).origin))]
    },

    hear(query) {
      const [iss, sid] = [once(query, 'iss'), once(query, 'sid')]
      if (iss === null || sid === null || sid.length > 255) return []
      if (!URL.canParse(iss) || new URL(iss).href !== new URL(issuer).href) return []
      const issuedAt = Math.floor(now() / 1000)
      const notice = (named: Pick<LogoutNotice, 'subject' | 'idpSession'>): LogoutNotice => {
        return { idp, issuedAt, message: null, ...named }
      }
      if (by === 'session') {
        // What could be guessed is no session's secret, and leaves no mark in the store.
        if (guessedBits(sid) < secretBits) return []
        return [notice({ subject: null, idpSession: { kinds: ['sid'], value: sid } })]
      }
      return [
        notice({ subject: null, idpSession: { kinds: ['sid', 'guessable-sid'], value: sid } }),
        notice({ subject: sid, idpSession: null }),
      ]
    },
  }
}

/** Null: absent, empty, or said twice. */
function once(query: URLSearchParams, name: string): string | null {
  const [value = '', ...more] = query.getAll(name)
  return value === '' || more.length > 0 ? null : value
}
