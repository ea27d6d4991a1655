/**
 * What must be one step in Redis and takes more than one command. Each script touches the keys of one session, which
 * share a hash tag, or a single key. Needs Redis 6.2 (GETDEL, SET PXAT), nothing later.
 */
import { recordVersionOffset } from '../model/store.ts'

export interface Script {
  readonly numberOfKeys: number
  readonly lua: string
}

/**
 * KEYS: record. A script, because it is one moment and one command: three commands in a pipeline cost this process
 * several times as much.
 */
const readRecord: Script = {
  numberOfKeys: 1,
  lua: `
local value = redis.call('GET', KEYS[1])
if not value then return false end
local time = redis.call('TIME')
return {value, time[1] * 1000 + math.floor(time[2] / 1000), redis.call('PTTL', KEYS[1])}`,
}

/** KEYS: record, visits. ARGV: version (4 bytes), value, expiry in ms since the epoch or '' to keep it. */
const replaceRecord: Script = {
  numberOfKeys: 2,
  lua: `
if redis.call('EXISTS', KEYS[1]) == 0 then return 'absent' end
if redis.call('GETRANGE', KEYS[1], ${recordVersionOffset}, ${recordVersionOffset + 3}) ~= ARGV[1] then return 'stale' end
if ARGV[3] == '' then
  redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
else
  redis.call('SET', KEYS[1], ARGV[2], 'PXAT', ARGV[3])
  redis.call('PEXPIREAT', KEYS[2], ARGV[3])
end
return 'replaced'`,
}

/** KEYS: record, visits. ARGV: expiry in ms since the epoch. The visits live as long as their record. */
const touchRecord: Script = {
  numberOfKeys: 2,
  lua: `
if redis.call('PEXPIREAT', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('PEXPIREAT', KEYS[2], ARGV[1])
return 1`,
}

/** KEYS: record, visits. */
const takeRecord: Script = {
  numberOfKeys: 2,
  lua: `
local value = redis.call('GETDEL', KEYS[1])
if not value then return false end
local visits = redis.call('SMEMBERS', KEYS[2])
redis.call('DEL', KEYS[2])
return {value, visits}`,
}

/** KEYS: record, visits. ARGV: member, most members. */
const visitRecord: Script = {
  numberOfKeys: 2,
  lua: `
local left = redis.call('PTTL', KEYS[1])
if left <= 0 then return 0 end
if redis.call('SCARD', KEYS[2]) < tonumber(ARGV[2]) then redis.call('SADD', KEYS[2], ARGV[1]) end
redis.call('PEXPIRE', KEYS[2], left)
return 1`,
}

/**
 * KEYS: set. ARGV: member, its end in ms since the epoch. The set lives as long as its longest member. (PEXPIREAT … GT
 * would never set the first expiry: to Redis a key without one lives for ever.)
 */
const addMember = `
redis.call('SADD', KEYS[1], ARGV[1])
local time = redis.call('TIME')
local left = redis.call('PTTL', KEYS[1])
if left < 0 or time[1] * 1000 + time[2] / 1000 + left < tonumber(ARGV[2]) then
  redis.call('PEXPIREAT', KEYS[1], ARGV[2])
end`

const enterDirectory: Script = { numberOfKeys: 1, lua: `${addMember}\nreturn 1` }

/** KEYS: set. ARGV: member, its end, most members, then whoever may make room. Answers what became of it, then who left. */
const enterLimited: Script = {
  numberOfKeys: 1,
  lua: `
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1 then return {'known'} end
local need = redis.call('SCARD', KEYS[1]) - tonumber(ARGV[3]) + 1
local answer = {'entered'}
for i = 4, #ARGV do
  if #answer > need then break end
  if redis.call('SISMEMBER', KEYS[1], ARGV[i]) == 1 then answer[#answer + 1] = ARGV[i] end
end
if #answer <= need then return {'full'} end
for i = 2, #answer do redis.call('SREM', KEYS[1], answer[i]) end
${addMember}
return answer`,
}

/** KEYS: counter. ARGV: how far it goes. */
const raiseCounter: Script = {
  numberOfKeys: 1,
  lua: `
if tonumber(redis.call('GET', KEYS[1]) or '0') >= tonumber(ARGV[1]) then return 0 end
redis.call('INCR', KEYS[1])
return 1`,
}

/**
 * KEYS: meter, which holds the time until which its share is spoken for, in ms since the epoch. ARGV: how long each counts, how far
 * ahead that time may be, both in ms; how many come. Answers ms to wait.
 */
const meterRate: Script = {
  numberOfKeys: 1,
  lua: `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local till = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local wait = math.max(0, till - tonumber(ARGV[2]) - now)
local many = tonumber(ARGV[3])
if many == 0 or (many > 0 and wait > 0) then return wait end
till = till + many * tonumber(ARGV[1])
if till <= now then redis.call('DEL', KEYS[1])
else redis.call('SET', KEYS[1], string.format('%.0f', till), 'PX', string.format('%.0f', till - now)) end
return 0`,
}

export const scripts = {
  meterRate,
  raiseCounter,
  readRecord,
  replaceRecord,
  touchRecord,
  takeRecord,
  visitRecord,
  enterDirectory,
  enterLimited,
}
