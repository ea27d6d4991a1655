/**
 * What an identity provider's own pages ask after name and password: by which way, then a code that came by e-mail or that
 * an application shows (RFC 6238). Nobody is signed in without the right one.
 */
import { createHmac, randomBytes, randomInt } from 'node:crypto'
import type { FurtherStep, OpenidAccount } from '../../demo/openid-provider.ts'

export interface SecondFactor {
  readonly ask: FurtherStep
  /** Every code that was sent, the latest last. */
  readonly mails: readonly { readonly to: string; readonly code: string }[]
  /** What the person's application shows at this moment. */
  readonly shownBy: (name: string) => string
  /** Right codes, wrong codes. */
  readonly heard: { right: number; wrong: number }
}

export function createSecondFactor(title: string): SecondFactor {
  const mails: { to: string; code: string }[] = []
  const secrets = new Map<string, Buffer>()
  /** By sign-in: which way the person chose, and what was sent. */
  const chosen = new Map<string, { readonly way: 'mail' | 'app'; readonly code: string | null }>()
  const heard = { right: 0, wrong: 0 }

  const secretOf = (name: string) => {
    const known = secrets.get(name) ?? randomBytes(20)
    secrets.set(name, known)
    return known
  }
  const shownBy = (name: string, at = Date.now()) => totp(secretOf(name), Math.floor(at / 30_000))

  function ask(account: OpenidAccount, sent: URLSearchParams | null, uid: string) {
    const way = sent?.get('way')
    if (way === 'mail' || way === 'app') {
      const code = way === 'mail' ? String(randomInt(1_000_000)).padStart(6, '0') : null
      if (code !== null) mails.push({ to: account.name, code })
      chosen.set(uid, { way, code })
      return { page: codePage(way, false) }
    }
    const choice = chosen.get(uid)
    if (choice === undefined || sent === null) return { page: wayPage() }
    // A code of the application may be half a minute old.
    const good =
      choice.way === 'mail' ? [choice.code] : [shownBy(account.name), shownBy(account.name, Date.now() - 30_000)]
    if (good.includes(sent.get('code')?.trim() ?? '')) {
      heard.right += 1
      chosen.delete(uid)
      return { amr: ['pwd', 'otp', 'mfa'] }
    }
    heard.wrong += 1
    return { page: codePage(choice.way, true) }
  }

  function wayPage(): string {
    return page(`<form method="post">
<fieldset><legend>Double authentification</legend>
<label><input type="radio" name="way" value="mail" required checked> Recevoir un code à usage unique par e-mail</label><br>
<label><input type="radio" name="way" value="app"> Utiliser l’application d’authentification</label></fieldset>
<button>Continuer</button></form>`)
  }

  function codePage(way: 'mail' | 'app', again: boolean): string {
    const label = way === 'mail' ? 'Code d’authentification reçu par e-mail' : 'Code affiché par l’application'
    return page(`${again ? '<p role="alert">Ce code n’est pas le bon.</p>' : ''}<form method="post">
<label>${label} <input name="code" inputmode="numeric" autocomplete="one-time-code" required></label>
<button>Valider</button></form>`)
  }

  const page = (body: string) =>
    `<!doctype html><html lang="fr"><meta charset="utf-8"><title>${title}</title><main><h1>${title}</h1>${body}</main></html>`

  return { ask, mails, heard, shownBy }
}

/** RFC 6238, six digits, SHA-1 as applications have it; the counter as in RFC 4226 §5.3. */
function totp(secret: Buffer, counter: number): string {
  const message = Buffer.alloc(8)
  message.writeBigUInt64BE(BigInt(counter))
  const mac = createHmac('sha1', secret).update(message).digest()
  const number = mac.readUInt32BE((mac.at(-1) ?? 0) & 15) & 0x7fffffff
  return String(number % 1_000_000).padStart(6, '0')
}
