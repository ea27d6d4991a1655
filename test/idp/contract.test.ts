/** Every sign-in protocol sits the same examination. */
import { describe } from 'vitest'
import { examine } from './contract.ts'
import { sitCas } from './sitting-cas.ts'
import { codesLack, sitCodes } from './sitting-codes.ts'
import { sitOidc } from './sitting-oidc.ts'

describe('OpenID Connect', () => examine(sitOidc))
describe('CAS', () => examine(sitCas))
describe('Access codes', () => examine(sitCodes, codesLack))
