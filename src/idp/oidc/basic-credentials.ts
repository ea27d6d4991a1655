/**
 * Client id and secret in an Authorization header (RFC 6749 §2.3.1): both halves form-encoded, but no further.
 * openid-client also escapes `-`, `_` and `.`, which no form does, and idps that do not decode refuse such a secret.
 */
export function basicCredentials(clientId: string, secret: string): string {
  return `Basic ${Buffer.from(`${formEncoded(clientId)}:${formEncoded(secret)}`).toString('base64')}`
}

function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}
