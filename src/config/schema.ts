/** Every settings.ts composed into one strict schema. Unknown keys are errors. */
import { z } from 'zod'
import * as claims from '../claims/settings.ts'
import * as idp from '../idp/settings.ts'
import * as limits from '../limits/settings.ts'
import * as login from '../login/settings.ts'
import * as observe from '../observe/settings.ts'
import * as outbound from '../outbound/settings.ts'
import * as pages from '../pages/settings.ts'
import * as policy from '../policy/settings.ts'
import * as portal from '../portal/settings.ts'
import * as proxy from '../proxy/settings.ts'
import * as resource from '../resource/settings.ts'
import * as server from '../server/settings.ts'
import * as session from '../session/settings.ts'
import { byKey } from '../setting/one-of.ts'

const siteUnderItsOwnAddress = z.strictObject({
  ...resource.resourceKeys,
  ...policy.resourceKeys,
  ...proxy.resourceKeys,
})

export const settingsSchema = z.strictObject({
  ...server.topKeys,
  ...session.topKeys,
  ...idp.topKeys,
  ...login.topKeys,
  ...claims.topKeys,
  ...limits.topKeys,
  ...policy.topKeys,
  resources: z
    .array(byKey({ at: siteUnderItsOwnAddress }))
    .prefault([])
    .describe('The protected sites.'),
  ...pages.topKeys,
  ...portal.topKeys,
  ...outbound.topKeys,
  ...observe.topKeys,
})

export type Settings = z.output<typeof settingsSchema>
export type ResourceSettings = Settings['resources'][number]

type Leaf = URL | string | number | boolean | null | { reveal(): string }

/** A configuration of which some parts could not be read; `undefined` stands in their place. */
export type Part<T> = T extends Leaf
  ? T
  : T extends readonly (infer Item)[]
    ? readonly (Part<Item> | undefined)[]
    : { readonly [Key in keyof T]?: Part<T[Key]> | undefined }
