/**
 * An idp that fails, when the gateway starts and later. Whoever is signed in notices nothing; whoever wants to sign in reads
 * what happened and has a link that tries again; nobody restarts anything.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AdversarialOp, startAdversarialOp } from '../stand-in/adversarial-op.ts'
import { Browser, type BrowserOptions } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { startIdpFaultWorld } from '../stand-in/idp-fault-world.ts'
import { tell, timed, until } from '../stand-in/measure.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'
import { timesOf, visit } from '../stand-in/visits.ts'

interface Fault {
  /** Also the name of the idp that has it, and of the site whose people come from there. */
  readonly id: string
  readonly what: string
  readonly begin: (op: AdversarialOp) => unknown
  /** How a sign-in ends. */
  readonly status: number
  readonly code: string | null
  /** Milliseconds until a person has the answer. */
  readonly withinMs: number
}

/** Beside what the promise says, for a machine that has other things to do. */
const spareMs = 1_000

const faults: readonly Fault[] = [
  {
    id: 'refused',
    what: 'refuses connections',
    begin: op => op.goDown(),
    status: 503,
    code: 'idp.unreachable',
    withinMs: 0,
  },
  {
    id: 'silent',
    what: 'takes the request and says nothing',
    begin: op => {
      op.bends.wire.metadata = () => {}
    },
    status: 503,
    code: 'idp.unreachable',
    withinMs: 10_000,
  },
  {
    id: 'broken',
    what: 'answers 500',
    begin: op => {
      op.bends.wire.metadata = (_, response) => void response.writeHead(500).end('<h1>Internal error</h1>')
    },
    status: 503,
    code: 'idp.unreachable',
    withinMs: 0,
  },
  {
    id: 'html',
    what: 'answers 200 with a page of maintenance',
    begin: op => {
      op.bends.wire.metadata = (_, response) =>
        void response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><h1>Back soon</h1>')
    },
    status: 502,
    code: 'idp.invalid-answer',
    withinMs: 0,
  },
  {
    id: 'slow',
    what: 'needs two seconds for an answer',
    begin: op => {
      const { metadata } = op.bends.wire
      op.bends.wire.metadata = async (request, response) => {
        await new Promise(resolve => setTimeout(resolve, 2_000))
        return metadata === undefined ? op.honest(request, response) : metadata(request, response)
      }
    },
    status: 200,
    code: null,
    withinMs: 2_000,
  },
]
