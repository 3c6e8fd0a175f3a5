//! The Lua that makes one command of several steps atomic; each script touches one key.

use std::sync::LazyLock;

/// A script and the name under which a server that has seen it remembers it.
pub(super) struct Script {
    pub(super) text: &'static str,
    pub(super) sha: LazyLock<String>,
}

macro_rules! script {
    ($name:ident, $text:literal) => {
        pub(super) static $name: Script = Script {
            text: $text,
            sha: LazyLock::new(|| redis::Script::new($text).get_hash().to_owned()),
        };
    };
}

// The whole bytes are compared: decoding JSON in Lua would lose precision. `pcall` keeps the
// error code WRONGTYPE at the head of the error on every version of Redis.

script!(
    COMPARE_AND_SET,
    "local held = redis.pcall('GET', KEYS[1])
if type(held) == 'table' then return held end
if not held then return 0 end
if held ~= ARGV[1] then return held end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1"
);

script!(
    COMPARE_AND_DELETE,
    "local held = redis.pcall('GET', KEYS[1])
if type(held) == 'table' then return held end
if not held then return 0 end
if held ~= ARGV[1] then return held end
redis.call('DEL', KEYS[1])
return 1"
);

// ZADD GT in words that Redis before 6.2 understands; a mark is a score below 0,
// the negated time at which it was set. The ZREM of nobody: as below, so that a server whose memory
// is full still prolongs what it knows.

script!(
    INDEX_PUT,
    "local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if score then redis.call('ZREM', KEYS[1], '') end
if not score or (tonumber(score) >= 0 and tonumber(score) < tonumber(ARGV[2])) then
  redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return 1"
);

// A mark is lower than any score.

script!(
    INDEX_UNMARK,
    "local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if score then redis.call('ZREM', KEYS[1], '') end
if not score or tonumber(score) < tonumber(ARGV[2]) then
  redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return 1"
);

script!(
    INDEX_PRUNE,
    "for i = 2, #ARGV do
  local score = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[i]) or '-1')
  if score >= 0 and score <= tonumber(ARGV[1]) then redis.call('ZREM', KEYS[1], ARGV[i]) end
end
return 1"
);

// Marks in chunks: Lua cannot unpack a table of more than some 8,000 values. The ZREM of nobody
// comes first because a server whose memory is full refuses ZADD, but not in a script that has
// written already: marking takes no memory, and revoking must work then as well.

script!(
    INDEX_MARK_ALL,
    "local all = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
local marked, fresh = {}, {}
for i = 1, #all, 2 do
  if tonumber(all[i + 1]) < 0 then
    marked[#marked + 1] = all[i]
  elseif all[i] ~= ARGV[2] then
    marked[#marked + 1] = all[i]
    fresh[#fresh + 1] = ARGV[1]
    fresh[#fresh + 1] = all[i]
  end
end
if #fresh > 0 then redis.call('ZREM', KEYS[1], '') end
for i = 1, #fresh, 1000 do
  redis.call('ZADD', KEYS[1], unpack(fresh, i, math.min(i + 999, #fresh)))
end
return marked"
);

script!(
    INDEX_SUPERSEDE,
    "local old = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not old or tonumber(old) < 0 then return 1 end
local new = redis.call('ZSCORE', KEYS[1], ARGV[2])
if not new or tonumber(new) < 0 then return 2 end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
return 0"
);
