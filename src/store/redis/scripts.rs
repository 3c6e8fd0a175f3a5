//! Lua scripts that make one atomic command of several steps.
//!
//! Each script touches one key. Values are compared byte by byte: decoding JSON in Lua would lose
//! precision. Scripts are sent by their text: a server that was restarted has no script for a
//! hash, and in a pipeline the commands behind an unknown hash would still run.

/// Compares the record with the first argument and runs `$then` if they are equal.
///
/// Returns 1 if they are, 0 if there is no record, or the other value.
macro_rules! compare {
    ($then:literal) => {
        // `pcall` keeps the error code WRONGTYPE at the start of the error on every version of
        // Redis.
        concat!(
            "local held = redis.pcall('GET', KEYS[1])
if type(held) == 'table' then return held end
if not held then return 0 end
if held ~= ARGV[1] then return held end
",
            $then,
            "
return 1"
        )
    };
}

/// Arguments: expected value, new value, TTL in milliseconds.
pub(super) const COMPARE_AND_SET: &str =
    compare!("redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])");

/// Arguments: expected value.
pub(super) const COMPARE_AND_DELETE: &str = compare!("redis.call('DEL', KEYS[1])");

/// Returns 1 if the TTL was set, 0 if there is no record or a redirect, or the other value.
///
/// Arguments: how the record must start, TTL in milliseconds.
pub(super) const SET_TTL_IF: &str =
    "local held = redis.pcall('GETRANGE', KEYS[1], 0, math.max(#ARGV[1], 2) - 1)
if type(held) == 'table' then return held end
if string.sub(held, 1, 2) == '->' then return 0 end
if string.sub(held, 1, #ARGV[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return redis.call('GET', KEYS[1]) or 0";

/// Sets the TTL of a record that is not a redirect. Arguments: TTL in milliseconds.
pub(super) const SET_TTL: &str = "local held = redis.pcall('GETRANGE', KEYS[1], 0, 1)
if type(held) == 'table' then return held end
if held == '->' then return 0 end
return redis.pcall('PEXPIRE', KEYS[1], ARGV[1])";

/// Deletes a value that is not a redirect, also data of another type.
pub(super) const DELETE: &str =
    "if redis.pcall('GETRANGE', KEYS[1], 0, 1) == '->' then return 0 end
return redis.pcall('DEL', KEYS[1])";

// `ZADD GT` written out, because Redis before 6.2 does not have it. A tombstone has a score below
// 0, so it is lower than the score of any active entry.
//
// The no-op ZREM marks the script as a write, so that ZADD of an existing member is not rejected
// with OOM when the memory of the server is full.
/// Arguments: member, `check_after`, TTL in milliseconds, the lowest score that may be raised.
pub(super) const INDEX_PUT: &str = "local held = redis.call('ZSCORE', KEYS[1], ARGV[1])
if held then redis.call('ZREM', KEYS[1], '') end
local score = tonumber(held)
if not score or (score < tonumber(ARGV[2]) and score >= tonumber(ARGV[4])) then
  redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return 1";

/// Arguments: the highest `check_after` to remove, members.
pub(super) const INDEX_REMOVE_DUE: &str = "for i = 2, #ARGV do
  local score = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[i]) or '-1')
  if score >= 0 and score <= tonumber(ARGV[1]) then redis.call('ZREM', KEYS[1], ARGV[i]) end
end
return 1";

// ZADD in chunks, because Lua cannot unpack a table of more than some 8,000 values. The no-op
// ZREM: as in INDEX_PUT. Setting a tombstone takes no memory, and revoking must work on a full
// server too.
/// Arguments: score of new tombstones, by how much the score of a superseded entry is lowered,
/// which is also the negated lowest one, member to keep.
pub(super) const INDEX_TOMBSTONE_ALL: &str =
    "local all = redis.call('ZRANGEBYSCORE', KEYS[1], -ARGV[2], '+inf', 'WITHSCORES')
local fresh = {}
for i = 1, #all, 2 do
  local score = tonumber(all[i + 1])
  if all[i] ~= ARGV[3] then
    fresh[#fresh + 1] = score < 0 and string.format('%.0f', score - ARGV[2]) or ARGV[1]
    fresh[#fresh + 1] = all[i]
  end
end
if #fresh > 0 then redis.call('ZREM', KEYS[1], '') end
for i = 1, #fresh, 1000 do
  redis.call('ZADD', KEYS[1], unpack(fresh, i, math.min(i + 999, #fresh)))
end
return 1";

/// Arguments: old member, new member, score of the tombstone.
pub(super) const INDEX_SUPERSEDE: &str = "local old = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not old or tonumber(old) < 0 then return 1 end
local new = redis.call('ZSCORE', KEYS[1], ARGV[2])
if not new or tonumber(new) < 0 then return 2 end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
return 0";

// Redis orders members with the same score by their bytes. Lua compares strings by the locale of
// the server, so bytes are compared one by one. The member of the position may have been removed,
// or its score raised: then its former place is searched among the entries with its former score.
/// Arguments: limit, 1 for the entries before the position instead of those after it, score and
/// member of the position.
pub(super) const INDEX_PAGE: &str = "local key, score, member = KEYS[1], ARGV[3], ARGV[4]
local function rank(from)
  local found = redis.call('ZRANGEBYSCORE', key, from, '+inf', 'LIMIT', 0, 1)[1]
  if found then return redis.call('ZRANK', key, found) end
  local last = redis.call('ZRANGE', key, -1, -1)[1]
  if last then return redis.call('ZRANK', key, last) + 1 end
  return 0
end
local function precedes(other)
  for i = 1, math.min(#other, #member) do
    local a, b = string.byte(other, i), string.byte(member, i)
    if a ~= b then return a < b end
  end
  return #other < #member
end
local before, behind
if tonumber(redis.call('ZSCORE', key, member)) == tonumber(score) then
  before = redis.call('ZRANK', key, member)
  behind = before + 1
else
  local low, high = rank(score), rank('(' .. score)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if precedes(redis.call('ZRANGE', key, middle, middle)[1]) then
      low = middle + 1
    else
      high = middle
    end
  end
  before, behind = low, low
end
if ARGV[2] == '0' then
  return redis.call('ZRANGE', key, behind, behind + ARGV[1] - 1, 'WITHSCORES')
end
if before == 0 then return {} end
return redis.call('ZRANGE', key, math.max(before - ARGV[1], 0), before - 1, 'WITHSCORES')";
