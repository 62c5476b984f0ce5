-- Tells a book what a worker knows of it.
--
-- `epoch` is drawn when the hash is made, so that its loss shows: a book that the worker knows is
-- told what was counted without it, any other one at least what the worker knew.
--
-- KEYS: the hash of the book.
-- ARGV: the epoch that the worker knows, the one of a new book, its length in ms;
--   and of each counter three: its field, what the worker knows, what it has not told yet.
-- Returns the book's epoch.
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch then
  epoch = ARGV[2]
  redis.call('HSET', KEYS[1], 'epoch', epoch)
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
for i = 4, #ARGV, 3 do
  local name, known, owed = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  if epoch == ARGV[1] then
    if owed ~= 0 then redis.call('HINCRBY', KEYS[1], name, owed) end
  elseif tonumber(redis.call('HGET', KEYS[1], name) or 0) < known then
    redis.call('HSET', KEYS[1], name, known)
  end
end
return epoch
