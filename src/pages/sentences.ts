/**
 * The public sentences of every failure, in every language: what happened, what it means, what to do. The compiler
 * finds the one that is missing; docs/reference/errors.md is generated from here. Never a detail of the log.
 */
import type { ErrorCode } from '../errors.ts'
import type { Sentences } from './sentence.ts'
import { ofCircles } from './sentences-circle.ts'
import { ofCodes } from './sentences-code.ts'
import { ofRequests } from './sentences-request.ts'
import { ofSignIn } from './sentences-sign-in.ts'
import { ofSignOut } from './sentences-sign-out.ts'
import { ofSites } from './sentences-site.ts'

export const sentences: Sentences<ErrorCode> = {
  ...ofCircles,
  ...ofCodes,
  ...ofRequests,
  ...ofSignIn,
  ...ofSignOut,
  ...ofSites,
}
