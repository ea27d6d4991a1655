/** What an identity provider is believed about (SESSIONS A7). */

export type Belief =
  | { readonly kind: 'any' }
  | { readonly kind: 'none' }
  /** Values like one of these: text, with `*` as in a rule (model/pattern.ts). */
  | { readonly kind: 'like'; readonly anyOf: readonly string[] }

/**
 * By the name of a claim as policies use it; `*` is every claim that is not named. `acr` and `amr` are how strongly the
 * person signed in, which `*` does not cover. About what is not there it is not believed.
 */
export type Asserts = Readonly<Record<string, Belief>>
