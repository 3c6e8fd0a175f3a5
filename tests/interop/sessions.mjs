// Sessions in JavaScript, written from FORMAT.md, with ioredis and jose: reads one JSON command per
// line from standard input and writes one JSON result per line. Environment: REDIS_URL, SECRET.
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

import Redis from "ioredis";
import { SignJWT, jwtVerify } from "jose";

const KEYSPACE = "sess:";
const MAX_AGE = 86_400;
const SECRET = new TextEncoder().encode(process.env.SECRET);
const PLAIN = /^[A-Za-z0-9_-]+$/;
const RESERVED = ["_jrs", "id", "jwt", "claims"];
const [OWNER, EXPIRES, NONCE, SESSION_MAX_AGE] = [1, 2, 3, 4];
// Below minus this, the score is that of a session which is being deleted.
const DELETING = 2 ** 40;

const db = new Redis(process.env.REDIS_URL);

// Writes only if the record holds the bytes that were read; returns other bytes.
db.defineCommand("compare", {
  numberOfKeys: 1,
  lua: `
local held = redis.call('GET', KEYS[1])
if held ~= ARGV[1] then return held end
if ARGV[2] then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) else redis.call('DEL', KEYS[1]) end
return 1`,
});
// ARGV: member, score, TTL.
db.defineCommand("put", {
  numberOfKeys: 1,
  lua: `
local held = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or false)
if not held or (held >= 0 and held < tonumber(ARGV[2])) then
  redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end`,
});
// Deletes a record that is no redirect.
db.defineCommand("deleteSession", {
  numberOfKeys: 1,
  lua: `
if redis.call('GETRANGE', KEYS[1], 0, 1) == '->' then return 0 end
return redis.call('DEL', KEYS[1])`,
});
// ARGV: time. Makes all members deleting ones.
db.defineCommand("tombstoneAll", {
  numberOfKeys: 1,
  lua: `
local all = redis.call('ZRANGEBYSCORE', KEYS[1], -2^40, '+inf', 'WITHSCORES')
for i = 1, #all, 2 do
  local time = tonumber(all[i + 1])
  if time >= 0 then time = -ARGV[1] end
  redis.call('ZADD', KEYS[1], string.format('%.0f', time - 2^40), all[i])
end`,
});
// ARGV: old member, new member, time. Makes the old one a tombstone if both are active.
db.defineCommand("supersede", {
  numberOfKeys: 1,
  lua: `
local old, new = redis.call('ZSCORE', KEYS[1], ARGV[1]), redis.call('ZSCORE', KEYS[1], ARGV[2])
if not old or tonumber(old) < 0 then return 'old' end
if not new or tonumber(new) < 0 then return 'new' end
redis.call('ZADD', KEYS[1], -ARGV[3], ARGV[1])
return 'ok'`,
});

// Errors that are results: `gone`, and `taken` if another operation came in between.
class Ended extends Error {}
const gone = () => new Ended("gone");
const taken = () => new Ended("taken");

const now = () => Math.floor(Date.now() / 1000);
const key = (id) => KEYSPACE + id;
const newId = () => randomBytes(16).toString("base64url");

function index(owner) {
  const name = PLAIN.test(owner) ? owner : `${Buffer.from(owner).toString("base64url")}=`;
  return `${KEYSPACE}:${name}:`;
}

const isCompact = (bytes) =>
  [16, 32].includes(bytes.length) && !PLAIN.test(bytes.toString("latin1"));

function member(id) {
  const bytes = Buffer.from(id, "base64url");
  return isCompact(bytes) && bytes.toString("base64url") === id ? bytes : Buffer.from(id);
}

const idOf = (bytes) => (isCompact(bytes) ? bytes.toString("base64url") : bytes.toString());

function sign(id, meta) {
  const claims = { jti: id, iat: now() };
  if (meta[OWNER]) claims.sub = meta[OWNER];
  if (meta[EXPIRES]) claims.exp = meta[EXPIRES];
  return new SignJWT(claims).setProtectedHeader({ alg: "HS256", typ: "JWT" }).sign(SECRET);
}

async function idOfToken(token) {
  try {
    const { payload } = await jwtVerify(token, SECRET, { algorithms: ["HS256"] });
    return payload.jti;
  } catch {
    throw gone();
  }
}

function parse(value) {
  const fields = JSON.parse(value);
  const meta = [...(fields._jrs ?? []), ...Array(7).fill(null)].slice(0, 7);
  for (const name of RESERVED) delete fields[name];
  return { value, meta, fields };
}

function write(meta, fields, nonce = null) {
  const elements = Object.assign([...meta], { [NONCE]: nonce });
  while (elements.at(-1) === null) elements.pop();
  return JSON.stringify(elements.length ? { _jrs: elements, ...fields } : fields);
}

// The new id, if the value is a redirect whose grace has not ended.
function redirect(value) {
  const found = /^->([A-Za-z0-9_-]+) ([0-9]+)$/.exec(value ?? "");
  return found && Date.now() < Number(found[2]) ? found[1] : null;
}

const isGone = (value) => value === null || value.startsWith("->");

// The time to live that a write gives, in milliseconds.
function ttl(meta) {
  const maxAge = meta[SESSION_MAX_AGE] ?? MAX_AGE;
  const left = meta[EXPIRES] ? meta[EXPIRES] - Date.now() / 1000 : maxAge;
  if (left <= 0) throw gone();
  return Math.floor(Math.min(left, maxAge) * 1000);
}

// The record, with its id, which is a new one after a redirect.
async function read(id) {
  let value = await db.get(key(id));
  for (let hops = 0; hops < 8 && redirect(value); hops += 1) {
    id = redirect(value);
    value = await db.get(key(id));
  }
  if (isGone(value)) throw gone();
  const record = { id, ...parse(value) };
  ttl(record.meta);
  return record;
}

async function put(target, owner, id, life) {
  const score = Math.floor(Date.now() / 1000 + life / 1000 + 60);
  if (owner) await target.put(index(owner), member(id), score, life + 60_000);
}

async function unlist(owner, id) {
  if (owner) await db.zrem(index(owner), member(id));
}

// Puts the ids into the index, inserts the record and checks that it is listed.
async function insert(id, { meta, fields }, listed = []) {
  const [owner, life] = [meta[OWNER], ttl(meta)];
  const steps = [...listed, id].map((each) => put(db, owner, each, life));
  steps.push(db.set(key(id), write(meta, fields), "PX", life, "NX"));
  steps.push(db.zscore(index(owner ?? "-"), member(id)));
  const [inserted, score] = (await Promise.all(steps)).slice(-2);
  if (inserted === null) throw taken();
  if (owner && !(Number(score ?? -1) >= 0)) {
    await undo(id, meta);
    throw taken();
  }
}

async function undo(id, meta) {
  await db.del(key(id));
  await unlist(meta[OWNER], id);
}

// Runs `attempt` again while another operation comes in between.
async function repeat(attempts, attempt) {
  for (let i = 0; i < attempts; i += 1) {
    try {
      return await attempt(i);
    } catch (error) {
      if (error.message !== "taken") throw error;
    }
  }
  throw taken();
}

function create({ data, owner = null }) {
  const meta = [now(), owner, null, null, null, null, null];
  return repeat(5, async () => {
    const id = newId();
    await insert(id, { meta, fields: data });
    return { token: await sign(id, meta), id };
  });
}

async function update({ token, set = {}, remove = [] }) {
  let record = await read(await idOfToken(token));
  return repeat(16, async (attempt) => {
    const { id } = record;
    await waitForTurn(id, record);
    if (attempt && attempt % 4 === 0) record = await reserve(id, record);
    const { value, meta } = record;
    const fields = { ...record.fields, ...set };
    for (const name of remove) delete fields[name];
    await put(db, meta[OWNER], id, ttl(meta));
    const held = await db.compare(key(id), value, write(meta, fields), ttl(meta));
    if (held === 1) return fields;
    if (isGone(held)) {
      await unlist(meta[OWNER], id);
      record = await read(id);
    } else {
      record = { id, ...parse(held) };
    }
    throw taken();
  });
}

async function waitForTurn(id, { value, meta }) {
  const wait = /^wait-until:([0-9]+)$/.exec(meta[NONCE] ?? "");
  const until = wait ? Math.min(Number(wait[1]), Date.now() + 2000) : 0;
  while (Date.now() < until && (await db.get(key(id))) === value) await sleep(5);
}

async function reserve(id, record) {
  const { value, meta, fields } = record;
  const reserved = write(meta, fields, `wait-until:${Date.now() + 100}`);
  const held = await db.compare(key(id), value, reserved, ttl(meta));
  return held === 1 ? { ...record, value: reserved } : record;
}

async function rotate({ token }) {
  const record = await read(await idOfToken(token));
  const old = record.id;
  return repeat(5, async () => {
    const id = newId();
    await insert(id, record, [old]);
    await decide(old, id, record.meta);
    await deleteOld(old, id, record);
    return { token: await sign(id, record.meta), id };
  });
}

async function decide(old, id, meta) {
  if (!meta[OWNER]) return;
  const decision = await db.supersede(index(meta[OWNER]), member(old), member(id), now());
  if (decision === "ok") return;
  await undo(id, meta);
  throw decision === "old" ? gone() : taken();
}

// Deletes the old record; copies what was written to it meanwhile to the new one.
async function deleteOld(old, id, record) {
  let [seen, written] = [record.value, write(record.meta, record.fields)];
  for (;;) {
    const held = await db.compare(key(old), seen);
    if (held === 1) break;
    const { meta, fields } = isGone(held) ? record : parse(held);
    if (isGone(held) || !(await move(id, written, write(meta, fields), ttl(meta)))) {
      await undo(id, meta);
      await unlist(meta[OWNER], old);
      throw gone();
    }
    [seen, written] = [held, write(meta, fields)];
  }
  await unlist(record.meta[OWNER], old);
}

async function move(id, expected, value, life) {
  let held = expected;
  while (held !== null) {
    held = await db.compare(key(id), held, value, life);
    if (held === 1) return true;
  }
  return false;
}

async function destroy({ token }) {
  for (;;) {
    const { id, meta } = await read(await idOfToken(token));
    const destroyed = await db.deleteSession(key(id));
    if (destroyed || !redirect(await db.get(key(id)))) {
      await unlist(meta[OWNER], id);
      return destroyed;
    }
  }
}

async function destroyAll({ owner }) {
  await db.tombstoneAll(index(owner), now());
  let destroyed = 0;
  for (;;) {
    const end = `(${-DELETING}`;
    const page = await db.zrangebyscoreBuffer(index(owner), "-inf", end, "LIMIT", 0, 100);
    const { deleted, removed } = await complete(owner, page);
    destroyed += deleted;
    if (!removed) return destroyed;
  }
}

// Deletes the sessions of tombstones, then the tombstones. Returns how many of each.
async function complete(owner, tombstones) {
  const records = await Promise.all(tombstones.map((each) => db.get(key(idOf(each)))));
  const isOwned = (held) => isGone(held) || parse(held).meta[OWNER] === owner;
  const ended = tombstones.filter((_, i) => isOwned(records[i]));
  if (!ended.length) return { deleted: 0, removed: 0 };
  const counts = await Promise.all(ended.map((each) => db.deleteSession(key(idOf(each)))));
  await db.zrem(index(owner), ...ended);
  return { deleted: counts.reduce((sum, count) => sum + count, 0), removed: ended.length };
}

async function list({ owner }) {
  const flat = await db.zrangeBuffer(index(owner), 0, -1, "WITHSCORES");
  const entries = [];
  for (let i = 0; i < flat.length; i += 2) entries.push([flat[i], Number(flat[i + 1])]);
  const age = (score) => now() + (score >= -DELETING ? score : score + DELETING);
  const isOld = ([, score]) => score < 0 && age(score) > 60;
  await complete(owner, entries.filter(isOld).map(([each]) => each));
  const active = entries.filter(([, score]) => score >= 0).map(([each]) => idOf(each));
  const records = await Promise.all(active.map((id) => db.get(key(id))));
  const isOwned = (held) => !isGone(held) && parse(held).meta[OWNER] === owner;
  return active.filter((_, i) => isOwned(records[i])).sort();
}

const operations = {
  create,
  read: async ({ token }) => (await read(await idOfToken(token))).fields,
  update,
  rotate,
  destroy,
  destroy_all: destroyAll,
  list,
};

async function answer(line) {
  const command = JSON.parse(line);
  try {
    return { ok: await operations[command.op](command) };
  } catch (error) {
    if (error instanceof Ended) return { error: error.message };
    throw error;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(line)));
}
db.disconnect();
