/** What the stand-in provider remembers: codes, tokens, sessions, clients, in this process and gone with it. */
import type { OpenidClient } from './openid-provider.ts'

type Payload = Record<string, unknown> & { grantId?: string; uid?: string; userCode?: string; consumed?: number }

interface Entry {
  readonly payload: Payload
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/**
 * The class that oidc-provider asks for: it makes one for each kind of thing. Its own memory adapter announces itself
 * on the terminal and is shared by all providers of a process, so it serves neither tests nor the demonstration.
 *
 * @param clients read at each look-up: more may be added while the provider runs
 */
export function memoryAdapter(clients: readonly OpenidClient[]) {
  const entries = new Map<string, Entry>()

  return class Adapter {
    readonly #kind: string

    constructor(kind: string) {
      this.#kind = kind
    }

    async upsert(id: string, payload: Payload, expiresInS?: number): Promise<void> {
      const expiresAt = expiresInS === undefined ? Number.POSITIVE_INFINITY : Date.now() + expiresInS * 1000
      entries.set(this.#key(id), { payload, expiresAt })
    }

    async find(id: string): Promise<Payload | undefined> {
      if (this.#kind === 'Client') {
        const client = clients.find(({ clientId }) => clientId === id)
        return client === undefined ? undefined : registration(client)
      }
      return live(entries.get(this.#key(id)))
    }

    async findByUid(uid: string): Promise<Payload | undefined> {
      return this.#findBy(payload => payload.uid === uid)
    }

    async findByUserCode(userCode: string): Promise<Payload | undefined> {
      return this.#findBy(payload => payload.userCode === userCode)
    }

    async consume(id: string): Promise<void> {
      const entry = entries.get(this.#key(id))
      if (entry !== undefined) entry.payload.consumed = Math.floor(Date.now() / 1000)
    }

    async destroy(id: string): Promise<void> {
      entries.delete(this.#key(id))
    }

    async revokeByGrantId(grantId: string): Promise<void> {
      for (const [key, { payload }] of entries) if (payload.grantId === grantId) entries.delete(key)
    }

    #findBy(matches: (payload: Payload) => boolean): Payload | undefined {
      for (const [key, entry] of entries) {
        if (key.startsWith(`${this.#kind}:`) && matches(entry.payload)) return live(entry)
      }
      return undefined
    }

    #key(id: string): string {
      return `${this.#kind}:${id}`
    }
  }
}

function live(entry: Entry | undefined): Payload | undefined {
  return entry !== undefined && Date.now() < entry.expiresAt ? entry.payload : undefined
}

/** RFC 7591 §2 */
export function registration(client: OpenidClient): Payload {
  return {
    client_id: client.clientId,
    ...(client.clientSecret === null
      ? { token_endpoint_auth_method: 'none' }
      : {
          client_secret: client.clientSecret,
          token_endpoint_auth_method: client.authentication === 'post' ? 'client_secret_post' : 'client_secret_basic',
        }),
    redirect_uris: [...client.redirectUris],
    post_logout_redirect_uris: [...(client.postLogoutRedirectUris ?? [])],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    require_auth_time: true,
    ...(client.backchannelLogoutUri === undefined
      ? {}
      : { backchannel_logout_uri: client.backchannelLogoutUri, backchannel_logout_session_required: true }),
  }
}
