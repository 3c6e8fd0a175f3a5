"""Sessions in Python, written from FORMAT.md, with redis-py and PyJWT.

Reads one JSON command per line from standard input and writes one JSON result per line.
Environment: REDIS_URL, SECRET.
"""

import base64
import json
import os
import re
import secrets
import sys
import time

import jwt
import redis

KEYSPACE, MAX_AGE = "sess:", 86_400
SECRET = os.environ["SECRET"]
PLAIN = re.compile(rb"[A-Za-z0-9_-]+")
RESERVED = ("_jrs", "id", "jwt", "claims")
EXPIRES, NONCE, SESSION_MAX_AGE = 2, 3, 4
# Below minus this, the score is that of a session which is being deleted.
DELETING = 2**40

db = redis.Redis.from_url(os.environ["REDIS_URL"])

# Writes only if the record holds the bytes that were read; returns other bytes.
COMPARE = """
local held = redis.call('GET', KEYS[1])
if held ~= ARGV[1] then return held end
if ARGV[2] then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) else redis.call('DEL', KEYS[1]) end
return 1"""
# ARGV: member, score, TTL, whether a tombstone becomes active.
PUT = """
local held = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or false)
if not held or (held >= 0 and held < tonumber(ARGV[2])) or (held < 0 and ARGV[4] == '1') then
  redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end"""
# Deletes a record that is no redirect.
DELETE = """
if redis.call('GETRANGE', KEYS[1], 0, 1) == '->' then return 0 end
return redis.call('DEL', KEYS[1])"""
# ARGV: time. Makes all members deleting ones.
TOMBSTONE_ALL = """
local all = redis.call('ZRANGEBYSCORE', KEYS[1], -2^40, '+inf', 'WITHSCORES')
for i = 1, #all, 2 do
  local time = tonumber(all[i + 1])
  if time >= 0 then time = -ARGV[1] end
  redis.call('ZADD', KEYS[1], string.format('%.0f', time - 2^40), all[i])
end"""
# ARGV: old member, new member, time. Makes the old one a tombstone if both are active.
SUPERSEDE = """
local old, new = redis.call('ZSCORE', KEYS[1], ARGV[1]), redis.call('ZSCORE', KEYS[1], ARGV[2])
if not old or tonumber(old) < 0 then return 'old' end
if not new or tonumber(new) < 0 then return 'new' end
redis.call('ZADD', KEYS[1], -ARGV[3], ARGV[1])
return 'ok'"""


class Gone(Exception):
    pass


class Taken(Exception):
    """Another operation came in between; start again."""


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def key(id):
    return KEYSPACE + id


def index(owner):
    data = owner.encode()
    name = owner if PLAIN.fullmatch(data) else base64url(data) + "="
    return f"{KEYSPACE}:{name}:"


def member(id):
    try:
        data = base64.urlsafe_b64decode(id + "=" * (-len(id) % 4))
    except ValueError:
        return id.encode()
    compact = len(data) in (16, 32) and base64url(data) == id and not PLAIN.fullmatch(data)
    return data if compact else id.encode()


def id_of(member):
    compact = len(member) in (16, 32) and not PLAIN.fullmatch(member)
    return base64url(member) if compact else member.decode()


def sign(id, meta):
    claims = {"jti": id, "iat": int(time.time())}
    owner, expires = meta[1], meta[EXPIRES]
    claims |= {"sub": owner} if owner else {}
    claims |= {"exp": expires} if expires else {}
    return jwt.encode(claims, SECRET, algorithm="HS256")


def id_of_token(token):
    options = {"verify_sub": False, "require": ["jti"]}
    try:
        return jwt.decode(token, SECRET, algorithms=["HS256"], options=options)["jti"]
    except jwt.InvalidTokenError:
        raise Gone from None


def parse(value):
    fields = json.loads(value)
    meta = fields.get("_jrs", [])
    meta = meta + [None] * (7 - len(meta))
    return meta, {name: value for name, value in fields.items() if name not in RESERVED}


def write(meta, fields, nonce=None):
    meta = meta[:NONCE] + [nonce] + meta[NONCE + 1 :]
    while meta and meta[-1] is None:
        meta.pop()
    head = {"_jrs": meta} if meta else {}
    return json.dumps(head | fields, ensure_ascii=False, separators=(",", ":")).encode()


def redirect(value):
    """The new id, if the value is a redirect whose grace has not ended."""
    found = re.fullmatch(rb"->([A-Za-z0-9_-]+) ([0-9]+)", value or b"")
    return found[1].decode() if found and time.time() * 1000 < int(found[2]) else None


def ttl(meta):
    """The time to live that a write gives, in milliseconds."""
    max_age = meta[SESSION_MAX_AGE] or MAX_AGE
    left = meta[EXPIRES] - time.time() if meta[EXPIRES] else max_age
    if left <= 0:
        raise Gone
    return int(min(left, max_age) * 1000)


def read(id):
    """The id, which is a new one after a redirect, the bytes, the metadata and the fields."""
    for _ in range(9):
        value = db.get(key(id))
        if not (new := redirect(value)):
            break
        id = new
    if value is None or value.startswith(b"->"):
        raise Gone
    meta, fields = parse(value)
    ttl(meta)
    return id, value, meta, fields


def put(target, owner, id, life, reactivate=False):
    if owner:
        score = int(time.time() + life / 1000 + 60)
        arguments = [member(id), score, life + 60_000, int(reactivate)]
        target.eval(PUT, 1, index(owner), *arguments)


def unlist(owner, id):
    if owner:
        db.zrem(index(owner), member(id))


def insert(id, meta, fields, listed=()):
    """Puts the ids into the index, inserts the record and checks that it is listed."""
    life = ttl(meta)
    pipe = db.pipeline(transaction=False)
    for each in (*listed, id):
        put(pipe, meta[1], each, life)
    pipe.set(key(id), write(meta, fields), px=life, nx=True)
    pipe.zscore(index(meta[1] or "-"), member(id))
    *_, inserted, score = pipe.execute()
    if not inserted:
        raise Taken
    if meta[1] and (score is None or score < 0):
        undo(id, meta)
        raise Taken


def undo(id, meta):
    db.delete(key(id))
    unlist(meta[1], id)


def create(data, owner=None):
    meta = [int(time.time()), owner] + [None] * 5
    for _ in range(5):
        id = base64url(secrets.token_bytes(16))
        try:
            insert(id, meta, data)
        except Taken:
            continue
        return {"token": sign(id, meta), "id": id}
    raise Taken


def update(token, set={}, remove=()):
    id, value, meta, fields = read(id_of_token(token))
    for attempt in range(16):
        wait = re.fullmatch("wait-until:([0-9]+)", str(meta[NONCE] or ""))
        until = min(int(wait[1]) / 1000, time.time() + 2) if wait else 0
        while time.time() < until and db.get(key(id)) == value:
            time.sleep(0.005)
        if attempt and attempt % 4 == 0:
            nonce = f"wait-until:{int(time.time() * 1000) + 100}"
            reserved = write(meta, fields, nonce)
            if db.eval(COMPARE, 1, key(id), value, reserved, ttl(meta)) == 1:
                value = reserved
        changed = {name: held for name, held in (fields | set).items() if name not in remove}
        put(db, meta[1], id, ttl(meta))
        held = db.eval(COMPARE, 1, key(id), value, write(meta, changed), ttl(meta))
        if held == 1:
            return changed
        if held is None or held.startswith(b"->"):
            unlist(meta[1], id)
            id, held, *_ = read(id)
        value = held
        meta, fields = parse(value)
    raise Taken


def rotate(token):
    old, value, meta, fields = read(id_of_token(token))
    for _ in range(5):
        new = base64url(secrets.token_bytes(16))
        try:
            insert(new, meta, fields, listed=[old])
            decide(old, new, meta)
        except Taken:
            continue
        delete_old(old, new, value, write(meta, fields))
        return {"token": sign(new, meta), "id": new}
    raise Taken


def decide(old, new, meta):
    if not meta[1]:
        return
    arguments = [member(old), member(new), int(time.time())]
    decision = db.eval(SUPERSEDE, 1, index(meta[1]), *arguments)
    if decision != b"ok":
        undo(new, meta)
        raise Gone if decision == b"old" else Taken


def delete_old(old, new, seen, written):
    """Deletes the old record; copies what was written to it meanwhile to the new one."""
    while (held := db.eval(COMPARE, 1, key(old), seen)) != 1:
        is_gone = held is None or held.startswith(b"->")
        meta, fields = parse(written if is_gone else held)
        copied = not is_gone and move(new, written, write(meta, fields), ttl(meta))
        if not copied:
            undo(new, meta)
            unlist(meta[1], old)
            raise Gone
        seen, written = held, write(meta, fields)
    unlist(parse(seen)[0][1], old)


def move(id, expected, value, life):
    held = expected
    while held is not None:
        held = db.eval(COMPARE, 1, key(id), held, value, life)
        if held == 1:
            return True
    return False


def destroy(token):
    while True:
        id, _, meta, _ = read(id_of_token(token))
        destroyed = db.eval(DELETE, 1, key(id))
        if destroyed or not redirect(db.get(key(id))):
            unlist(meta[1], id)
            return destroyed


def destroy_all(owner):
    db.eval(TOMBSTONE_ALL, 1, index(owner), int(time.time()))
    destroyed = 0
    while page := db.zrangebyscore(index(owner), "-inf", f"({-DELETING}", 0, 100):
        count, removed = complete(owner, page)
        destroyed += count
        if not removed:
            break
    return destroyed


def complete(owner, tombstones):
    """Deletes the sessions of tombstones, then the tombstones. Returns how many of each."""
    records = [db.get(key(id_of(each))) for each in tombstones]
    is_gone = lambda held: held is None or held.startswith(b"->")
    owned = [is_gone(held) or parse(held)[0][1] == owner for held in records]
    ended = [each for each, ours in zip(tombstones, owned) if ours]
    count = sum(db.eval(DELETE, 1, key(id_of(each))) for each in ended)
    if ended:
        db.zrem(index(owner), *ended)
    return count, len(ended)


def list_ids(owner):
    entries = db.zrange(index(owner), 0, -1, withscores=True)
    age = lambda score: time.time() + (score if score >= -DELETING else score + DELETING)
    old = [each for each, score in entries if score < 0 and age(score) > 60]
    complete(owner, old)
    found = []
    for each, score in entries:
        held = db.get(key(id_of(each)))
        is_gone = held is None or held.startswith(b"->")
        if score >= 0 and not is_gone and parse(held)[0][1] == owner:
            found.append(id_of(each))
    return sorted(found)


OPERATIONS = {
    "create": create,
    "read": lambda token: read(id_of_token(token))[3],
    "update": update,
    "rotate": rotate,
    "destroy": destroy,
    "destroy_all": destroy_all,
    "list": list_ids,
}


def answer(line):
    command = json.loads(line)
    try:
        return {"ok": OPERATIONS[command.pop("op")](**command)}
    except (Gone, Taken) as error:
        return {"error": type(error).__name__.lower()}


for line in sys.stdin:
    print(json.dumps(answer(line)), flush=True)
