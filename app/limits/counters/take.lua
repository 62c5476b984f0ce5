-- Counts in one counter after the other up to the first that is full, or in all or none.
--
-- KEYS: of each counter, a key of its own, or the hash of its book.
-- ARGV: the amount; 'all' or 'each'; the epoch that the asking worker knows of the book, or '';
--   and of each counter five: its field in the book or '', its limit (0: none), its length in ms,
--   and what the worker knows, count and ms left: a Redis that lost a key learns it again.
-- Returns the place of the full counter (0: none; -1: it is another book),
--   and of each counter that was looked at its count and the ms left.
local amount, all = tonumber(ARGV[1]), ARGV[2] == 'all'
if ARGV[3] ~= '' and redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[3] then return {-1} end

local function arguments(i)
  local at = 5 * i - 1
  return ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]),
    tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
end

local counts = {}
for i, key in ipairs(KEYS) do
  local field, limit, _, known = arguments(i)
  local count = field == '' and redis.call('GET', key) or field ~= '' and redis.call('HGET', key, field)
  counts[i] = math.max(tonumber(count or 0), known)
  if all and limit > 0 and counts[i] + amount > limit then return {i, counts[i], 0} end
end

local full, told = 0, {}
for i, key in ipairs(KEYS) do
  local field, limit, length, known, left = arguments(i)
  local count, ends = math.max(0, counts[i] + amount), length
  if field ~= '' then
    redis.call('HSET', key, field, count)
  else
    ends = redis.call('PTTL', key)
    if ends < 0 then ends = known > 0 and left or length end
    ends = math.max(1, ends)
    redis.call('SET', key, count, 'PX', ends)
  end
  told[#told + 1] = count
  told[#told + 1] = ends
  if not all and limit > 0 and count > limit then
    full = i
    break
  end
end
return {full, unpack(told)}
